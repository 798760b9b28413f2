//! The faces of a PDF with the glyphs that are in use and no others.
use std::collections::BTreeMap;

use pdf_writer::{
    Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use subsetter::GlyphRemapper;

use super::{Numbers, squeeze};
use crate::font::{COUNT, Font, Glyph, ITALIC};

const SYSTEM: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

pub(super) struct Faces([Face; COUNT]);

/// Which glyphs are in use: their new numbers, their widths and letters by those.
struct Face {
    numbers: GlyphRemapper,
    used: BTreeMap<u16, (char, f32)>,
}

impl Faces {
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| Face { numbers: GlyphRemapper::new(), used: BTreeMap::new() }))
    }

    /// Glyphs of one face, in an open text object.
    pub fn show(&mut self, content: &mut Content, font: u8, size: f32, glyphs: &[Glyph]) {
        content.set_font(Name(name(font).as_bytes()), size);
        let face = &mut self.0[usize::from(font)];
        for letters in glyphs.chunk_by(|a, b| !a.mark || b.mark) {
            // A letter with marks, behind letters without.
            let plain =
                letters.iter().position(|glyph| glyph.mark).map_or(letters.len(), |at| at.saturating_sub(1));
            let (plain, marked) = letters.split_at(plain);
            if !plain.is_empty() {
                content.show(Str(&face.bytes(plain)));
            }
            if marked.is_empty() {
                continue;
            }
            // Readers guess from places on the page which letter a mark is of; this says it.
            let text: String = marked.iter().map(|glyph| glyph.c).collect();
            let mut span = content.begin_marked_content_with_properties(Name(b"Span"));
            span.properties().actual_text(TextStr(&text));
            span.finish();
            for glyph in marked {
                let rise = glyph.dy * size / 1000.0;
                if glyph.mark {
                    content.set_rise(rise);
                }
                // Over to its letter, and back to where the pen was.
                let own = Font::get(font).advance(glyph.id);
                let mut shown = content.show_positioned();
                let mut items = shown.items();
                items
                    .adjust(-glyph.dx)
                    .show(Str(&face.bytes(&[*glyph])))
                    .adjust(glyph.dx + own - glyph.advance);
            }
            content.set_rise(0.0).end_marked_content();
        }
    }

    /// Writes every face in use; names and numbers for the resources.
    pub fn write(self, pdf: &mut Pdf, numbers: &mut Numbers) -> Vec<(String, Ref)> {
        let used = (0..).zip(self.0).filter(|(_, face)| !face.used.is_empty());
        used.map(|(font, face)| (name(font), face.write(Font::get(font), font == ITALIC, pdf, numbers)))
            .collect()
    }
}

fn name(font: u8) -> String {
    format!("F{font}")
}

impl Face {
    fn bytes(&mut self, glyphs: &[Glyph]) -> Vec<u8> {
        glyphs.iter().flat_map(|glyph| self.number(glyph).to_be_bytes()).collect()
    }

    fn number(&mut self, glyph: &Glyph) -> u16 {
        let number = self.numbers.remap(glyph.id);
        self.used.entry(number).or_insert_with(|| (glyph.c, Font::get(glyph.font).advance(glyph.id)));
        number
    }

    fn write(self, font: &Font, italic: bool, pdf: &mut Pdf, numbers: &mut Numbers) -> Ref {
        let [whole, inner, descriptor, file, letters] = std::array::from_fn(|_| numbers.next());
        // Readers ask for a tag of six letters before the name of a face that is not complete.
        let base = format!("LUMINA+{}", font.name);
        let base = Name(base.as_bytes());
        pdf.type0_font(whole)
            .base_font(base)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(inner)
            .to_unicode(letters);

        let mut cid = pdf.cid_font(inner);
        cid.subtype(CidFontType::Type2).base_font(base).system_info(SYSTEM).font_descriptor(descriptor);
        cid.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = cid.widths();
        for (number, (_, width)) in &self.used {
            widths.consecutive(*number, [*width]);
        }
        widths.finish();
        cid.finish();

        let face = &font.face;
        let bounds = face.global_bounding_box();
        let at = |units: i16| font.thousandths(units);
        let mut flags = FontFlags::NON_SYMBOLIC;
        flags.set(FontFlags::ITALIC, italic);
        pdf.font_descriptor(descriptor)
            .name(base)
            .flags(flags)
            .bbox(Rect::new(at(bounds.x_min), at(bounds.y_min), at(bounds.x_max), at(bounds.y_max)))
            .italic_angle(if italic { -12.0 } else { 0.0 })
            .ascent(at(face.ascender()))
            .descent(at(face.descender()))
            .cap_height(at(face.capital_height().unwrap_or(face.ascender())))
            .stem_v(if face.is_bold() { 140.0 } else { 85.0 })
            .font_file2(file);

        // The faces are ours and whole; should one not be cut, all of it is as good.
        let cut = subsetter::subset(font.data, 0, &self.numbers).unwrap_or_else(|_| font.data.to_vec());
        let length = cut.len() as i32;
        let cut = squeeze(&cut);
        let mut stream = pdf.stream(file, &cut);
        stream.filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
        stream.finish();

        let mut cmap = UnicodeCmap::new(Name(b"Lumina"), SYSTEM);
        for (number, (c, _)) in &self.used {
            cmap.pair(*number, *c);
        }
        let cmap = squeeze(&cmap.finish());
        pdf.cmap(letters, &cmap).filter(Filter::FlateDecode);
        whole
    }
}
