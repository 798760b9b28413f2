//! A look at a text before anything parses it: brackets, chains, and where `&&` and `||` join it.

use crate::DEPTH;

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Shape {
    /// The column of the bracket that is one too many.
    pub too_deep: Option<usize>,
    /// The longest run of what makes the parser recurse without a bracket.
    pub chain: usize,
    /// Byte ranges of the `&&` and `||` outside every bracket.
    pub joints: Vec<usize>,
    /// A `?` outside every bracket.
    pub choice: bool,
}

pub(crate) fn shape(text: &str) -> Shape {
    let mut shape = Shape::default();
    let (mut depth, mut signs, mut choices) = (0usize, 0usize, 0usize);
    let mut skip = 0;
    let bytes = text.as_bytes();
    for (column, (at, c)) in text.char_indices().enumerate() {
        if at < skip {
            continue;
        }
        match c {
            '"' | '\'' => skip = quoted(text, at, c),
            '/' if bytes.get(at + 1) == Some(&b'/') => {
                skip = text[at..].find('\n').map_or(text.len(), |n| at + n)
            }
            '(' | '[' | '{' => {
                depth += 1;
                if depth > DEPTH {
                    shape.too_deep.get_or_insert(column + 1);
                }
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '&' | '|' if depth == 0 && bytes.get(at + 1) == Some(&(c as u8)) => {
                shape.joints.push(at);
                skip = at + 2;
            }
            '?' => {
                choices += 1;
                shape.choice |= depth == 0;
            }
            _ => {}
        }
        match c {
            '!' | '-' => signs += 1,
            c if c.is_whitespace() => {}
            _ => signs = 0,
        }
        shape.chain = shape.chain.max(signs).max(choices);
    }
    shape
}

/// Where the quoted text that begins at `at` is over.
fn quoted(text: &str, at: usize, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let raw = at > 0 && matches!(text.as_bytes()[at - 1], b'r' | b'R');
    let end = if text[at..].starts_with(&triple) { triple.as_str() } else { &triple[..1] };
    let mut from = at + end.len();
    while let Some(c) = text[from..].chars().next() {
        if c == '\\' && !raw {
            from += 1 + text[from + 1..].chars().next().map_or(0, char::len_utf8);
        } else if text[from..].starts_with(end) {
            return from + end.len();
        } else {
            from += c.len_utf8();
        }
    }
    text.len()
}

/// The texts between the joints; the whole, if a choice stands beside them.
pub(crate) fn split(text: &str) -> Vec<String> {
    let shape = shape(text);
    if shape.choice || shape.joints.is_empty() {
        return vec![text.trim().into()];
    }
    let mut from = 0;
    let mut out = vec![];
    for at in shape.joints.into_iter().chain([text.len()]) {
        out.push(text[from..at].trim().to_string());
        from = (at + 2).min(text.len());
    }
    out
}
