//! Telephone numbers: whatever spelling is typed at a desk becomes one E.164 form, so that two
//! spellings of one number are found as one.
use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Fault, country::Country};

/// A number in the form of ITU-T E.164: `+`, country code, subscriber, at most 15 digits.
/// `Debug` shows the last four digits only, since numbers of patients must not reach a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("write the number with digits, spaces and hyphens only, such as 0803 123 4567")]
    Characters,
    #[error("write the number with its country code, such as +234 803 123 4567")]
    CountryCode,
    #[error("a number has 7 to 15 digits, country code included")]
    Length,
    #[error("a Nigerian number has 11 digits and begins with 070, 071, 080, 081, 090 or 091")]
    Nigerian,
    #[error("a British number has 10 or 11 digits and begins with 01, 02, 03, 05, 07, 08 or 09")]
    British,
}

impl PhoneError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Characters => "phone-characters",
            Self::CountryCode => "phone-country-code",
            Self::Length => "phone-length",
            Self::Nigerian => "phone-nigerian",
            Self::British => "phone-british",
        }
    }

    pub fn fault(self, pointer: impl Into<String>) -> Fault {
        Fault::new(pointer, self.code(), self.to_string())
    }
}

/// Longer than any number with separators; more is not looked at.
const TYPED_MAX: usize = 40;

impl E164 {
    /// Reads a number as typed by somebody in `home`. Nigerian and British numbers may be typed as they
    /// are dialled at home (`0803 123 4567`), with or without `+`; all others need `+` or `00`.
    pub fn parse(typed: &str, home: Country) -> Result<Self, PhoneError> {
        let digits = international(&compact(typed)?, home)?;
        let national =
            |code: &str| digits.strip_prefix(code).map(|rest| rest.strip_prefix('0').unwrap_or(rest));
        if let Some(rest) = national("234") {
            return if nigerian(rest) { Ok(Self(format!("+234{rest}"))) } else { Err(PhoneError::Nigerian) };
        }
        if let Some(rest) = national("44") {
            return if british(rest) { Ok(Self(format!("+44{rest}"))) } else { Err(PhoneError::British) };
        }
        match digits.len() {
            _ if digits.starts_with('0') => Err(PhoneError::CountryCode),
            7..=15 => Ok(Self(format!("+{digits}"))),
            _ => Err(PhoneError::Length),
        }
    }

    /// A number that already has the stored form; its national rule is not asked again, because a
    /// number stored under an older rule must stay readable.
    pub fn stored(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::CountryCode)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneError::Characters);
        }
        match digits.len() {
            _ if digits.starts_with('0') => Err(PhoneError::CountryCode),
            7..=15 => Ok(Self(text.to_owned())),
            _ => Err(PhoneError::Length),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For people without the right to the whole number: `*********4567`.
    pub fn masked(&self) -> String {
        crate::identifier::mask(&self.0)
    }
}

/// Digits with an optional leading `+`; separators that people and word processors write are dropped.
fn compact(typed: &str) -> Result<String, PhoneError> {
    let typed = typed.trim();
    if typed.is_empty() || typed.len() > TYPED_MAX {
        return Err(PhoneError::Length);
    }
    let mut bare = String::with_capacity(typed.len());
    for c in typed.chars() {
        match c {
            '0'..='9' => bare.push(c),
            '+' if bare.is_empty() => bare.push(c),
            ' ' | '-' | '.' | '(' | ')' | '/' => {}
            // no-break spaces, hyphens and dashes of pasted text
            '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2015}' => {}
            _ => return Err(PhoneError::Characters),
        }
    }
    Ok(bare)
}

/// Country code and subscriber, without `+`. The code may still be followed by a trunk zero.
fn international(bare: &str, home: Country) -> Result<String, PhoneError> {
    if let Some(digits) = bare.strip_prefix('+') {
        return Ok(digits.to_owned());
    }
    if let Some(digits) = bare.strip_prefix("00") {
        // In Nigeria one dials 009 abroad, so 0091… could mean two countries; it is not guessed.
        let ambiguous = home == Country::NG && digits.starts_with('9');
        return if ambiguous { Err(PhoneError::CountryCode) } else { Ok(digits.to_owned()) };
    }
    let trunk = bare.strip_prefix('0');
    match home {
        Country::NG => match trunk {
            Some(rest) => Ok(format!("234{rest}")),
            None if bare.len() == 13 && bare.starts_with("234") => Ok(bare.to_owned()),
            None => Err(PhoneError::Nigerian),
        },
        Country::GB => match trunk {
            Some(rest) => Ok(format!("44{rest}")),
            None if bare.len() == 12 && bare.starts_with("44") => Ok(bare.to_owned()),
            None => Err(PhoneError::British),
        },
        _ => Err(PhoneError::CountryCode),
    }
}

/// `[789][01]` and eight digits: the ten that follow the zero of an 11-digit Nigerian number (as of
/// November 2026; the length is certain, the prefix classes are from memory).
fn nigerian(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'7'..=b'9', b'0' | b'1', more @ ..] if more.len() == 8)
}

/// Nine or ten digits after the zero (Ofcom's national numbering plan; 04 and 06 are not in use).
fn british(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'1'..=b'3' | b'5' | b'7'..=b'9', more @ ..] if matches!(more.len(), 8 | 9))
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for E164 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for E164 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::stored(&Cow::<str>::deserialize(from)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for E164 {
    fn schema_name() -> Cow<'static, str> {
        "E164".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+2348031234567"],
            "description": "Telephone number in the form of E.164",
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
#[path = "phone_tests.rs"]
mod tests;
