//! Where the objects of a PDF are: its tables and streams of places, newest first, and the objects themselves.
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use flate2::read::ZlibDecoder;

use super::{
    OBJECTS,
    object::{Dict, Object, Parser},
    refuse,
};
use crate::Error;

/// The most that one stream may unpack to.
const UNPACKED: u64 = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Free,
    At(usize),
    /// In a stream of objects, the how many-th.
    In(u32, usize),
}

pub(super) struct File<'a> {
    bytes: &'a [u8],
    pub places: BTreeMap<u32, Place>,
    /// The newest.
    pub trailer: Dict,
    /// Where the newest places are written.
    pub start: usize,
    /// They are a stream and no table.
    pub streamed: bool,
}

impl<'a> File<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(b"%PDF-") {
            return refuse("it is no PDF");
        }
        let tail = bytes.len().saturating_sub(2_048);
        let Some(at) = bytes[tail..].windows(9).rposition(|window| window == b"startxref") else {
            return refuse("its end is missing");
        };
        let Some(start) = Parser::new(bytes, tail + at + 9).number() else { return refuse("it is damaged") };
        let start = start as usize;
        let mut file =
            Self { bytes, places: BTreeMap::new(), trailer: Dict::default(), start, streamed: false };
        let (mut waiting, mut seen) = (vec![start], BTreeSet::new());
        while let Some(at) = waiting.pop() {
            if !seen.insert(at) {
                continue;
            }
            let (trailer, streamed) = file.section(at)?;
            let place =
                |name| trailer.get(name).and_then(Object::integer).and_then(|at| usize::try_from(at).ok());
            // What a table hides from old readers counts before what is older than the table.
            waiting.extend(place("Prev").into_iter().chain(place("XRefStm")));
            if at == start {
                (file.trailer, file.streamed) = (trailer, streamed);
            }
        }
        Ok(file)
    }

    /// Notes the places of one section where no newer one is known; its trailer.
    fn section(&mut self, at: usize) -> Result<(Dict, bool), Error> {
        let mut parser = Parser::new(self.bytes, at);
        if !parser.word("xref") {
            let (dict, body) = self.stream(at)?;
            self.entries(&dict, &body)?;
            return Ok((dict, true));
        }
        while !parser.word("trailer") {
            let (Some(first), Some(count)) = (parser.number(), parser.number()) else {
                return refuse("it is damaged");
            };
            for n in 0..count {
                let (Some(at), Some(_)) = (parser.number(), parser.number()) else {
                    return refuse("it is damaged");
                };
                let used = parser.word("n");
                if !used && !parser.word("f") {
                    return refuse("it is damaged");
                }
                self.note(first.saturating_add(n), if used { Place::At(at as usize) } else { Place::Free })?;
            }
        }
        match parser.object()? {
            Object::Dict(trailer) => Ok((trailer, false)),
            _ => refuse("it is damaged"),
        }
    }

    fn note(&mut self, number: u64, place: Place) -> Result<(), Error> {
        match u32::try_from(number).ok().filter(|number| *number < OBJECTS) {
            Some(number) => {
                self.places.entry(number).or_insert(place);
                Ok(())
            }
            None => refuse("it has too many objects"),
        }
    }

    /// The places in a stream.
    fn entries(&mut self, dict: &Dict, body: &[u8]) -> Result<(), Error> {
        let numbers = |name: &str| -> Option<Vec<usize>> {
            let Object::Array(all) = dict.get(name)? else { return None };
            all.iter().map(|n| n.integer()?.try_into().ok()).collect()
        };
        let Some([kind, second, third]) = numbers("W").and_then(|w| <[usize; 3]>::try_from(w).ok()) else {
            return refuse("it is damaged");
        };
        let size = dict.get("Size").and_then(Object::integer).and_then(|n| n.try_into().ok()).unwrap_or(0);
        let index = numbers("Index").unwrap_or_else(|| vec![0, size]);
        if [kind, second, third].iter().any(|wide| *wide > 8) || kind + second + third == 0 {
            return refuse("it is damaged");
        }
        let field = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let mut rows = body.chunks_exact(kind + second + third);
        for section in index.chunks_exact(2) {
            for n in 0..section[1] {
                let Some(row) = rows.next() else { return Ok(()) };
                let (of, rest) = row.split_at(kind);
                let (a, b) = (field(&rest[..second]), field(&rest[second..]));
                let place = match if kind == 0 { 1 } else { field(of) } {
                    1 => Place::At(a as usize),
                    2 => Place::In(u32::try_from(a).unwrap_or(u32::MAX), b as usize),
                    _ => Place::Free,
                };
                self.note((section[0] as u64).saturating_add(n as u64), place)?;
            }
        }
        Ok(())
    }

    /// An object and, if it is one, its stream unpacked.
    fn stream(&self, at: usize) -> Result<(Dict, Vec<u8>), Error> {
        let mut parser = Parser::new(self.bytes, at);
        let is_object = parser.number().is_some() && parser.number().is_some() && parser.word("obj");
        let Object::Dict(dict) = (if is_object { parser.object()? } else { return refuse("it is damaged") })
        else {
            return refuse("it is damaged");
        };
        if !parser.word("stream") {
            return refuse("it is damaged");
        }
        let rest = &self.bytes[parser.at..];
        let skip = if rest.starts_with(b"\r\n") { 2 } else { 1 };
        let body = rest.get(skip..).unwrap_or_default();
        let length = dict.get("Length").and_then(Object::integer).and_then(|n| usize::try_from(n).ok());
        // A length written elsewhere may be in a stream itself: the end is looked for.
        let end = || body.windows(9).position(|window| window == b"endstream");
        let Some(body) = length.or_else(end).and_then(|length| body.get(..length)) else {
            return refuse("it is damaged");
        };
        let unpacked = unpack(&dict, body)?;
        Ok((dict, unpacked))
    }

    pub fn load(&self, (number, _): (u32, u16)) -> Result<Object, Error> {
        match self.places.get(&number) {
            Some(Place::At(at)) => {
                let mut parser = Parser::new(self.bytes, *at);
                let own = parser.number();
                if own != Some(u64::from(number)) || parser.number().is_none() || !parser.word("obj") {
                    return refuse("it is damaged");
                }
                parser.object()
            }
            Some(Place::In(stream, index)) => {
                let Some(Place::At(at)) = self.places.get(stream) else { return refuse("it is damaged") };
                let (dict, body) = self.stream(*at)?;
                let mut parser = Parser::new(&body, 0);
                for _ in 0..*index {
                    if parser.number().is_none() || parser.number().is_none() {
                        return refuse("it is damaged");
                    }
                }
                let (own, offset) = (parser.number(), parser.number());
                let first = dict.get("First").and_then(Object::integer).and_then(|n| u64::try_from(n).ok());
                match (own, offset.zip(first)) {
                    (Some(own), Some((offset, first))) if own == u64::from(number) => {
                        Parser::new(&body, offset.saturating_add(first) as usize).object()
                    }
                    _ => refuse("it is damaged"),
                }
            }
            _ => refuse("it is damaged"),
        }
    }

    pub fn dict(&self, reference: (u32, u16)) -> Result<Dict, Error> {
        match self.load(reference)? {
            Object::Dict(dict) => Ok(dict),
            _ => refuse("it is damaged"),
        }
    }
}

fn unpack(dict: &Dict, body: &[u8]) -> Result<Vec<u8>, Error> {
    let one = |name: &str| match dict.get(name) {
        Some(Object::Array(all)) => all.first().filter(|_| all.len() == 1),
        other => other,
    };
    match one("Filter") {
        None if dict.get("Filter").is_none() => return Ok(body.to_vec()),
        Some(filter) if filter.is_name("FlateDecode") => {}
        _ => return refuse("it is packed in a way that is not known here"),
    }
    let mut raw = vec![];
    let read = ZlibDecoder::new(body).take(UNPACKED).read_to_end(&mut raw);
    if read.is_err() || raw.len() as u64 == UNPACKED {
        return refuse("it is damaged");
    }
    let Some(Object::Dict(how)) = one("DecodeParms") else { return Ok(raw) };
    let number = |name: &str, otherwise: i64| how.get(name).and_then(Object::integer).unwrap_or(otherwise);
    match number("Predictor", 1) {
        1 => Ok(raw),
        10..=15 if number("Colors", 1) == 1 && number("BitsPerComponent", 8) == 8 => {
            let columns = number("Columns", 1);
            if (1..=4_096).contains(&columns) {
                Ok(predicted(&raw, columns as usize))
            } else {
                refuse("it is damaged")
            }
        }
        _ => refuse("it is packed in a way that is not known here"),
    }
}

/// Undoes PNG's filters on rows of single bytes.
fn predicted(raw: &[u8], columns: usize) -> Vec<u8> {
    let (mut above, mut out) = (vec![0_u8; columns], Vec::with_capacity(raw.len()));
    for row in raw.chunks_exact(columns + 1) {
        let mut left = (0_u8, 0_u8);
        for (n, byte) in row[1..].iter().enumerate() {
            let up = above[n];
            let guess = match row[0] {
                1 => left.0,
                2 => up,
                3 => ((u16::from(left.0) + u16::from(up)) / 2) as u8,
                4 => paeth(left.0, up, left.1),
                _ => 0,
            };
            let value = byte.wrapping_add(guess);
            left = (value, up);
            above[n] = value;
        }
        out.extend(&above);
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let far = |side: u8| (guess - i16::from(side)).abs();
    if far(left) <= far(up) && far(left) <= far(corner) {
        left
    } else if far(up) <= far(corner) {
        up
    } else {
        corner
    }
}
