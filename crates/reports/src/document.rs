//! What is printed, before anybody asks on what: a brand, a page, blocks.
use crate::{Chart, Image, Language};

/// One printed thing. The same document gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// For the file's properties and the running header; not printed at the top (that is what headings are for).
    pub title: String,
    pub language: Language,
    pub brand: Brand,
    pub page: Page,
    /// A line of small print at the top of every page.
    pub header: Option<String>,
    /// Small print at the bottom of every page: company number, registered office.
    pub footer: Option<String>,
    /// What tells this print from others, at the bottom of every page: an id, a hash, a version.
    pub id: Option<String>,
    pub blocks: Vec<Block>,
}

/// Who it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Brand {
    pub name: String,
    pub logo: Option<Image>,
    pub address: Vec<String>,
    pub accent: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    pub const BLACK: Self = Self(0, 0, 0);

    /// From `#1f5fa8` or `1f5fa8`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let n = u32::from_str_radix(digits, 16).ok()?;
        Some(Self((n >> 16) as u8, (n >> 8) as u8, n as u8))
    }

    /// `1F5FA8`.
    pub(crate) fn hex(self) -> String {
        format!("{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }

    /// How light it is to the eye: 0 black, 1 white.
    fn lightness(self) -> f32 {
        (0.299 * f32::from(self.0) + 0.587 * f32::from(self.1) + 0.114 * f32::from(self.2)) / 255.0
    }

    /// A brand's yellow cannot be read on white paper: darkened until it can.
    pub(crate) fn legible(self) -> Self {
        let light = self.lightness();
        if light <= 0.45 { self } else { self.mixed(Self::BLACK, 1.0 - 0.45 / light) }
    }

    /// `share` of the other colour in it.
    pub(crate) fn mixed(self, other: Self, share: f32) -> Self {
        let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

impl Default for Colour {
    fn default() -> Self {
        Self(0x1f, 0x4e, 0x79)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    #[default]
    A4,
    Letter,
}

/// Paper and margins in millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    pub paper: Paper,
    pub landscape: bool,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
    pub left: f32,
}

impl Default for Page {
    fn default() -> Self {
        Self { paper: Paper::A4, landscape: false, top: 18.0, right: 20.0, bottom: 18.0, left: 20.0 }
    }
}

/// Points in a millimetre.
pub(crate) const MM: f32 = 72.0 / 25.4;

impl Page {
    /// Width of the text and height between the margins, in points; none when there is no room for either.
    pub(crate) fn room(&self) -> Option<(f32, f32)> {
        let (width, height) = self.size();
        let margins = [self.top, self.right, self.bottom, self.left];
        let column = width - (self.left + self.right) * MM;
        let tall = height - (self.top + self.bottom) * MM;
        let fits =
            margins.iter().all(|side| side.is_finite() && *side >= 0.0) && column >= 100.0 && tall >= 200.0;
        fits.then_some((column, tall))
    }

    /// Width and height in points.
    pub(crate) fn size(&self) -> (f32, f32) {
        let (short, long) = match self.paper {
            Paper::A4 => (595.276, 841.89),
            Paper::Letter => (612.0, 792.0),
        };
        if self.landscape { (long, short) } else { (short, long) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Level 1 is the title of the whole, 6 the smallest.
    Heading {
        level: u8,
        runs: Vec<Run>,
    },
    Paragraph {
        align: Align,
        runs: Vec<Run>,
    },
    /// Numbered from `start`, else with bullets.
    List {
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Table(Table),
    Rule,
    PageBreak,
    /// Width in millimetres, never wider than the text; `alt` says what it shows to those who cannot see it.
    Image {
        image: Image,
        width: f32,
        alt: String,
    },
    /// A label and what it says, in two columns.
    Pairs(Vec<(String, Vec<Run>)>),
    /// Where a person in that role signs: `[[sign:role]]`.
    Sign {
        role: String,
    },
    Chart(Chart),
}

/// Text in one style. A line feed in it is a line break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    pub text: String,
    pub bold: bool,
    pub italic: bool,
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    #[default]
    Left,
    Centre,
    Right,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// One a column; columns without one stand left.
    pub align: Vec<Align>,
    /// Repeated on every page; may be empty.
    pub header: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Text(Vec<Run>),
    Sign(String),
}

impl Run {
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
    pub fn bold(text: impl Into<String>) -> Self {
        Self { text: text.into(), bold: true, ..Self::default() }
    }
    pub fn italic(text: impl Into<String>) -> Self {
        Self { text: text.into(), italic: true, ..Self::default() }
    }
    pub fn link(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self { text: text.into(), link: Some(url.into()), ..Self::default() }
    }
}

impl From<&str> for Run {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Run {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

impl<T: Into<Run>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(vec![text.into()])
    }
}

impl Block {
    pub fn heading(level: u8, text: impl Into<Run>) -> Self {
        Self::Heading { level, runs: vec![text.into()] }
    }
    pub fn paragraph(text: impl Into<Run>) -> Self {
        Self::Paragraph { align: Align::Left, runs: vec![text.into()] }
    }
    /// A list with bullets, one line an item.
    pub fn bullets<T: Into<Run>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List { start: None, items: items.into_iter().map(|item| vec![Self::paragraph(item)]).collect() }
    }
    pub fn pairs<L: Into<String>, T: Into<Run>>(pairs: impl IntoIterator<Item = (L, T)>) -> Self {
        Self::Pairs(pairs.into_iter().map(|(label, text)| (label.into(), vec![text.into()])).collect())
    }
}

impl Table {
    pub fn new<T: Into<Cell>>(header: impl IntoIterator<Item = T>) -> Self {
        Self { align: vec![], header: header.into_iter().map(Into::into).collect(), rows: vec![] }
    }
    pub fn aligned(mut self, align: impl IntoIterator<Item = Align>) -> Self {
        self.align = align.into_iter().collect();
        self
    }
    pub fn row<T: Into<Cell>>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        self.push(cells);
        self
    }
    pub fn push<T: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
    pub(crate) fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).chain([self.header.len(), self.align.len()]).max().unwrap_or(0)
    }
    pub(crate) fn align(&self, column: usize) -> Align {
        self.align.get(column).copied().unwrap_or_default()
    }
}
