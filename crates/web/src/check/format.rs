//! What text may look like.

use kernel::Fault;
use regex_lite::Regex;
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

/// Characters that show a reader something else than what is stored: control characters and those that turn
/// the direction of writing around. Line breaks and tabs are text.
pub fn hostile(text: &str) -> Option<char> {
    text.chars().find(|c| {
        let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        control || turns
    })
}

/// Faults of one text under its schema.
pub(crate) fn text(schema: &Map<String, Value>, text: &str, at: &str, faults: &mut Vec<Fault>) {
    let mut fault = |code, detail: String| faults.push(Fault::new(at, code, detail));
    if let Some(c) = hostile(text) {
        return fault("hostile", format!("may not hold the character U+{:04X}", c as u32));
    }
    let length = text.chars().count() as u64;
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    match (bound("minLength"), bound("maxLength")) {
        (Some(least), _) if length < least && least == 1 => {
            return fault("length", "may not be empty".into());
        }
        (Some(least), _) if length < least => return fault("length", format!("at least {least} characters")),
        (_, Some(most)) if length > most => return fault("length", format!("at most {most} characters")),
        (_, None) if length > LONGEST => return fault("length", format!("at most {LONGEST} characters")),
        _ => {}
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && let Some(wanted) = unlike(format, text)
    {
        fault("format", format!("expected {wanted}"));
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && !regex(pattern).is_match(text)
    {
        match pattern.strip_suffix("_[0-7][0-9A-HJKMNP-TV-Z]{25}$").and_then(|p| p.strip_prefix('^')) {
            Some(kind) => fault("id", format!("expected {kind}_<ulid>")),
            None => fault("pattern", format!("expected the form {pattern}")),
        }
    }
}

/// Characters of a text whose schema sets no bound.
const LONGEST: u64 = 1000;

/// What a text should be, if it is not.
fn unlike(format: &str, text: &str) -> Option<&'static str> {
    let (is, wanted) = match format {
        "email" => (email(text), "an e-mail address"),
        "date" => (text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(), "a date: YYYY-MM-DD"),
        "time" | "partial-time" => (text.parse::<jiff::civil::Time>().is_ok(), "a time: HH:MM"),
        "date-time" => {
            (text.parse::<jiff::Timestamp>().is_ok(), "a time with its zone: 2026-01-31T09:00:00Z")
        }
        "uri" => (text.starts_with("https://") && text.len() > 11 && !text.contains(' '), "an https address"),
        _ => return None,
    };
    (!is).then_some(wanted)
}

fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| c.is_ascii_graphic() && !"\"(),:;<>[\\]@".contains(c);
    let local = (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.');
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !l.starts_with('-')
    };
    local && text.len() <= 254 && domain.contains('.') && domain.split('.').all(label)
}

fn regex(pattern: &str) -> Arc<Regex> {
    static ALL: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    let mut all = ALL.lock().expect("never poisoned");
    let made = || Arc::new(Regex::new(pattern).expect("a pattern of our own schemas"));
    all.entry(pattern.into()).or_insert_with(made).clone()
}
