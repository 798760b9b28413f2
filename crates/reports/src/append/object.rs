//! PDF's objects, as far as their places in a file must be understood; what need not be is kept as it was written.
use super::refuse;
use crate::Error;

const DEPTH: usize = 40;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    /// A number, a string, a name, a keyword: its bytes.
    Plain(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    Reference(u32, u16),
}

/// Names without their slash.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dict(Vec<(Vec<u8>, Object)>);

impl Dict {
    pub fn get(&self, name: &str) -> Option<&Object> {
        self.0.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, object)| object)
    }
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name.as_bytes());
    }
    pub fn set(&mut self, name: &str, object: Object) {
        self.remove(name);
        self.0.push((name.as_bytes().to_vec(), object));
    }
}

impl Object {
    pub fn integer(&self) -> Option<i64> {
        let Self::Plain(bytes) = self else { return None };
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
    pub fn reference(&self) -> Option<(u32, u16)> {
        let Self::Reference(number, generation) = self else { return None };
        Some((*number, *generation))
    }
    pub fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Plain(bytes) if bytes.strip_prefix(b"/") == Some(name.as_bytes()))
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Plain(bytes) => out.extend(bytes),
            Self::Reference(number, generation) => out.extend(format!("{number} {generation} R").as_bytes()),
            Self::Array(all) => {
                out.push(b'[');
                for object in all {
                    object.write(out);
                    out.push(b' ');
                }
                out.push(b']');
            }
            Self::Dict(Dict(all)) => {
                out.extend(b"<<");
                for (name, object) in all {
                    out.push(b'/');
                    out.extend(name);
                    out.push(b' ');
                    object.write(out);
                    out.push(b'\n');
                }
                out.extend(b">>");
            }
        }
    }
}

pub(super) struct Parser<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

fn is_space(b: u8) -> bool {
    matches!(b, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_delimiter(b: u8) -> bool {
    matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Parser<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at.min(self.bytes.len())..]
    }

    pub fn space(&mut self) {
        while let Some(b) = self.rest().first() {
            match b {
                b'%' => {
                    self.at += self
                        .rest()
                        .iter()
                        .position(|b| matches!(b, b'\n' | b'\r'))
                        .unwrap_or(self.rest().len())
                }
                b if is_space(*b) => self.at += 1,
                _ => return,
            }
        }
    }

    /// Steps over a word if it is next.
    pub fn word(&mut self, word: &str) -> bool {
        self.space();
        let is_next = self.rest().starts_with(word.as_bytes());
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    pub fn number(&mut self) -> Option<u64> {
        self.space();
        let digits = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        let number = std::str::from_utf8(&self.rest()[..digits]).ok()?.parse().ok()?;
        self.at += digits;
        Some(number)
    }

    pub fn object(&mut self) -> Result<Object, Error> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Result<Object, Error> {
        if depth > DEPTH {
            return refuse("it is nested too deep");
        }
        self.space();
        let rest = self.rest();
        match rest {
            [b'<', b'<', ..] => {
                self.at += 2;
                let mut all = vec![];
                while !self.word(">>") {
                    if self.rest().first() != Some(&b'/') {
                        return refuse("it is damaged");
                    }
                    self.at += 1;
                    let name = self.token();
                    all.push((name, self.nested(depth + 1)?));
                }
                Ok(Object::Dict(Dict(all)))
            }
            [b'[', ..] => {
                self.at += 1;
                let mut all = vec![];
                while !self.word("]") {
                    all.push(self.nested(depth + 1)?);
                }
                Ok(Object::Array(all))
            }
            [b'<', ..] => {
                let Some(end) = rest.iter().position(|b| *b == b'>') else { return refuse("it is damaged") };
                self.take(end + 1)
            }
            [b'(', ..] => {
                let Some(end) = literal(rest) else { return refuse("it is damaged") };
                self.take(end)
            }
            [b'/', ..] => {
                let end = 1 + rest[1..].iter().take_while(|b| !is_space(**b) && !is_delimiter(**b)).count();
                self.take(end)
            }
            _ => self.number_or_reference(),
        }
    }

    fn number_or_reference(&mut self) -> Result<Object, Error> {
        let begin = self.at;
        if let Some(number) = self.number()
            && let Some(generation) = self.number()
            && self.word("R")
            && let (Ok(number), Ok(generation)) = (number.try_into(), generation.try_into())
        {
            return Ok(Object::Reference(number, generation));
        }
        self.at = begin;
        let token = self.token();
        if token.is_empty() { refuse("it is damaged") } else { Ok(Object::Plain(token)) }
    }

    fn token(&mut self) -> Vec<u8> {
        let length = self.rest().iter().take_while(|b| !is_space(**b) && !is_delimiter(**b)).count();
        let token = self.rest()[..length].to_vec();
        self.at += length;
        token
    }

    fn take(&mut self, length: usize) -> Result<Object, Error> {
        let bytes = self.rest()[..length].to_vec();
        self.at += length;
        Ok(Object::Plain(bytes))
    }
}

/// How long a string in brackets is.
fn literal(rest: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match rest.get(at)? {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
