//! Pictures of a PDF: JPEG as it came, PNG unpacked and packed anew, with its transparency beside it.
use pdf_writer::{Filter, Finish, Name, Pdf, Ref};

use super::{Numbers, squeeze};
use crate::{
    Error, Image,
    image::{Format, Pixels},
};

pub(super) fn write(pdf: &mut Pdf, numbers: &mut Numbers, image: &Image, number: Ref) -> Result<(), Error> {
    let (channels, filter, body, alpha) = match image.format {
        Format::Jpeg(colours) => (colours, Filter::DctDecode, image.bytes.to_vec(), None),
        Format::Png => {
            let Pixels { channels, colour, alpha } = image.pixels()?;
            (channels, Filter::FlateDecode, squeeze(&colour), alpha)
        }
    };
    let mask = alpha.map(|alpha| (numbers.next(), squeeze(&alpha)));
    let (width, height) = (image.width as i32, image.height as i32);
    let mut picture = pdf.image_xobject(number, &body);
    picture.filter(filter);
    picture.width(width).height(height).bits_per_component(8);
    match channels {
        1 => picture.color_space().device_gray(),
        4 => {
            // Adobe's JPEGs count ink where others count light.
            picture.decode([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
            picture.color_space().device_cmyk();
        }
        _ => picture.color_space().device_rgb(),
    }
    if let Some((mask, _)) = &mask {
        picture.pair(Name(b"SMask"), *mask);
    }
    picture.finish();
    if let Some((number, alpha)) = mask {
        let mut mask = pdf.image_xobject(number, &alpha);
        mask.filter(Filter::FlateDecode);
        mask.width(width).height(height).bits_per_component(8);
        mask.color_space().device_gray();
    }
    Ok(())
}
