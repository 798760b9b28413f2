//! Pages put behind a PDF that somebody else made: the certificate behind what was signed. The original's bytes stay as they
//! are, at the beginning of the new file, so that its sum can still be computed from it; what is new stands behind them
//! as PDF's incremental update.
use std::{collections::BTreeMap, fmt::Write};

use pdf_writer::Ref;

use crate::{Document, Error};

mod file;
mod object;

use file::{File, Place};
use object::{Dict, Object};

/// Objects that a file may have: as many as any reader bears.
const OBJECTS: u32 = 1_000_000;

pub(crate) fn refuse<T>(why: &'static str) -> Result<T, Error> {
    Err(Error::Append(why))
}

/// The original, then the document's pages. Refused are encrypted files, and damaged ones that only a guess could read.
pub fn append(original: &[u8], document: &Document) -> Result<Vec<u8>, Error> {
    let file = File::read(original)?;
    if file.trailer.get("Encrypt").is_some() {
        return refuse("it is encrypted");
    }
    let Some(root) = file.trailer.get("Root").and_then(Object::reference) else {
        return refuse("it has no root");
    };
    let catalog = file.dict(root)?;
    let Some(pages) = catalog.get("Pages").and_then(Object::reference) else {
        return refuse("it has no pages");
    };
    let size = file.trailer.get("Size").and_then(Object::integer).unwrap_or(0);
    let highest = file.places.keys().next_back().map_or(0, |n| n + 1);
    let size = u32::try_from(size).unwrap_or(u32::MAX).max(highest);
    if size == 0 || size > OBJECTS {
        return refuse("it has too many objects");
    }

    let (ours, kid, count) = crate::pdf::behind(document, size as i32, Ref::new(pages.0 as i32))?;
    let tree = grown(&file, pages, kid.get() as u32, count)?;
    let ours = ours_in(&ours)?;

    let mut update = Update { out: original.to_vec(), places: BTreeMap::new() };
    if !update.out.ends_with(b"\n") {
        update.out.push(b'\n');
    }
    let base = update.out.len();
    update.out.extend(ours.body);
    update.places.extend(ours.places.iter().map(|(number, at)| (*number, (base + at, 0))));
    update.places.insert(pages.0, (update.out.len(), pages.1));
    update.put(&format!("{} {} obj\n", pages.0, pages.1));
    Object::Dict(tree).write(&mut update.out);
    update.put("\nendobj\n");
    update.finish(&file);
    Ok(update.out)
}

/// The root of the pages with one more branch.
fn grown(file: &File<'_>, pages: (u32, u16), kid: u32, count: usize) -> Result<Dict, Error> {
    let mut tree = file.dict(pages)?;
    let kids = match tree.get("Kids") {
        Some(Object::Reference(number, generation)) => file.load((*number, *generation))?,
        Some(kids) => kids.clone(),
        None => return refuse("its pages have no list"),
    };
    let Object::Array(mut kids) = kids else { return refuse("its pages have no list") };
    kids.push(Object::Reference(kid, 0));
    let before = match tree.get("Count") {
        Some(Object::Reference(number, generation)) => file.load((*number, *generation))?.integer(),
        other => other.and_then(Object::integer),
    };
    let Some(before) = before.filter(|n| (0..=1_000_000).contains(n)) else {
        return refuse("its pages are not counted");
    };
    tree.set("Kids", Object::Array(kids));
    tree.set("Count", Object::Plain((before + count as i64).to_string().into_bytes()));
    Ok(tree)
}

struct Ours<'a> {
    body: &'a [u8],
    /// From the body's beginning.
    places: Vec<(u32, usize)>,
}

/// The objects of our own file, without its head and its tail.
fn ours_in(bytes: &[u8]) -> Result<Ours<'_>, Error> {
    let file = File::read(bytes)?;
    let at = |(number, place): (&u32, &Place)| match place {
        Place::At(at) => Some((*number, *at)),
        _ => None,
    };
    let places: Vec<_> = file.places.iter().filter_map(at).collect();
    let begin = places.iter().map(|(_, at)| *at).min().unwrap_or(file.start);
    let places = places.into_iter().map(|(number, at)| (number, at - begin)).collect();
    Ok(Ours { body: &bytes[begin..file.start], places })
}

struct Update {
    out: Vec<u8>,
    /// Where each new object is, and its generation.
    places: BTreeMap<u32, (usize, u16)>,
}

impl Update {
    fn put(&mut self, text: &str) {
        self.out.extend(text.as_bytes());
    }

    /// The places of what is new, in the way of the original: readers expect one of the two.
    fn finish(&mut self, file: &File<'_>) {
        let start = self.out.len();
        let mut trailer = file.trailer.clone();
        for own in ["Prev", "XRefStm", "Type", "W", "Index", "Filter", "DecodeParms", "Length"] {
            trailer.remove(own);
        }
        trailer.set("Prev", Object::Plain(file.start.to_string().into_bytes()));
        let last = self.places.keys().next_back().copied().unwrap_or(0);
        if file.streamed {
            self.places.insert(last + 1, (start, 0));
        }
        let last = self.places.keys().next_back().copied().unwrap_or(0);
        trailer.set("Size", Object::Plain((last + 1).to_string().into_bytes()));
        if file.streamed {
            self.stream(trailer, last);
        } else {
            self.table(trailer);
        }
        self.put(&format!("\nstartxref\n{start}\n%%EOF\n"));
    }

    /// Numbers that follow each other.
    fn sections(&self) -> Vec<Vec<(u32, usize, u16)>> {
        let all: Vec<_> =
            self.places.iter().map(|(number, (at, generation))| (*number, *at, *generation)).collect();
        all.chunk_by(|a, b| a.0 + 1 == b.0).map(<[_]>::to_vec).collect()
    }

    fn table(&mut self, trailer: Dict) {
        let mut text = String::from("xref\n");
        for section in self.sections() {
            let _ = writeln!(text, "{} {}", section[0].0, section.len());
            for (_, at, generation) in section {
                let _ = writeln!(text, "{at:010} {generation:05} n ");
            }
        }
        self.put(&text);
        self.put("trailer\n");
        Object::Dict(trailer).write(&mut self.out);
    }

    fn stream(&mut self, mut trailer: Dict, number: u32) {
        let (mut index, mut body) = (vec![], vec![]);
        let plain = |n: usize| Object::Plain(n.to_string().into_bytes());
        for section in self.sections() {
            index.extend([plain(section[0].0 as usize), plain(section.len())]);
            for (_, at, generation) in section {
                body.push(1);
                body.extend((at as u64).to_be_bytes());
                body.extend(generation.to_be_bytes());
            }
        }
        trailer.set("Type", Object::Plain(b"/XRef".to_vec()));
        trailer.set("W", Object::Array(vec![plain(1), plain(8), plain(2)]));
        trailer.set("Index", Object::Array(index));
        trailer.set("Length", plain(body.len()));
        self.put(&format!("{number} 0 obj\n"));
        Object::Dict(trailer).write(&mut self.out);
        self.put("\nstream\n");
        self.out.extend(body);
        self.put("\nendstream\nendobj");
    }
}
