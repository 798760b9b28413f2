//! Pictures: PNG and JPEG, looked at before they are believed.
use std::{fmt, sync::Arc};

use crate::Error;

/// A picture that can be printed. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) format: Format,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    /// With its number of colours: 1 grey, 3, or 4 (which Adobe inverts).
    Jpeg(u8),
}

/// The most that a picture may have in bytes, and in pixels once unpacked.
const BYTES: usize = 5 << 20;
const PIXELS: u64 = 16 << 20;

impl Image {
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        if bytes.len() > BYTES {
            return Err(Error::Image("it is over 5 MB"));
        }
        let (format, width, height) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            let info = png::Decoder::new(std::io::Cursor::new(&bytes[..])).read_info();
            let info = info.map_err(|_| Error::Image("the PNG is damaged"))?;
            (Format::Png, info.info().width, info.info().height)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            let (colours, width, height) = frame(&bytes).ok_or(Error::Image("the JPEG is damaged"))?;
            (Format::Jpeg(colours), width, height)
        } else {
            return Err(Error::Image("it is neither PNG nor JPEG"));
        };
        if width == 0 || height == 0 {
            return Err(Error::Image("it has no pixels"));
        }
        if u64::from(width) * u64::from(height) > PIXELS {
            return Err(Error::Image("it has more than 16 million pixels"));
        }
        let image = Self { bytes, format, width, height };
        if format == Format::Png {
            image.pixels()?;
        }
        Ok(image)
    }

    /// A PNG unpacked to eight bits a channel: its channels (1 grey, 3 colours), their bytes, how opaque each
    /// pixel is.
    pub(crate) fn pixels(&self) -> Result<Pixels, Error> {
        let damaged = |_| Error::Image("the PNG is damaged");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&self.bytes[..]));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(damaged)?;
        let size = reader.output_buffer_size().ok_or(Error::Image("it is too large"))?;
        let mut raw = vec![0; size];
        let frame = reader.next_frame(&mut raw).map_err(damaged)?;
        raw.truncate(frame.buffer_size());
        Ok(match frame.color_type {
            png::ColorType::Grayscale => Pixels { channels: 1, colour: raw, alpha: None },
            png::ColorType::GrayscaleAlpha => split(&raw, 1),
            png::ColorType::Rgba => split(&raw, 3),
            _ => Pixels { channels: 3, colour: raw, alpha: None },
        })
    }

    pub(crate) fn extension(&self) -> &'static str {
        match self.format {
            Format::Png => "png",
            Format::Jpeg(_) => "jpeg",
        }
    }
}

pub(crate) struct Pixels {
    pub channels: u8,
    pub colour: Vec<u8>,
    pub alpha: Option<Vec<u8>>,
}

fn split(raw: &[u8], channels: usize) -> Pixels {
    let mut colour = Vec::with_capacity(raw.len());
    let mut alpha = Vec::with_capacity(raw.len() / (channels + 1));
    for pixel in raw.chunks_exact(channels + 1) {
        colour.extend_from_slice(&pixel[..channels]);
        alpha.push(pixel[channels]);
    }
    let opaque = alpha.iter().all(|a| *a == 255);
    Pixels { channels: channels as u8, colour, alpha: (!opaque).then_some(alpha) }
}

/// The frame header of a JPEG: colours, width, height.
fn frame(bytes: &[u8]) -> Option<(u8, u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if bytes[at] != 0xff {
            return None;
        }
        if marker == 0xff {
            at += 1;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            let body = bytes.get(at + 4..at + 10)?;
            let side = |i: usize| u32::from(u16::from_be_bytes([body[i], body[i + 1]]));
            // Eight bits a channel is all that PDF's readers promise.
            return (body[0] == 8 && matches!(body[5], 1 | 3 | 4)).then(|| (body[5], side(3), side(1)));
        }
        if length < 2 || marker == 0xda || marker == 0xd9 {
            return None;
        }
        at += 2 + length;
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}×{}", self.format, self.width, self.height)
    }
}
