//! The PDF of a document: faces with only the glyphs in use, compressed streams, tags for screen readers.
use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{
    Content, Finish, Name, Pdf, Rect, Ref, Settings, Str, TextStr, types::ActionType, types::AnnotationType,
};

use crate::{
    Colour, Document, Error, Image,
    pages::{Book, Placed, book},
    shape::Shape,
};

mod faces;
mod pictures;
mod tags;

use faces::Faces;
use tags::Tags;

/// The document as PDF 1.7.
pub fn pdf(document: &Document) -> Result<Vec<u8>, Error> {
    let book = book(document)?;
    let mut writer = Writer::new(&book, Numbers(0), true);
    writer.pages(&book);
    writer.finish(document, &book)
}

/// How many pages it has.
pub fn page_count(document: &Document) -> Result<usize, Error> {
    Ok(book(document)?.pages.len())
}

/// The document's pages as a branch of another file's: objects from `first` on, below its root of pages. The branch's number
/// and how many pages it has. Without a tree for screen readers, since a file has one.
pub(crate) fn behind(document: &Document, first: i32, root: Ref) -> Result<(Vec<u8>, Ref, usize), Error> {
    let book = book(document)?;
    let mut writer = Writer::new(&book, Numbers(first - 1), false);
    writer.pages(&book);
    let (branch, count) = (writer.tree, writer.pages.len());
    writer.branch(Some((root, book.size)))?;
    Ok((writer.pdf.finish(), branch, count))
}

/// Hands out object numbers.
pub(super) struct Numbers(i32);

impl Numbers {
    pub(super) fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

struct Writer {
    pdf: Pdf,
    numbers: Numbers,
    root: Ref,
    tree: Ref,
    pages: Vec<Ref>,
    faces: Faces,
    images: Vec<(Image, Ref)>,
    tags: Tags,
}

impl Writer {
    fn new(book: &Book, mut numbers: Numbers, tagged: bool) -> Self {
        let (root, tree) = (numbers.next(), numbers.next());
        let mut pdf = Pdf::with_settings(Settings { pretty: false });
        pdf.set_version(1, 7);
        let pages: Vec<_> = book.pages.iter().map(|_| numbers.next()).collect();
        let tags = Tags::new(if tagged { &book.elements } else { &[] }, &mut numbers, pages.clone());
        Self { pdf, numbers, root, tree, pages, faces: Faces::new(), images: vec![], tags }
    }

    fn pages(&mut self, book: &Book) {
        for (n, page) in book.pages.iter().enumerate() {
            self.page(n, page, book.size);
        }
    }

    fn page(&mut self, n: usize, placed: &[Placed], (width, height): (f32, f32)) {
        let mut content = Content::with_settings(Settings { pretty: false });
        let mut links = vec![];
        let mut open: Option<Option<usize>> = None;
        for Placed { x, y, slab } in placed {
            for (element, shape) in &slab.shapes {
                if let Shape::Link { x: left, y: top, width, height: tall, url } = shape {
                    let (left, top) = (x + left, height - y - top);
                    links.push((Rect::new(left, top - tall, left + width, top), url.clone()));
                    continue;
                }
                if open != Some(*element) {
                    if open.is_some() {
                        content.end_marked_content();
                    }
                    self.tags.begin(&mut content, *element, n);
                    open = Some(*element);
                }
                self.draw(&mut content, shape, *x, height - y);
            }
        }
        if open.is_some() {
            content.end_marked_content();
        }
        let stream = squeeze(&content.finish());
        let body = self.numbers.next();
        self.pdf.stream(body, &stream).filter(pdf_writer::Filter::FlateDecode);
        let links: Vec<_> = links.into_iter().map(|(rect, url)| self.link(rect, &url)).collect();
        let mut page = self.pdf.page(self.pages[n]);
        page.parent(self.tree).media_box(Rect::new(0.0, 0.0, width, height)).contents(body);
        if self.tags.exist() {
            page.struct_parents(n as i32).tab_order(pdf_writer::types::TabOrder::StructureOrder);
        }
        if !links.is_empty() {
            page.annotations(links);
        }
    }

    fn link(&mut self, rect: Rect, url: &str) -> Ref {
        let number = self.numbers.next();
        let mut link = self.pdf.annotation(number);
        link.subtype(AnnotationType::Link).rect(rect).border(0.0, 0.0, 0.0, None).contents(TextStr(url));
        link.action().action_type(ActionType::Uri).uri(Str(url.as_bytes()));
        number
    }

    /// `x` is the slab's left edge and `y` its top, counted up as PDF does.
    fn draw(&mut self, content: &mut Content, shape: &Shape, x: f32, y: f32) {
        match shape {
            Shape::Text { x: left, y: down, size, colour, font, slant, glyphs } => {
                fill(content, *colour);
                let lean = if *slant { 0.21 } else { 0.0 };
                content.begin_text();
                content.set_text_matrix([1.0, 0.0, lean, 1.0, x + left, y - down]);
                self.faces.show(content, *font, *size, glyphs);
                content.end_text();
            }
            Shape::Box { x: left, y: top, width, height, colour } => {
                fill(content, *colour);
                content.rect(x + left, y - top - height, *width, *height).fill_nonzero();
            }
            Shape::Path { points, width, colour } => {
                let Colour(r, g, b) = *colour;
                content.set_stroke_rgb(unit(r), unit(g), unit(b)).set_line_width(*width);
                for (n, (left, down)) in points.iter().enumerate() {
                    let (x, y) = (x + left, y - down);
                    if n == 0 {
                        content.move_to(x, y)
                    } else {
                        content.line_to(x, y)
                    };
                }
                content.stroke();
            }
            Shape::Image { x: left, y: top, width, height, image } => {
                let name = self.image(image);
                content.save_state();
                content.transform([*width, 0.0, 0.0, *height, x + left, y - top - height]);
                content.x_object(Name(name.as_bytes()));
                content.restore_state();
            }
            Shape::Link { .. } => {}
        }
    }

    fn image(&mut self, image: &Image) -> String {
        let at = self.images.iter().position(|(known, _)| known == image).unwrap_or_else(|| {
            self.images.push((image.clone(), self.numbers.next()));
            self.images.len() - 1
        });
        format!("I{at}")
    }

    /// The faces, the pictures and the root of the pages, or their branch below another root.
    fn branch(&mut self, below: Option<(Ref, (f32, f32))>) -> Result<(), Error> {
        let fonts = std::mem::replace(&mut self.faces, Faces::new()).write(&mut self.pdf, &mut self.numbers);
        for (image, number) in &self.images {
            pictures::write(&mut self.pdf, &mut self.numbers, image, *number)?;
        }
        let mut tree = self.pdf.pages(self.tree);
        tree.kids(self.pages.iter().copied()).count(self.pages.len() as i32);
        if let Some((root, (width, height))) = below {
            // What another root says of all its pages does not hold for these.
            tree.parent(root).pair(Name(b"Rotate"), 0);
            tree.pair(Name(b"CropBox"), Rect::new(0.0, 0.0, width, height));
        }
        let mut resources = tree.resources();
        let mut dictionary = resources.fonts();
        for (name, number) in &fonts {
            dictionary.pair(Name(name.as_bytes()), *number);
        }
        dictionary.finish();
        let mut dictionary = resources.x_objects();
        for (n, (_, number)) in self.images.iter().enumerate() {
            dictionary.pair(Name(format!("I{n}").as_bytes()), *number);
        }
        dictionary.finish();
        resources.finish();
        tree.finish();
        Ok(())
    }

    fn finish(mut self, document: &Document, book: &Book) -> Result<Vec<u8>, Error> {
        self.branch(None)?;
        let tagged = self.tags.write(&mut self.pdf, &mut self.numbers, &book.elements);
        let info = self.numbers.next();
        let mut info = self.pdf.document_info(info);
        info.title(TextStr(&document.title))
            .author(TextStr(&document.brand.name))
            .producer(TextStr("Lumina"));
        info.finish();
        let mut catalog = self.pdf.catalog(self.root);
        catalog.pages(self.tree).lang(TextStr(document.language.tag()));
        catalog.viewer_preferences().display_doc_title(true);
        if let Some(tagged) = tagged {
            catalog.mark_info().marked(true);
            catalog.pair(Name(b"StructTreeRoot"), tagged);
        }
        catalog.finish();
        Ok(self.pdf.finish())
    }
}

fn unit(channel: u8) -> f32 {
    f32::from(channel) / 255.0
}

fn fill(content: &mut Content, Colour(r, g, b): Colour) {
    content.set_fill_rgb(unit(r), unit(g), unit(b));
}

/// Compressed as PDF's FlateDecode reads it.
pub(super) fn squeeze(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(6));
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
