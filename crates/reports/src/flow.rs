//! Blocks laid out as a column of slabs: strips as wide as the text that no page break cuts. `pages` stacks them.
use std::rc::Rc;

use crate::{
    Align, Block, Brand, Colour, Error, Image, Language, Run,
    font::{BOLD, Glyph, REGULAR, width},
    text::{Line, Text},
};

pub(crate) const INK: Colour = Colour(0x1c, 0x1c, 0x1c);
pub(crate) const GREY: Colour = Colour(0x5f, 0x63, 0x68);
pub(crate) const HAIR: Colour = Colour(0xc4, 0xc7, 0xcb);
pub(crate) const BODY: f32 = 10.0;
const DEPTH: usize = 64;

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

/// Where the next block goes, and all that has been laid out.
pub(crate) struct Flow {
    pub language: Language,
    pub accent: Colour,
    pub x: f32,
    pub width: f32,
    /// The most that one slab may have: a page without its furniture.
    pub tallest: f32,
    pub slabs: Vec<Slab>,
    pub elements: Vec<Element>,
    pub parent: Option<usize>,
    pub depth: usize,
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

impl Flow {
    pub fn new(language: Language, brand: &Brand, width: f32, tallest: f32) -> Self {
        let accent = brand.accent.legible();
        let (slabs, elements) = (vec![], vec![]);
        Self { language, accent, x: 0.0, width, tallest, slabs, elements, parent: None, depth: 0 }
    }

    pub fn element(&mut self, role: Role) -> usize {
        self.elements.push(Element { role, parent: self.parent, alt: None });
        self.elements.len() - 1
    }

    /// Does something inside of a new element.
    pub fn within<T>(&mut self, role: Role, inner: impl FnOnce(&mut Self) -> T) -> T {
        let element = self.element(role);
        let outer = self.parent.replace(element);
        let done = inner(self);
        self.parent = outer;
        done
    }

    pub fn blocks(&mut self, blocks: &[Block]) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Error::TooDeep(DEPTH));
        }
        for block in blocks {
            self.block(block)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), Error> {
        match block {
            Block::Heading { level, runs } => self.heading(*level, runs),
            Block::Paragraph { align, runs } => {
                let element = self.element(Role::Paragraph);
                self.paragraph(element, runs, Set { align: *align, ..Set::BODY }, 5.0);
            }
            Block::List { start, items } => self.list(*start, items)?,
            Block::Table(table) => self.table(table)?,
            Block::Pairs(pairs) => self.pairs(pairs)?,
            Block::Rule => self.rule(),
            Block::PageBreak => self.slabs.push(Slab { breaks: true, ..Slab::default() }),
            Block::Image { image, width, alt } => self.image(image, *width, alt),
            Block::Sign { role } => self.sign(role),
            Block::Chart(chart) => self.chart(chart),
        }
        Ok(())
    }

    fn heading(&mut self, level: u8, runs: &[Run]) {
        let (size, before) = match level {
            0 | 1 => (19.0, 16.0),
            2 => (14.0, 14.0),
            3 => (11.5, 11.0),
            _ => (10.0, 9.0),
        };
        let colour = if level <= 2 { self.accent } else { INK };
        let element = self.element(Role::Heading(level.clamp(1, 6)));
        let from = self.slabs.len();
        let set = Set { size, bold: true, colour, align: Align::Left };
        self.paragraph(element, runs, set, before);
        for slab in &mut self.slabs[from..] {
            slab.keep = true;
        }
    }

    /// One slab a line. The first two and the last two lines stay together.
    pub fn paragraph(&mut self, element: usize, runs: &[Run], set: Set, before: f32) {
        let lines = Text::new(runs, set.size, set.bold).lines(self.width);
        let count = lines.len();
        for (n, line) in lines.iter().enumerate() {
            let mut slab = Slab { height: set.leading(), ..Slab::default() };
            slab.before = if n == 0 { before } else { 0.0 };
            slab.keep = n + 1 < count && (n == 0 || n + 2 == count);
            let baseline = set.size * 1.05;
            line_shapes(
                &mut slab,
                Some(element),
                line,
                runs,
                set,
                (self.x, baseline, self.width),
                self.accent,
            );
            self.slabs.push(slab);
        }
    }

    fn list(&mut self, start: Option<u64>, items: &[Vec<Block>]) -> Result<(), Error> {
        let marker = |n: usize| match start {
            Some(start) => format!("{}.", start.saturating_add(n as u64)),
            None => if self.depth % 2 == 1 { "•" } else { "–" }.to_owned(),
        };
        let widest = width(&marker(items.len().saturating_sub(1)), REGULAR, BODY).max(8.0);
        // Very deep lists end where no room is left for words.
        let gutter = (widest + 6.0).min((self.width - 60.0).max(0.0));
        let markers: Vec<_> = (0..items.len()).map(marker).collect();
        let (x, column) = (self.x, self.width);
        self.within(Role::List, |flow| {
            for (item, marker) in items.iter().zip(markers) {
                let from = flow.slabs.len();
                (flow.x, flow.width) = (x + gutter, column - gutter);
                flow.within(Role::Item, |flow| {
                    let label = flow.element(Role::Label);
                    flow.within(Role::Body, |flow| flow.blocks(item))?;
                    if flow.slabs.len() == from {
                        flow.slabs.push(Slab { height: Set::BODY.leading(), ..Slab::default() });
                    }
                    let at = x + gutter - 6.0 - width(&marker, REGULAR, BODY);
                    let shape = words(&marker, at.max(x), BODY * 1.05, BODY, REGULAR, INK);
                    flow.slabs[from].shapes.insert(0, (Some(label), shape));
                    flow.slabs[from].before = flow.slabs[from].before.min(3.0);
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        (self.x, self.width) = (x, column);
        Ok(())
    }

    fn rule(&mut self) {
        let points = vec![(self.x, 0.5), (self.x + self.width, 0.5)];
        let shape = Shape::Path { points, width: 0.6, colour: HAIR };
        self.slabs.push(Slab {
            before: 9.0,
            height: 5.0,
            shapes: vec![(ORNAMENT, shape)],
            ..Slab::default()
        });
    }

    fn image(&mut self, image: &Image, millimetres: f32, alt: &str) {
        let wanted = (millimetres.max(1.0) * crate::document::MM).min(self.width);
        let ratio = image.height as f32 / image.width as f32;
        let height = (wanted * ratio).min(self.tallest * 0.9);
        let element = self.element(Role::Figure);
        self.elements[element].alt = Some(alt.to_owned());
        let shape = Shape::Image { x: self.x, y: 0.0, width: height / ratio, height, image: image.clone() };
        self.slabs.push(Slab {
            before: 8.0,
            height: height + 2.0,
            shapes: vec![(Some(element), shape)],
            ..Slab::default()
        });
    }

    fn sign(&mut self, role: &str) {
        let element = self.element(Role::Paragraph);
        let wide = (self.width * 0.6).min(250.0);
        let mut slab = Slab { before: 10.0, height: 52.0, ..Slab::default() };
        sign_shapes(&mut slab, Some(element), self.language, role, (self.x, 0.0, wide));
        let (x, end) = (self.x + wide + 18.0, (self.x + self.width).min(self.x + wide + 138.0));
        slab.shapes
            .push((ORNAMENT, Shape::Path { points: vec![(x, 38.0), (end, 38.0)], width: 0.7, colour: INK }));
        let date = words(&self.language.words().date_word, x, 48.0, 7.5, REGULAR, GREY);
        slab.shapes.push((Some(element), date));
        self.slabs.push(slab);
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
