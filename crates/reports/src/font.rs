//! The faces of `fonts/` and where their glyphs stand. Left to right, no ligatures, no kerning; marks sit where the
//! face's anchors put them, since Yoruba and Igbo cannot be read without.
use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, gpos::PositioningSubtable};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

pub(crate) struct Font {
    pub data: &'static [u8],
    pub name: &'static str,
    pub face: Face<'static>,
    /// Thousandths of an em in a unit of the face.
    scale: f32,
}

pub(crate) const REGULAR: u8 = 0;
pub(crate) const BOLD: u8 = 1;
pub(crate) const ITALIC: u8 = 2;
const SIGNS: u8 = 3;
pub(crate) const COUNT: usize = 4;

static FONTS: LazyLock<[Font; COUNT]> = LazyLock::new(|| {
    [
        Font::new("LuminaSans", include_bytes!("../fonts/NotoSans-Regular.ttf")),
        Font::new("LuminaSans-Bold", include_bytes!("../fonts/NotoSans-Bold.ttf")),
        Font::new("LuminaSans-Italic", include_bytes!("../fonts/NotoSans-Italic.ttf")),
        Font::new("LuminaSigns", include_bytes!("../fonts/DejaVuSans-Signs.ttf")),
    ]
});

/// One glyph behind the one before it; lengths in thousandths of the font's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Glyph {
    pub id: u16,
    pub font: u8,
    /// What it stands for, for those who copy or listen.
    pub c: char,
    pub advance: f32,
    /// Moves the ink, not the pen.
    pub dx: f32,
    pub dy: f32,
    /// Belongs to the letter before it.
    pub mark: bool,
}

impl Font {
    fn new(name: &'static str, data: &'static [u8]) -> Self {
        let face = Face::parse(data, 0).expect("the faces of fonts/ are whole");
        Self { data, name, scale: 1000.0 / f32::from(face.units_per_em()), face }
    }

    pub fn get(font: u8) -> &'static Self {
        &FONTS[usize::from(font)]
    }

    pub fn thousandths(&self, units: i16) -> f32 {
        f32::from(units) * self.scale
    }

    pub fn advance(&self, id: u16) -> f32 {
        f32::from(self.face.glyph_hor_advance(GlyphId(id)).unwrap_or(0)) * self.scale
    }

    /// How far the ink of a mark moves to sit on the glyph before it (which the pen has passed).
    fn attach(&self, mark: u16, base: u16) -> Option<(f32, f32)> {
        let (mark, base) = (GlyphId(mark), GlyphId(base));
        let lookups = self.face.tables().gpos?.lookups;
        let subtables = (0..lookups.len()).filter_map(|n| lookups.get(n)).flat_map(|lookup| {
            (0..lookup.subtables.len())
                .filter_map(move |n| lookup.subtables.get::<PositioningSubtable<'_>>(n))
        });
        for subtable in subtables {
            let anchors = match &subtable {
                PositioningSubtable::MarkToBase(to) => {
                    let (m, b) = (to.mark_coverage.get(mark), to.base_coverage.get(base));
                    m.zip(b).and_then(|(m, b)| {
                        let (class, own) = to.marks.get(m)?;
                        let its = to.anchors.get(b, class)?;
                        Some((its.x - own.x, its.y - own.y))
                    })
                }
                PositioningSubtable::MarkToMark(to) => {
                    let (m, b) = (to.mark1_coverage.get(mark), to.mark2_coverage.get(base));
                    m.zip(b).and_then(|(m, b)| {
                        let (class, own) = to.marks.get(m)?;
                        let its = to.mark2_matrix.get(b, class)?;
                        Some((its.x - own.x, its.y - own.y))
                    })
                }
                _ => None,
            };
            if let Some((x, y)) = anchors {
                return Some((self.thousandths(x), self.thousandths(y)));
            }
        }
        None
    }
}

/// The glyphs of a text in one face, others where that face has none.
pub(crate) fn shape(text: &str, font: u8) -> Vec<Glyph> {
    let mut glyphs: Vec<Glyph> = Vec::with_capacity(text.len());
    // What the next mark may sit on: the letter, and the mark before.
    let mut base: Option<Glyph> = None;
    for c in text.nfc().filter_map(visible) {
        let mut glyph = find(c, font);
        if !is_combining_mark(c) {
            glyphs.push(glyph);
            base = Some(glyph);
            continue;
        }
        (glyph.advance, glyph.mark) = (0.0, true);
        if let Some(on) = base.filter(|on| on.font == glyph.font) {
            let face = Font::get(glyph.font);
            let last = glyphs[glyphs.len() - 1];
            let stacked = (last != on).then(|| face.attach(glyph.id, last.id)).flatten();
            // Marks do not move the pen: both stand behind the letter.
            (glyph.dx, glyph.dy) = match stacked {
                Some((x, y)) => (last.dx + x, last.dy + y),
                None => face.attach(glyph.id, on.id).map_or((0.0, 0.0), |(x, y)| (x - on.advance, y)),
            };
        }
        glyphs.push(glyph);
    }
    glyphs
}

fn find(c: char, font: u8) -> Glyph {
    let in_face = |font: u8| Font::get(font).face.glyph_index(c).map(|id| (font, id.0));
    // What no face has is shown as the box that stands for a missing letter.
    let (font, id) = in_face(font).or_else(|| in_face(SIGNS)).unwrap_or((font, 0));
    let c = if id == 0 { '\u{fffd}' } else { c };
    Glyph { id, font, c, advance: Font::get(font).advance(id), dx: 0.0, dy: 0.0, mark: false }
}

/// Kinds of spaces are one; what cannot be seen is left out.
fn visible(c: char) -> Option<char> {
    match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\t' => Some('\u{a0}'),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// Width of a short text in points.
pub(crate) fn width(text: &str, font: u8, size: f32) -> f32 {
    shape(text, font).iter().map(|glyph| glyph.advance).sum::<f32>() * size / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_our_languages_are_in_every_face() {
        let letters = "ẸẹỌọṢṣḄḅŃńǸǹḾḿƁɓƊɗƘƙƳƴẄẅŴŵŶŷỊịỤụṄṅÀàÉéÎîÔôŒœÇç₦£€–—‘’“”…•≤→☐☑✓✗\u{301}\u{300}\u{304}\u{323}\u{329}";
        for font in [REGULAR, BOLD, ITALIC] {
            for glyph in shape(letters, font) {
                assert_ne!(glyph.id, 0, "{:?} in {}", glyph.c, Font::get(font).name);
            }
        }
        assert_eq!(shape("漢", REGULAR)[0].c, '\u{fffd}');
    }

    #[test]
    fn a_tone_sits_above_the_letter_with_its_dot() {
        let [letter, tone] = shape("ẹ\u{301}", REGULAR)[..] else { panic!("two glyphs") };
        let box_of = |g: Glyph| Font::get(g.font).face.glyph_bounding_box(GlyphId(g.id)).unwrap();
        let middle = |g: Glyph| f32::from(box_of(g).x_min + box_of(g).x_max) / 2.0;
        let over = letter.advance + tone.dx + middle(tone);
        assert!((over - middle(letter)).abs() < 60.0, "{over} over {}", middle(letter));
        assert_eq!(tone.advance, 0.0);
        // One above another, not one on the other.
        let stacked = shape("a\u{304}\u{301}", REGULAR);
        assert!(stacked.last().unwrap().dy > 100.0, "{stacked:?}");
    }
}
