//! Slabs stacked into pages, with the letterhead on the first, a running head on the others and a foot on all.
use crate::{
    Document, Error,
    document::MM,
    flow::Flow,
    font::{BOLD, REGULAR, width},
    shape::{Element, GREY, HAIR, INK, ORNAMENT, Shape, Slab, words},
    text::Text,
};

const PAGES: usize = 2_000;
/// Room for the running head and for the foot.
const HEAD: f32 = 24.0;
const FOOT: f32 = 30.0;
/// The most of one line of small print, in characters, and of the lines beside the name.
const LINE: usize = 400;
const LINES: usize = 8;

/// A slab and where its top is on the page, counted down.
pub(crate) struct Placed {
    pub x: f32,
    pub y: f32,
    pub slab: Slab,
}

pub(crate) struct Book {
    pub size: (f32, f32),
    pub pages: Vec<Vec<Placed>>,
    pub elements: Vec<Element>,
}

pub(crate) fn book(document: &Document) -> Result<Book, Error> {
    let page = &document.page;
    let size = page.size();
    let (column, tall) = page.room().ok_or(Error::Margins)?;
    let (left, top, bottom) = (page.left * MM, page.top * MM, page.top * MM + tall);
    let room = tall - HEAD - FOOT;
    let mut flow = Flow::new(document.language, &document.brand, column, room);
    flow.blocks(&document.blocks)?;

    let letterhead = letterhead(document, &flow, column);
    let running = running(document, column);
    let mut stack = Stack { pages: vec![vec![]], y: 0.0, top: 0.0, bottom: bottom - FOOT, left };
    stack.top = top + letterhead.as_ref().map_or(0.0, |slab| slab.height.min(room / 2.0));
    stack.y = stack.top;
    let later = top + if running.shapes.is_empty() { 0.0 } else { HEAD };
    stack.fill(flow.slabs, later)?;

    let mut pages = stack.pages;
    let total = pages.len();
    for (n, page) in pages.iter_mut().enumerate() {
        let head = if n == 0 { letterhead.clone() } else { Some(running.clone()) };
        page.extend(head.map(|slab| Placed { x: left, y: top, slab }));
        let slab = foot(document, n + 1, total, column);
        page.push(Placed { x: left, y: bottom - FOOT, slab });
    }
    Ok(Book { size, pages, elements: flow.elements })
}

struct Stack {
    pages: Vec<Vec<Placed>>,
    y: f32,
    top: f32,
    bottom: f32,
    left: f32,
}

impl Stack {
    fn fill(&mut self, slabs: Vec<Slab>, later: f32) -> Result<(), Error> {
        // The height of each slab with those that it must stay with, from the end.
        let mut chains = vec![0.0; slabs.len()];
        for n in (0..slabs.len()).rev() {
            let next = slabs.get(n + 1).filter(|next| slabs[n].keep && !next.breaks);
            chains[n] = slabs[n].height + next.map_or(0.0, |next| next.before + chains[n + 1]);
        }
        let page = self.bottom - later;
        let mut kept = false;
        for (slab, chain) in slabs.into_iter().zip(chains) {
            let fresh = self.y <= self.top;
            if slab.breaks {
                if !fresh {
                    self.turn(later)?;
                }
                continue;
            }
            let before = if fresh { 0.0 } else { slab.before };
            // A chain is judged where it begins; one that no page can hold is broken anywhere.
            let wanted = if kept && chain <= page { slab.height } else { chain.min(page) };
            let wanted = if chain > page { slab.height } else { wanted };
            kept = slab.keep;
            if self.y + before + wanted > self.bottom + 0.01 && !fresh {
                self.turn(later)?;
                self.again(&slab);
            } else {
                self.y += before;
            }
            self.place(slab);
        }
        Ok(())
    }

    fn turn(&mut self, later: f32) -> Result<(), Error> {
        if self.pages.len() == PAGES {
            return Err(Error::TooLong(PAGES));
        }
        self.pages.push(vec![]);
        (self.y, self.top) = (later, later);
        Ok(())
    }

    fn again(&mut self, slab: &Slab) {
        if let Some(head) = &slab.head {
            for slab in head.iter() {
                self.place(slab.clone());
            }
        }
    }

    fn place(&mut self, slab: Slab) {
        let (x, y) = (self.left, self.y);
        self.y += slab.height;
        if let Some(page) = self.pages.last_mut() {
            page.push(Placed { x, y, slab });
        }
    }
}

/// Logo, name and address over a line in the brand's colour; `None` when there is nothing of it.
fn letterhead(document: &Document, flow: &Flow, column: f32) -> Option<Slab> {
    let brand = &document.brand;
    let small = brand.address.iter().chain(&document.header).filter(|line| !line.is_empty());
    let small: Vec<_> = small.take(LINES).map(|line| begin(line, 120)).collect();
    if brand.logo.is_none() && brand.name.is_empty() && small.is_empty() {
        return None;
    }
    let mut slab = Slab::default();
    let (mut left, mut height) = (0.0, 20.0_f32);
    if let Some(logo) = &brand.logo {
        let ratio = logo.width as f32 / logo.height as f32;
        let tall = (46.0_f32).min(column * 0.4 / ratio);
        left = tall * ratio + 10.0;
        height = height.max(tall);
        let shape = Shape::Image { x: 0.0, y: 0.0, width: tall * ratio, height: tall, image: logo.clone() };
        slab.shapes.push((ORNAMENT, shape));
    }
    let widest = small.iter().map(|line| width(line, REGULAR, 8.0)).fold(0.0, f32::max).min(column * 0.4);
    let mut y = 0.0;
    for line in small {
        for line in Text::new(&[line.into()], 8.0, false).lines(widest + 1.0) {
            y += 10.6;
            let x = column - line.width;
            slab.shapes.extend(shapes(&line, x, y - 2.4, 8.0, GREY));
        }
    }
    height = height.max(y);
    let name = [begin(&brand.name, 160).into()];
    let lines = Text::new(&name, 14.0, true).lines((column - left - widest - 16.0).max(80.0));
    let block = lines.len() as f32 * 18.0;
    height = height.max(block);
    for (n, line) in lines.iter().enumerate() {
        let y = (height - block) / 2.0 + n as f32 * 18.0 + 14.0;
        slab.shapes.extend(shapes(line, left, y, 14.0, flow.accent));
    }
    let points = vec![(0.0, height + 8.0), (column, height + 8.0)];
    slab.shapes.push((ORNAMENT, Shape::Path { points, width: 1.4, colour: flow.accent }));
    slab.height = height + 24.0;
    Some(slab)
}

fn shapes(
    line: &crate::text::Line,
    x: f32,
    y: f32,
    size: f32,
    colour: crate::Colour,
) -> impl Iterator<Item = (Option<usize>, Shape)> {
    line.pieces.iter().map(move |piece| {
        let (font, slant, glyphs) = (piece.font, piece.slant, piece.glyphs.clone());
        (ORNAMENT, Shape::Text { x: x + piece.x, y, size, colour, font, slant, glyphs })
    })
}

/// Name at the left, header or title at the right, a hair line under both.
fn running(document: &Document, column: f32) -> Slab {
    let mut slab = Slab::default();
    let right = document.header.as_deref().filter(|text| !text.is_empty()).unwrap_or(&document.title);
    if document.brand.name.is_empty() && right.is_empty() {
        return slab;
    }
    let name = fitting(&document.brand.name, BOLD, 8.0, column * 0.48);
    let right = fitting(right, REGULAR, 8.0, column * 0.48);
    slab.shapes.push((ORNAMENT, words(&name, 0.0, 8.0, 8.0, BOLD, INK)));
    let x = column - width(&right, REGULAR, 8.0);
    slab.shapes.push((ORNAMENT, words(&right, x, 8.0, 8.0, REGULAR, GREY)));
    let points = vec![(0.0, 13.0), (column, 13.0)];
    slab.shapes.push((ORNAMENT, Shape::Path { points, width: 0.5, colour: HAIR }));
    slab
}

/// A line, then the footer's text, under it the id at the left and the page at the right.
fn foot(document: &Document, n: usize, of: usize, column: f32) -> Slab {
    let mut slab = Slab::default();
    let points = vec![(0.0, 8.0), (column, 8.0)];
    slab.shapes.push((ORNAMENT, Shape::Path { points, width: 0.5, colour: HAIR }));
    let page = document.language.page(n, of);
    let room = column - width(&page, REGULAR, 7.5) - 14.0;
    let x = column - width(&page, REGULAR, 7.5);
    slab.shapes.push((ORNAMENT, words(&page, x, 18.0, 7.5, REGULAR, GREY)));
    let small = document.footer.iter().chain(&document.id).filter(|text| !text.is_empty());
    for (n, text) in small.enumerate() {
        let text = fitting(text, REGULAR, 7.5, room);
        slab.shapes.push((ORNAMENT, words(&text, 0.0, 18.0 + n as f32 * 10.0, 7.5, REGULAR, GREY)));
    }
    slab
}

/// As much of a text as fits on one line, with … for the rest.
fn fitting(text: &str, font: u8, size: f32, room: f32) -> String {
    let text = begin(text, LINE);
    if width(&text, font, size) <= room {
        return text;
    }
    let kept: Vec<char> = text.chars().collect();
    let fits = |count: &usize| width(&kept[..*count].iter().collect::<String>(), font, size) <= room - size;
    let counts: Vec<usize> = (1..=kept.len()).collect();
    let count = counts.partition_point(fits);
    kept[..count].iter().chain(&['…']).collect()
}

/// The furniture of a page has bounds, whatever somebody typed as their name.
fn begin(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
