//! Values and our own marks, kept out of CommonMark's sight.
use super::{FAULTS, Fault};

/// Around every value: seen by CommonMark as a letter, so that what stands beside it means the same for all values.
pub(super) const EDGE: char = '\u{2060}';
/// A line feed inside a value.
pub(super) const FEED: char = '\u{2028}';
/// What stands for `[[` and `]]` of our own marks while CommonMark reads.
pub(super) const OPEN: char = '\u{e000}';
pub(super) const CLOSE: char = '\u{e001}';
/// `_` in the name of a role.
pub(super) const LOW: char = '\u{e002}';

/// A value as it may stand in a text: every sign that could mean something to CommonMark is written as its number.
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 8);
    escaped.push(EDGE);
    for c in value.chars() {
        match c {
            '\n' | FEED | '\u{2029}' => escaped.push(FEED),
            '\t' => escaped.push(' '),
            EDGE | OPEN | CLOSE | LOW => {}
            c if c.is_control() => {}
            c if c.is_ascii_punctuation() => {
                escaped.push_str("&#");
                escaped.push_str(&u32::from(c).to_string());
                escaped.push(';');
            }
            c => escaped.push(c),
        }
    }
    escaped.push(EDGE);
    escaped
}

/// Puts our own marks out of CommonMark's sight.
pub(super) fn mark(text: &str, faults: &mut Vec<Fault>) -> String {
    let mut marked = String::with_capacity(text.len());
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let mut fault = |code, detail: &str| {
            if faults.len() < FAULTS {
                faults.push(Fault { line: n + 1, code, detail: detail.into() });
            }
        };
        if line.contains([OPEN, CLOSE, LOW]) {
            fault("private-character", "the characters U+E000 to U+E002 have no meaning and are not allowed");
        }
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("[[") {
            marked.push_str(before);
            // No name is longer: what is behind is not searched, so that many openings take no longer than one.
            let near = &after[..after.floor_char_boundary(60)];
            let Some(name) = near.split_once("]]").map(|(name, _)| name).filter(|name| known(name)) else {
                fault(
                    "mark-unknown",
                    "[[ begins [[page]] or [[sign:role]], with a role of small letters, digits, - and _; write \
                     \\[\\[ for the signs themselves",
                );
                rest = after;
                continue;
            };
            marked.push(OPEN);
            // `_` could be read as emphasis.
            marked.extend(name.chars().map(|c| if c == '_' { LOW } else { c }));
            marked.push(CLOSE);
            rest = &after[name.len() + 2..];
        }
        marked.push_str(rest);
    }
    marked
}

pub(super) fn known(name: &str) -> bool {
    let role = |role: &str| {
        (1..=40).contains(&role.len())
            && role.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    name == "page" || name.strip_prefix("sign:").is_some_and(role)
}
