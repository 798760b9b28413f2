//! Reads our own files back: enough of PDF and ZIP for that, and no more.
use std::{collections::BTreeMap, io::Read};

use flate2::read::{DeflateDecoder, ZlibDecoder};

/// The entries of a ZIP that says sizes in its local heads, as ours do.
pub fn entries(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let short = |at: usize| usize::from(u16::from_le_bytes([zip[at], zip[at + 1]]));
    let long = |at: usize| u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut all) = (0, BTreeMap::new());
    while zip[at..].starts_with(b"PK\x03\x04") {
        let (packed, whole, name) = (long(at + 18), long(at + 22), short(at + 26));
        let body = at + 30 + name;
        let mut bytes = vec![];
        DeflateDecoder::new(&zip[body..body + packed]).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), whole);
        all.insert(String::from_utf8(zip[at + 30..body].to_vec()).unwrap(), bytes);
        at = body + packed;
    }
    assert!(zip[at..].starts_with(b"PK\x01\x02"));
    all
}

/// The words of a DOCX's text, a space between paragraphs.
pub fn docx_text(docx: &[u8]) -> String {
    let xml = String::from_utf8(entries(docx)["word/document.xml"].clone()).unwrap();
    let mut text = String::new();
    for part in xml.split('<').skip(1) {
        let (tag, words) = part.split_once('>').unwrap();
        if tag.starts_with("w:t ") {
            text.push_str(words);
        } else if tag == "/w:p" || tag.starts_with("w:br") || tag.starts_with("w:tab/") {
            text.push(' ');
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Each object's dictionary and unpacked stream.
fn objects(pdf: &[u8]) -> BTreeMap<u32, (String, Vec<u8>)> {
    let find = |from: usize, what: &[u8]| {
        pdf[from..].windows(what.len()).position(|w| w == what).map(|at| from + at)
    };
    let (mut at, mut all) = (0, BTreeMap::new());
    while let Some(obj) = find(at, b" 0 obj") {
        let begin = pdf[..obj].iter().rposition(|b| !b.is_ascii_digit()).unwrap() + 1;
        let number = std::str::from_utf8(&pdf[begin..obj]).unwrap().parse().unwrap();
        let end = find(obj, b"endobj").unwrap();
        let stream = find(obj, b"stream").filter(|stream| *stream < end);
        let head = String::from_utf8_lossy(&pdf[obj + 6..stream.unwrap_or(end)]).into_owned();
        let mut body = vec![];
        at = end;
        if let Some(stream) = stream {
            let length = head.split("/Length ").nth(1).unwrap();
            let length: usize =
                length.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
            let begin = stream + 6 + pdf[stream + 6..].iter().position(|b| *b == b'\n').unwrap() + 1;
            at = begin + length;
            if head.contains("FlateDecode") {
                ZlibDecoder::new(&pdf[begin..at]).read_to_end(&mut body).unwrap();
            }
        }
        all.insert(number, (head, body));
    }
    all
}

fn reference(dictionary: &str, name: &str) -> Option<u32> {
    let rest = dictionary.split(&format!("/{name}")).nth(1)?.trim_start();
    rest.split_whitespace().next()?.parse().ok()
}

/// The words of each page as they are drawn, a space between pieces.
pub fn pdf_pages(pdf: &[u8]) -> Vec<String> {
    let objects = objects(pdf);
    let fonts: Vec<(String, BTreeMap<u16, char>)> = (0..4)
        .filter_map(|n| {
            let resources = objects.values().find(|(head, _)| head.contains("/Type/Pages"))?;
            let font = reference(&resources.0, &format!("F{n} "))?;
            Some((format!("F{n}"), letters(&objects[&reference(&objects[&font].0, "ToUnicode ").unwrap()].1)))
        })
        .collect();
    let pages = objects.values().find(|(head, _)| head.contains("/Type/Pages")).unwrap();
    let kids = pages
        .0
        .split("/Kids")
        .nth(1)
        .unwrap()
        .trim_start()
        .trim_start_matches('[')
        .split(']')
        .next()
        .unwrap();
    let kids = kids.split(" 0 R").filter_map(|n| n.trim().parse::<u32>().ok());
    kids.map(|kid| shown(&objects[&reference(&objects[&kid].0, "Contents ").unwrap()].1, &fonts)).collect()
}

/// `<0001> <0041>` of a ToUnicode map.
fn letters(cmap: &[u8]) -> BTreeMap<u16, char> {
    let text = String::from_utf8_lossy(cmap);
    let hex = |text: &str| u32::from_str_radix(text.trim_matches(['<', '>']), 16).unwrap();
    let pairs = text.lines().filter_map(|line| line.trim().split_once("> <"));
    pairs
        .filter(|(from, _)| from.len() == 5)
        .filter_map(|(from, to)| Some((hex(from) as u16, char::from_u32(hex(to))?)))
        .collect()
}

fn shown(content: &[u8], fonts: &[(String, BTreeMap<u16, char>)]) -> String {
    let (mut text, mut font, mut at) = (String::new(), &fonts[0].1, 0);
    let mut pending: Vec<u8> = vec![];
    while at < content.len() {
        match content[at] {
            b'(' => {
                let (bytes, end) = literal(content, at + 1);
                (pending.extend(bytes), at = end).1
            }
            b'<' if content.get(at + 1) == Some(&b'<') => at += 2,
            b'<' => {
                let end = at + content[at..].iter().position(|b| *b == b'>').unwrap();
                let digits = std::str::from_utf8(&content[at + 1..end]).unwrap();
                let byte = |n: usize| u8::from_str_radix(&digits[n..n + 2], 16).unwrap();
                pending.extend((0..digits.len()).step_by(2).map(byte));
                at = end + 1;
            }
            b if b.is_ascii_alphabetic() || b == b'/' || b == b'*' => {
                let end = content[at + 1..]
                    .iter()
                    .position(|b| !b.is_ascii_alphanumeric())
                    .map_or(content.len(), |n| at + 1 + n);
                match &content[at..end] {
                    b"Tj" | b"TJ" => {
                        let glyphs = pending.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
                        text.extend(glyphs.map(|glyph| font[&glyph]));
                        pending.clear();
                    }
                    b"ET" => text.push(' '),
                    b"BDC" => pending.clear(),
                    name if name.starts_with(b"/F") => {
                        let name = std::str::from_utf8(&name[1..]).unwrap();
                        font = &fonts.iter().find(|(known, _)| known == name).unwrap().1;
                    }
                    _ => {}
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    text
}

fn literal(content: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let (mut bytes, mut depth) = (vec![], 0);
    loop {
        match content[at] {
            b'\\' => {
                at += 1;
                match content[at] {
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'b' => bytes.push(8),
                    b'f' => bytes.push(12),
                    b if b.is_ascii_digit() => {
                        let digits = std::str::from_utf8(&content[at..at + 3]).unwrap();
                        bytes.push(u8::from_str_radix(digits, 8).unwrap());
                        at += 2;
                    }
                    other => bytes.push(other),
                }
            }
            b')' if depth == 0 => return (bytes, at + 1),
            b => {
                depth += i32::from(b == b'(') - i32::from(b == b')');
                bytes.push(b);
            }
        }
        at += 1;
    }
}
