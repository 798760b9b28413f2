//! The DOCX of a document: real headings, lists and tables, so that people can go on writing in it.
use crate::{
    Align, Block, Chart, Document, Error, Image, Run,
    document::MM,
    package::{Package, XML, properties, xml},
    shape::role_name,
};

mod frame;
mod parts;
mod tables;

const DEPTH: usize = 64;
/// Levels of lists that Word knows.
const LEVELS: usize = 9;
/// What an indent and a gutter are wide, in twentieths of a point.
const STEP: usize = 360;

/// The document as DOCX.
pub fn docx(document: &Document) -> Result<Vec<u8>, Error> {
    let (column, _) = document.page.room().ok_or(Error::Margins)?;
    let mut writer = Writer {
        document,
        column,
        body: String::new(),
        relations: vec![],
        pictures: vec![],
        lists: vec![],
        drawn: 0,
    };
    writer.blocks(&document.blocks, 0, 0)?;
    Ok(writer.finish())
}

/// Twentieths of a point, in which Word measures.
fn twips(points: f32) -> i64 {
    (points * 20.0).round() as i64
}

struct Writer<'a> {
    document: &'a Document,
    /// Width of the text in points.
    column: f32,
    body: String,
    /// Addresses of links; `rIdL{n}` in the text.
    relations: Vec<String>,
    pictures: Vec<Image>,
    /// Of each list: its first number, none for bullets; and its level.
    lists: Vec<(Option<u64>, usize)>,
    drawn: usize,
}

/// What stands before a paragraph's runs.
#[derive(Default)]
struct Manner<'a> {
    style: &'a str,
    align: Align,
    /// List and level.
    number: Option<(usize, usize)>,
    indent: usize,
    extra: &'a str,
}

impl Writer<'_> {
    fn blocks(&mut self, blocks: &[Block], nesting: usize, level: usize) -> Result<(), Error> {
        if nesting > DEPTH {
            return Err(Error::TooDeep(DEPTH));
        }
        blocks.iter().try_for_each(|block| self.block(block, None, nesting, level))
    }

    /// `number` is the marker that the block takes when it is the first of an item.
    fn block(
        &mut self,
        block: &Block,
        number: Option<(usize, usize)>,
        nesting: usize,
        level: usize,
    ) -> Result<(), Error> {
        let manner = Manner { number, indent: level.min(LEVELS) * STEP, ..Manner::default() };
        match block {
            Block::Heading { level, runs } => {
                let style = format!("Heading{}", (*level).clamp(1, 6));
                self.paragraph(&Manner { style: &style, ..manner }, runs);
            }
            Block::Paragraph { align, runs } => self.paragraph(&Manner { align: *align, ..manner }, runs),
            Block::List { start, items } => self.list(*start, items, nesting, level)?,
            Block::Table(table) => self.table(table, level)?,
            Block::Pairs(pairs) => self.pairs(pairs, level),
            Block::Rule => self.paragraph(&Manner { style: "Rule", ..manner }, &[]),
            Block::PageBreak => self.body.push_str("<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>"),
            Block::Image { image, width, alt } => {
                let drawing = self.drawing(image, (width * MM).max(1.0).min(self.column), alt);
                self.open(&manner);
                self.body.push_str(&drawing);
                self.body.push_str("</w:p>");
            }
            Block::Sign { role } => self.sign(role, &manner),
            Block::Chart(chart) => self.chart(chart, level)?,
        }
        Ok(())
    }

    fn open(&mut self, manner: &Manner<'_>) {
        self.body.push_str("<w:p><w:pPr>");
        let listed = manner.number.is_some() || manner.indent > 0;
        let style = if manner.style.is_empty() && listed { "Item" } else { manner.style };
        if !style.is_empty() {
            self.body.push_str(&format!("<w:pStyle w:val=\"{style}\"/>"));
        }
        self.body.push_str(if manner.extra.contains("<w:tabs>") { "<w:keepNext/>" } else { "" });
        if let Some((list, level)) = manner.number {
            let (level, list) = (level.min(LEVELS - 1), list + 1);
            self.body.push_str(&format!(
                "<w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{list}\"/></w:numPr>"
            ));
        }
        self.body.push_str(manner.extra);
        if manner.number.is_none() && manner.indent > 0 {
            self.body.push_str(&format!("<w:ind w:left=\"{}\"/>", manner.indent));
        }
        match manner.align {
            Align::Left => {}
            Align::Centre => self.body.push_str("<w:jc w:val=\"center\"/>"),
            Align::Right => self.body.push_str("<w:jc w:val=\"right\"/>"),
        }
        self.body.push_str("</w:pPr>");
    }

    fn paragraph(&mut self, manner: &Manner<'_>, runs: &[Run]) {
        self.open(manner);
        self.runs(runs);
        self.body.push_str("</w:p>");
    }

    fn runs(&mut self, runs: &[Run]) {
        for run in runs {
            if let Some(url) = &run.link {
                self.relations.push(url.clone());
                self.body.push_str(&format!("<w:hyperlink r:id=\"rIdL{}\">", self.relations.len()));
            }
            self.body.push_str(&self::run(run));
            if run.link.is_some() {
                self.body.push_str("</w:hyperlink>");
            }
        }
    }

    fn list(
        &mut self,
        start: Option<u64>,
        items: &[Vec<Block>],
        nesting: usize,
        level: usize,
    ) -> Result<(), Error> {
        if nesting >= DEPTH {
            return Err(Error::TooDeep(DEPTH));
        }
        let list = self.lists.len();
        self.lists.push((start, level.min(LEVELS - 1)));
        for item in items {
            let marker = Some((list, level));
            match item.split_first() {
                Some((
                    first @ (Block::Paragraph { .. } | Block::Heading { .. } | Block::Image { .. }),
                    rest,
                )) => {
                    self.block(first, marker, nesting + 1, level + 1)?;
                    self.blocks(rest, nesting + 1, level + 1)?;
                }
                _ => {
                    self.paragraph(&Manner { number: marker, ..Manner::default() }, &[]);
                    self.blocks(item, nesting + 1, level + 1)?;
                }
            }
        }
        Ok(())
    }

    /// The role, a line to sign on, in the text also one for the date, the words under them.
    fn sign(&mut self, role: &str, manner: &Manner<'_>) {
        let words = self.document.language.words();
        let cell = manner.style == "Cell";
        let stops = if cell {
            "<w:tabs><w:tab w:val=\"left\" w:leader=\"underscore\" w:pos=\"3000\"/></w:tabs><w:spacing w:before=\"480\" w:after=\"0\"/>"
        } else {
            "<w:tabs><w:tab w:val=\"left\" w:leader=\"underscore\" w:pos=\"5000\"/><w:tab w:val=\"left\" \
             w:pos=\"5360\"/><w:tab w:val=\"left\" w:leader=\"underscore\" w:pos=\"7760\"/></w:tabs><w:spacing \
             w:before=\"480\" w:after=\"0\"/>"
        };
        let plain = "<w:tabs><w:tab w:val=\"left\" w:pos=\"5360\"/></w:tabs>";
        let indent = manner.indent;
        self.paragraph(
            &Manner { style: "Signer", indent, ..Manner::default() },
            &[Run::plain(role_name(role))],
        );
        let tabs = if cell { "<w:r><w:tab/></w:r>" } else { "<w:r><w:tab/><w:tab/><w:tab/></w:r>" };
        self.open(&Manner { style: "Cell", indent, extra: stops, ..Manner::default() });
        self.body.push_str(tabs);
        self.body.push_str("</w:p>");
        self.open(&Manner {
            style: "Small",
            indent,
            extra: if cell { "" } else { plain },
            ..Manner::default()
        });
        self.body.push_str(&self::run(&Run::plain(&words.signature)));
        if !cell {
            self.body.push_str(&format!("<w:r><w:tab/></w:r>{}", self::run(&Run::plain(&words.date_word))));
        }
        self.body.push_str("</w:p>");
    }

    /// What the chart draws, as the table that it is drawn from.
    fn chart(&mut self, chart: &Chart, level: usize) -> Result<(), Error> {
        self.paragraph(&Manner { style: "Heading4", ..Manner::default() }, &[Run::plain(&chart.title)]);
        self.table(&chart.table(self.document.language), level)
    }

    fn drawing(&mut self, image: &Image, points: f32, alt: &str) -> String {
        let at = self.pictures.iter().position(|known| known == image).unwrap_or_else(|| {
            self.pictures.push(image.clone());
            self.pictures.len() - 1
        });
        self.drawn += 1;
        parts::drawing(image, points, alt, &format!("rIdI{}", at + 1), self.drawn)
    }

    fn finish(mut self) -> Vec<u8> {
        let document = self.document;
        let first = frame::letterhead(&mut self);
        let mut package = Package::default();
        package.add("[Content_Types].xml", parts::TYPES.as_bytes());
        properties(&mut package, "word/document.xml", &document.title, &document.brand.name);
        package.add("word/document.xml", parts::body(&self.body, document).as_bytes());
        package.add("word/styles.xml", parts::styles(document).as_bytes());
        package.add("word/settings.xml", parts::settings().as_bytes());
        package.add("word/numbering.xml", parts::numbering(&self.lists).as_bytes());
        package.add("word/header1.xml", first.as_bytes());
        package.add("word/header2.xml", frame::running(document, self.column).as_bytes());
        package.add("word/footer1.xml", frame::foot(document, self.column).as_bytes());
        let relations = parts::relations(&self.relations, &self.pictures, true);
        package.add("word/_rels/document.xml.rels", relations.as_bytes());
        package.add("word/_rels/header1.xml.rels", parts::relations(&[], &self.pictures, false).as_bytes());
        for (n, image) in self.pictures.iter().enumerate() {
            package.add(&format!("word/media/image{}.{}", n + 1, image.extension()), &image.bytes);
        }
        package.finish()
    }
}

fn run(run: &Run) -> String {
    let mut manner = String::new();
    if run.link.is_some() {
        manner.push_str("<w:rStyle w:val=\"Link\"/>");
    }
    if run.bold {
        manner.push_str("<w:b/>");
    }
    if run.italic {
        manner.push_str("<w:i/>");
    }
    let text = xml(&run.text).replace('\t', " ");
    let lines: Vec<_> =
        text.split('\n').map(|line| format!("<w:t xml:space=\"preserve\">{line}</w:t>")).collect();
    format!("<w:r><w:rPr>{manner}</w:rPr>{}</w:r>", lines.join("<w:br/>"))
}
