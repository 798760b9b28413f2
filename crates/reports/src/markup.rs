//! The subset of CommonMark that templates are written in: headings, paragraphs, lists, tables, bold, italic, links,
//! rules, `[[page]]` for a page break and `[[sign:role]]` for a place to sign. HTML, code, quotes and pictures are
//! refused with the line they are on. Data goes in through [`escape`] and comes out as it was, never as markup.
use std::ops::Range;

use pulldown_cmark::{Alignment, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::{Align, Block, Cell, Run, Table};

mod marks;

pub use marks::escape;
use marks::{CLOSE, EDGE, FEED, LOW, OPEN, known, mark};

const FAULTS: usize = 50;
const LENGTH: usize = 4 << 20;
const DEPTH: usize = 8;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    pub code: &'static str,
    pub detail: String,
}

impl Fault {
    /// As a fault of a request's field.
    pub fn at(&self, pointer: impl Into<String>) -> kernel::Fault {
        kernel::Fault::new(pointer, self.code, format!("line {}: {}", self.line, self.detail))
    }
}

/// The blocks of a text, or everything that is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Block>, Vec<Fault>> {
    if text.len() > LENGTH {
        return Err(vec![Fault {
            line: 1,
            code: "text-too-long",
            detail: "at most 4 MB are allowed".into(),
        }]);
    }
    let mut faults = vec![];
    let marked = mark(text, &mut faults);
    let mut reader = Reader::new(&marked, faults);
    for (event, range) in Parser::new_ext(&marked, Options::ENABLE_TABLES).into_offset_iter() {
        reader.read(event, range);
    }
    reader.finish()
}

/// What is open around the place where the reader is.
enum Frame {
    /// The whole, or an item.
    Blocks(Vec<Block>),
    List(Option<u64>, Vec<Vec<Block>>),
    Table(Table, Vec<Cell>),
}

struct Reader {
    frames: Vec<Frame>,
    runs: Vec<Run>,
    bold: usize,
    italic: usize,
    link: Option<String>,
    /// Byte at which each line begins.
    lines: Vec<usize>,
    faults: Vec<Fault>,
    /// Inside of something refused, whose content is not looked at.
    skipping: usize,
}

impl Reader {
    fn new(text: &str, faults: Vec<Fault>) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            frames: vec![Frame::Blocks(vec![])],
            runs: vec![],
            bold: 0,
            italic: 0,
            link: None,
            lines,
            faults,
            skipping: 0,
        }
    }

    fn refuse(&mut self, at: &Range<usize>, code: &'static str, detail: &str) {
        let line = self.lines.partition_point(|begin| *begin <= at.start);
        if self.faults.len() < FAULTS {
            self.faults.push(Fault { line, code, detail: detail.into() });
        }
    }

    fn read(&mut self, event: Event<'_>, at: Range<usize>) {
        if self.skipping > 0 {
            match event {
                Event::Start(_) => self.skipping += 1,
                Event::End(_) => self.skipping -= 1,
                _ => {}
            }
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag, &at),
            Event::End(tag) => self.end(tag, &at),
            Event::Text(text) => self.text(&text),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.flush(&at);
                self.push(Block::Rule);
            }
            Event::Code(_) => {
                self.refuse(&at, "code", "code in backticks is not printed; write \\` for the sign itself")
            }
            Event::Html(_) | Event::InlineHtml(_) => self.html(&at),
            _ => self.refuse(&at, "not-in-subset", "this is not part of what templates may have"),
        }
    }

    fn html(&mut self, at: &Range<usize>) {
        self.refuse(at, "html", "HTML is not allowed; write \\< for the sign itself");
    }

    fn skip(&mut self, at: &Range<usize>, code: &'static str, detail: &str) {
        self.refuse(at, code, detail);
        self.skipping = 1;
    }

    fn start(&mut self, tag: Tag<'_>, at: &Range<usize>) {
        match tag {
            Tag::Emphasis => self.italic += 1,
            Tag::Strong => self.bold += 1,
            Tag::Link { dest_url, .. } => self.link(&dest_url, at),
            Tag::Paragraph | Tag::Heading { .. } => self.flush(at),
            Tag::List(start) => {
                self.flush(at);
                if self.frames.iter().filter(|frame| matches!(frame, Frame::List(..))).count() == DEPTH {
                    return self.skip(at, "nested-too-deep", "lists are nested at most eight deep");
                }
                self.frames.push(Frame::List(start, vec![]));
            }
            Tag::Item => self.frames.push(Frame::Blocks(vec![])),
            Tag::Table(align) => {
                self.flush(at);
                let align = align.iter().map(|align| match align {
                    Alignment::Right => Align::Right,
                    Alignment::Center => Align::Centre,
                    Alignment::None | Alignment::Left => Align::Left,
                });
                self.frames.push(Frame::Table(Table { align: align.collect(), ..Table::default() }, vec![]));
            }
            Tag::TableHead | Tag::TableRow | Tag::TableCell => {}
            Tag::CodeBlock(_) => {
                self.skip(at, "code", "code is not printed; do not begin a line with four spaces or with ```")
            }
            Tag::HtmlBlock => {
                self.html(at);
                self.skipping = 1;
            }
            Tag::Image { .. } => self.skip(at, "image", "pictures are not fetched from elsewhere"),
            Tag::BlockQuote(_) => self.skip(
                at,
                "quote",
                "quotes are not part of what templates may have; write \\> for the sign itself",
            ),
            _ => self.skip(at, "not-in-subset", "this is not part of what templates may have"),
        }
    }

    fn end(&mut self, tag: TagEnd, at: &Range<usize>) {
        match tag {
            TagEnd::Emphasis => self.italic -= 1,
            TagEnd::Strong => self.bold -= 1,
            TagEnd::Link => self.link = None,
            TagEnd::Paragraph => self.flush(at),
            TagEnd::Heading(level) => self.heading(level, at),
            TagEnd::Item => {
                self.flush(at);
                if let (Some(Frame::Blocks(blocks)), Some(Frame::List(_, items))) =
                    (self.frames.pop(), self.frames.last_mut())
                {
                    items.push(blocks);
                }
            }
            TagEnd::List(_) => {
                if let Some(Frame::List(start, items)) = self.frames.pop() {
                    self.push(Block::List { start, items });
                }
            }
            TagEnd::TableCell => {
                let cell = self.cell(at);
                if let Some(Frame::Table(_, row)) = self.frames.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(Frame::Table(table, row)) = self.frames.last_mut() {
                    let row = std::mem::take(row);
                    if tag == TagEnd::TableHead { table.header = row } else { table.rows.push(row) }
                }
            }
            TagEnd::Table => {
                if let Some(Frame::Table(table, _)) = self.frames.pop() {
                    self.push(Block::Table(table));
                }
            }
            _ => {}
        }
    }

    fn link(&mut self, url: &str, at: &Range<usize>) {
        let url: String = url.chars().filter(|c| *c != EDGE).collect();
        let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        if matches!(scheme.as_deref(), Some("https" | "http" | "mailto" | "tel")) {
            self.link = Some(url);
        } else {
            self.refuse(at, "link", "links begin with https:, http:, mailto: or tel:");
        }
    }

    fn text(&mut self, text: &str) {
        let text: String =
            text.chars().filter(|c| *c != EDGE).map(|c| if c == FEED { '\n' } else { c }).collect();
        let (bold, italic) = (self.bold > 0, self.italic > 0);
        match self.runs.last_mut() {
            Some(last) if last.bold == bold && last.italic == italic && last.link == self.link => {
                last.text.push_str(&text);
            }
            _ => self.runs.push(Run { text, bold, italic, link: self.link.clone() }),
        }
    }

    fn push(&mut self, block: Block) {
        if let Some(Frame::Blocks(blocks)) = self.frames.last_mut() {
            blocks.push(block);
        }
    }

    /// Our own marks among the runs: `None` when there is none.
    fn marks(&mut self, at: &Range<usize>) -> Option<Vec<String>> {
        if !self.runs.iter().any(|run| run.text.contains(OPEN)) {
            return None;
        }
        let text: String = self.runs.drain(..).map(|run| run.text).collect();
        let name = |word: &str| {
            Some(word.strip_prefix(OPEN)?.strip_suffix(CLOSE)?.replace(LOW, "_")).filter(|name| known(name))
        };
        let marks: Option<Vec<_>> = text.split_whitespace().map(name).collect();
        if marks.is_none() {
            self.refuse(
                at,
                "mark-in-text",
                "[[page]] and [[sign:role]] stand alone on their line, the latter also in a table's cell",
            );
        }
        marks
    }

    fn heading(&mut self, level: HeadingLevel, at: &Range<usize>) {
        if self.marks(at).is_some() {
            self.refuse(at, "mark-in-text", "a heading cannot hold [[page]] or [[sign:role]]");
        }
        let runs = std::mem::take(&mut self.runs);
        self.push(Block::Heading { level: level as u8, runs });
    }

    /// The end of a paragraph, also of one that a tight list leaves unsaid.
    fn flush(&mut self, at: &Range<usize>) {
        if let Some(marks) = self.marks(at) {
            for name in marks {
                let block = match name.strip_prefix("sign:") {
                    Some(role) => Block::Sign { role: role.to_owned() },
                    None if self.frames.len() == 1 => Block::PageBreak,
                    None => {
                        self.refuse(at, "mark-in-text", "a page cannot end inside of a list");
                        continue;
                    }
                };
                self.push(block);
            }
        } else if !self.runs.is_empty() {
            let runs = std::mem::take(&mut self.runs);
            self.push(Block::Paragraph { align: Align::Left, runs });
        }
    }

    fn cell(&mut self, at: &Range<usize>) -> Cell {
        match self.marks(at).as_deref() {
            None => Cell::Text(std::mem::take(&mut self.runs)),
            Some([name]) if name.starts_with("sign:") => Cell::Sign(name["sign:".len()..].to_owned()),
            Some(_) => {
                self.refuse(at, "mark-in-text", "a cell holds one [[sign:role]] and nothing beside it");
                Cell::Text(vec![])
            }
        }
    }

    fn finish(mut self) -> Result<Vec<Block>, Vec<Fault>> {
        if !self.faults.is_empty() {
            self.faults.sort_by_key(|fault| fault.line);
            self.faults.dedup();
            return Err(self.faults);
        }
        match self.frames.pop() {
            Some(Frame::Blocks(blocks)) => Ok(blocks),
            _ => Ok(vec![]),
        }
    }
}

#[cfg(test)]
mod tests;
