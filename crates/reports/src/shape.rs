//! What stands on a page: shapes, gathered in slabs that no page break cuts.
use std::rc::Rc;

use crate::{
    Align, Colour, Image, Language, Run,
    font::{BOLD, Glyph, REGULAR},
    text::Line,
};

pub(crate) const INK: Colour = Colour(0x1c, 0x1c, 0x1c);
pub(crate) const GREY: Colour = Colour(0x5f, 0x63, 0x68);
pub(crate) const HAIR: Colour = Colour(0xc4, 0xc7, 0xcb);
pub(crate) const BODY: f32 = 10.0;

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Glyphs from `x` on the baseline `y`.
    Text {
        x: f32,
        y: f32,
        size: f32,
        colour: Colour,
        font: u8,
        slant: bool,
        glyphs: Vec<Glyph>,
    },
    Box {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        colour: Colour,
    },
    /// A line through these points.
    Path {
        points: Vec<(f32, f32)>,
        width: f32,
        colour: Colour,
    },
    Image {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        image: Image,
    },
    /// A place to click.
    Link {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        url: Rc<str>,
    },
}

/// What a part of the page is, to a screen reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Heading(u8),
    Paragraph,
    List,
    Item,
    Label,
    Body,
    Table,
    Row,
    Head,
    Data,
    Figure,
}

#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub role: Role,
    /// `None` is the document itself.
    pub parent: Option<usize>,
    pub alt: Option<String>,
}

/// Decoration, of which a screen reader says nothing.
pub(crate) const ORNAMENT: Option<usize> = None;

/// `y` counts down from the slab's top.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slab {
    /// Left out at the top of a page.
    pub before: f32,
    pub height: f32,
    /// Not the last on its page.
    pub keep: bool,
    /// A new page begins here.
    pub breaks: bool,
    /// Stands again at the top of a page that begins with this slab.
    pub head: Option<Rc<Vec<Slab>>>,
    pub shapes: Vec<(Option<usize>, Shape)>,
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(crate) struct Set {
    pub size: f32,
    pub bold: bool,
    pub colour: Colour,
    pub align: Align,
}

impl Set {
    pub const BODY: Self = Self { size: BODY, bold: false, colour: INK, align: Align::Left };

    pub fn leading(self) -> f32 {
        self.size * 1.38
    }
}

/// The role above, a line to sign on, the word under it; 52 points high.
pub(crate) fn sign_shapes(
    slab: &mut Slab,
    element: Option<usize>,
    language: Language,
    role: &str,
    (x, y, wide): (f32, f32, f32),
) {
    let line = Shape::Path { points: vec![(x, y + 38.0), (x + wide, y + 38.0)], width: 0.7, colour: INK };
    slab.shapes.push((element, words(&role_name(role), x, y + 9.0, 9.0, BOLD, INK)));
    slab.shapes.push((ORNAMENT, line));
    slab.shapes.push((element, words(&language.words().signature, x, y + 48.0, 7.5, REGULAR, GREY)));
}

/// `care_manager` → `Care manager`, `hr_manager` → `HR manager`.
pub(crate) fn role_name(role: &str) -> String {
    let mut words = role.split(['_', '-']).filter(|word| !word.is_empty());
    let mut letters = words.next().unwrap_or_default().chars();
    let first = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    let short = |word: String| {
        let upper = word.to_uppercase();
        if ["CEO", "EAP", "EQA", "GP", "HR", "IQA", "IT"].contains(&upper.as_str()) { upper } else { word }
    };
    std::iter::once(first).chain(words.map(str::to_owned)).map(short).collect::<Vec<_>>().join(" ")
}

/// A short text on one line.
pub(crate) fn words(text: &str, x: f32, y: f32, size: f32, font: u8, colour: Colour) -> Shape {
    Shape::Text { x, y, size, colour, font, slant: false, glyphs: crate::font::shape(text, font) }
}

/// A line of a paragraph in a column that begins at `x` and is `wide`.
pub(crate) fn line_shapes(
    slab: &mut Slab,
    element: Option<usize>,
    line: &Line,
    runs: &[Run],
    set: Set,
    (x, y, wide): (f32, f32, f32),
    accent: Colour,
) {
    let left = match set.align {
        Align::Left => x,
        Align::Centre => x + ((wide - line.width) / 2.0).max(0.0),
        Align::Right => x + (wide - line.width).max(0.0),
    };
    for piece in &line.pieces {
        let link = runs[piece.run].link.as_deref();
        let (x, colour) = (left + piece.x, if link.is_some() { accent } else { set.colour });
        slab.shapes.push((
            element,
            Shape::Text {
                x,
                y,
                size: set.size,
                colour,
                font: piece.font,
                slant: piece.slant,
                glyphs: piece.glyphs.clone(),
            },
        ));
        if let Some(url) = link {
            let below = y + set.size * 0.14;
            let points = vec![(x, below), (x + piece.width, below)];
            slab.shapes.push((ORNAMENT, Shape::Path { points, width: 0.5, colour }));
            let (top, height) = (y - set.size, set.size * 1.3);
            slab.shapes
                .push((element, Shape::Link { x, y: top, width: piece.width, height, url: url.into() }));
        }
    }
}
