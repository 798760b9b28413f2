//! Text that people type: kept in one spelling (Unicode NFC), never with characters that hide or
//! reorder what a reader sees.
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("this may not be empty")]
    Empty,
    #[error("at most {0} characters are allowed")]
    TooLong(usize),
    #[error("the character U+{:04X} is invisible or reverses the text and is not allowed", u32::from(*.0))]
    Hidden(char),
    #[error("a name has letters, spaces, hyphens, apostrophes and dots only, not {0:?}")]
    NotInName(char),
    #[error("a name has at least one letter")]
    NoLetter,
    #[error("a short name has 3 to 30 small letters, digits and hyphens and begins with a letter")]
    Slug,
    #[error("this short name is kept for the platform itself")]
    ReservedSlug,
    #[error("write an e-mail address such as ada@example.org")]
    Email,
}

impl TextError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong(_) => "too-long",
            Self::Hidden(_) => "hidden-character",
            Self::NotInName(_) | Self::NoLetter => "invalid-name",
            Self::Slug => "invalid-slug",
            Self::ReservedSlug => "slug-reserved",
            Self::Email => "invalid-email",
        }
    }

    pub fn fault(self, pointer: impl Into<String>) -> Fault {
        Fault::new(pointer, self.code(), self.to_string())
    }
}

/// Longest name of one part of a person's name, in characters.
pub const NAME_MAX: usize = 60;

/// One line (a title, a reason, a label): trimmed, NFC, 1 to `max` characters, nothing hidden.
pub fn line(typed: &str, max: usize) -> Result<String, TextError> {
    within(typed, max, is_hidden)
}

/// Text of several lines (a note): as `line`, with line feeds and tabs. CR LF becomes LF.
pub fn lines(typed: &str, max: usize) -> Result<String, TextError> {
    let bounded = bounded(typed, max)?;
    let unix = if bounded.contains('\r') { bounded.replace("\r\n", "\n") } else { bounded.to_owned() };
    within(&unix, max, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// A part of a person's name: letters of any script with their marks, spaces, `-`, `'` and `.`, at most
/// 60 characters. Runs of spaces become one, typographic hyphens and apostrophes the plain ones.
pub fn person_name(typed: &str) -> Result<String, TextError> {
    let plain: String = bounded(typed, NAME_MAX)?.chars().map(plain_mark).collect();
    let name = within(
        &plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "),
        NAME_MAX,
        is_hidden,
    )?;
    let mut after_letter = false;
    for c in name.chars() {
        let letter = c.is_alphabetic();
        let fits = letter || matches!(c, ' ' | '-' | '\'' | '.') || (after_letter && belongs_to_letter(c));
        if !fits {
            return Err(TextError::NotInName(c));
        }
        after_letter = letter || (after_letter && belongs_to_letter(c));
    }
    if name.chars().any(char::is_alphabetic) { Ok(name) } else { Err(TextError::NoLetter) }
}

/// Marks, and the joiners without which Persian and Indic names cannot be spelt.
fn belongs_to_letter(c: char) -> bool {
    is_combining_mark(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

fn plain_mark(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{2bb}' | '\u{2bc}' | '\u{60}' | '\u{b4}' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        '\u{a0}' | '\u{202f}' => ' ',
        other => other,
    }
}

/// Characters that change what is read without being seen: controls, bidirectional overrides, embeddings
/// and isolates, zero-width spaces, separators of lines, tags, annotations, noncharacters.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{e0000}'..='\u{e007f}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Refuses text that cannot fit before any work is done on it: at most nine bytes (three Hangul letters)
/// compose into one character, and twelve leave room.
fn bounded(typed: &str, max: usize) -> Result<&str, TextError> {
    let trimmed = typed.trim();
    if trimmed.len() > max.saturating_mul(12) { Err(TextError::TooLong(max)) } else { Ok(trimmed) }
}

fn within(typed: &str, max: usize, refused: impl Fn(char) -> bool) -> Result<String, TextError> {
    let trimmed = bounded(typed, max)?;
    if let Some(hidden) = trimmed.chars().find(|c| refused(*c)) {
        return Err(TextError::Hidden(hidden));
    }
    let composed: String = trimmed.nfc().collect();
    match composed.chars().count() {
        0 => Err(TextError::Empty),
        count if count > max => Err(TextError::TooLong(max)),
        _ => Ok(composed),
    }
}

/// Names of hosts and paths that no organisation may have.
pub const RESERVED_SLUGS: &[&str] = &["admin", "api", "auth", "docs", "mail", "platform", "status", "www"];

/// An organisation's short name, `^[a-z][a-z0-9-]{2,29}$` and not reserved.
pub fn slug(typed: &str) -> Result<&str, TextError> {
    let begins = typed.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !begins || !(3..=30).contains(&typed.len()) || !typed.bytes().all(fits) {
        return Err(TextError::Slug);
    }
    if RESERVED_SLUGS.contains(&typed) { Err(TextError::ReservedSlug) } else { Ok(typed) }
}

/// A short name proposed from an organisation's name: `Grâce & Mercy Hospital` → `grace-mercy-hospital`.
/// `None` when the name has too few Latin letters, or gives a reserved word.
pub fn propose_slug(name: &str) -> Option<String> {
    let mut proposed = String::new();
    for c in
        name.chars().take(200).nfkd().filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '\u{2019}'))
    {
        match latin(c) {
            Some(c) if !proposed.is_empty() || c.is_ascii_lowercase() => proposed.push(c),
            None if !proposed.is_empty() && !proposed.ends_with('-') => proposed.push('-'),
            _ => {}
        }
    }
    proposed.truncate(30);
    let proposed = proposed.trim_end_matches('-');
    slug(proposed).ok().map(str::to_owned)
}

/// The plain letter or digit that a character is written with in a short name; Hausa's hooked letters
/// have no decomposition in Unicode.
fn latin(c: char) -> Option<char> {
    let plain = match c {
        'ɓ' | 'Ɓ' => 'b',
        'ɗ' | 'Ɗ' => 'd',
        'ƙ' | 'Ƙ' => 'k',
        'ƴ' | 'Ƴ' => 'y',
        other => other.to_ascii_lowercase(),
    };
    plain.is_ascii_alphanumeric().then_some(plain)
}

/// What two spellings of a name have in common, for sorting and finding: small letters without marks, everything that
/// is neither letter nor digit a space, and single spaces.
pub fn folded(typed: &str) -> String {
    let plain = typed.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let hooked = |c| match c {
        'ɓ' => 'b',
        'ɗ' => 'd',
        'ƙ' => 'k',
        'ƴ' => 'y',
        c if c.is_alphanumeric() => c,
        _ => ' ',
    };
    let spaced: String = plain.map(hooked).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An e-mail address in small letters, at most 254 characters: one `@`, a dotted ASCII host behind it
/// (international hosts in their `xn--` form). Whether it receives mail is known only by writing to it.
pub fn email(typed: &str) -> Result<String, TextError> {
    let address = typed.trim();
    if address.len() > 254 {
        return Err(TextError::TooLong(254));
    }
    let (local, host) = address.rsplit_once('@').ok_or(TextError::Email)?;
    let atom = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    let label = |text: &str| {
        (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    let fits = local.len() <= 64
        && local.split('.').all(atom)
        && host.contains('.')
        && host.split('.').all(label)
        && top.len() >= 2
        && !top.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(address.to_ascii_lowercase()) } else { Err(TextError::Email) }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
