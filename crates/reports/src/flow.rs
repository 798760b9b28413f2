//! Blocks laid out as a column of slabs, as wide as the text; `pages` stacks them.
use crate::{
    Align, Block, Brand, Colour, Error, Image, Language, Run,
    font::{REGULAR, width},
    shape::{
        BODY, Element, GREY, HAIR, INK, ORNAMENT, Role, Set, Shape, Slab, line_shapes, sign_shapes, words,
    },
    text::Text,
};

const DEPTH: usize = 64;

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
