//! What two runs of the same thing have in common: the table and an answer without ids, times, hashes, sealed bytes
//! and large numbers, which chance and the clock choose.

use crate::state::{self, State};
use dynoxide::{Item, types::AttributeValue};
use serde_json::Value;
use std::collections::BTreeMap;

/// What has changed from one moment to another, one line per item, sorted. Quotas stand as their sum: which shard
/// gives is chance.
pub(crate) fn of_change(from: &State, to: &State) -> Vec<String> {
    let (mut lines, mut quotas) = (vec![], BTreeMap::<String, i64>::new());
    for (pk, sk) in to.changed(from) {
        let (was, is) = (from.get(&pk, &sk), to.get(&pk, &sk));
        let mut words = pk.split('#').skip(1);
        match words.next() {
            Some("quota") => {
                let left =
                    |item: Option<&Item>| item.and_then(|i| state::number(i, "left")).unwrap_or_default();
                *quotas.entry(words.next().unwrap_or_default().into()).or_default() += left(is) - left(was);
            }
            // Numbers may have gaps, and may be taken in blocks; tries are counted, and one that failed has used one up.
            Some("seq" | "rate") => {}
            // Notes of the queues about messages, not the product's own state; the platform's key is made with the first.
            Some("dead") => {}
            Some("key") if pk.starts_with("platform#") => {}
            _ => lines.push(is.map_or_else(
                || format!("gone: {} {}", masked(&pk), masked(&sk)),
                |item| line(&pk, &sk, item),
            )),
        }
    }
    let taken = quotas.into_iter().filter(|(_, taken)| *taken != 0);
    // Of bytes only that some were taken: no two prints have the same size.
    lines.extend(taken.map(|(name, taken)| format!("quota {name}: {}", masked(&taken.to_string()))));
    lines.sort_unstable();
    lines
}

/// How often something was tried, and by whom it was carried.
const TRIED: &[&str] =
    &["version", "head", "tries", "attempts", "last_at", "look_at", "provider_id", "gsi3sk"];

/// What has become of one moment in another, however often it was tried: what the records are, which events were told,
/// and what else lies there. History without an event, what is remembered of requests and messages, and what is counted
/// by the minute or the hour (later is another one) is not it.
pub(crate) fn of_end(from: &State, to: &State) -> Vec<String> {
    let (mut lines, mut quotas) = (vec![], BTreeMap::<String, i64>::new());
    for (pk, sk) in to.changed(from) {
        let (was, is) = (from.get(&pk, &sk), to.get(&pk, &sk));
        let mut words = pk.split('#').skip(1);
        match words.next() {
            Some("quota") => {
                let left =
                    |item: Option<&Item>| item.and_then(|i| state::number(i, "left")).unwrap_or_default();
                *quotas.entry(words.next().unwrap_or_default().into()).or_default() += left(is) - left(was);
            }
            Some("seq" | "rate" | "metric" | "dead" | "seen" | "idem") => {}
            Some("key") if pk.starts_with("platform#") => {}
            Some("chg") => {
                let event = is.and_then(|item| item.get("event"));
                lines.extend(event.map(|event| {
                    let mut line = format!("{} told ", masked(&pk));
                    value(event, &mut line);
                    line
                }));
            }
            _ => lines.push(is.map_or_else(
                || format!("gone: {} {}", masked(&pk), masked(&sk)),
                |item| {
                    let mut item = item.clone();
                    item.retain(|name, _| !TRIED.contains(&name.as_str()));
                    line(&pk, &sk, &item)
                },
            )),
        }
    }
    let taken = quotas.into_iter().filter(|(_, taken)| *taken != 0);
    lines.extend(taken.map(|(name, taken)| format!("quota {name}: {}", masked(&taken.to_string()))));
    lines.sort_unstable();
    lines
}

/// An answer, whichever version of the record it shows.
pub(crate) fn unversioned(words: &str) -> String {
    let mut parts = words.split("version:");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out.push_str("version:*");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

fn line(pk: &str, sk: &str, item: &Item) -> String {
    let mut names: Vec<&String> = item.keys().filter(|name| !matches!(name.as_str(), "pk" | "sk")).collect();
    names.sort_unstable();
    let mut line = format!("{} {}", masked(pk), masked(sk));
    for name in names {
        // The shard of a day's list follows from the id.
        if name == "gsi4pk" {
            continue;
        }
        line.push_str(&format!(" {name}="));
        // How long something took.
        if name == "ms" || name == "ms_sum" {
            line.push('9');
            continue;
        }
        value(&item[name], &mut line);
    }
    line
}

fn value(of: &AttributeValue, out: &mut String) {
    match of {
        AttributeValue::S(text) => out.push_str(&masked(text)),
        AttributeValue::N(number) => out.push_str(&masked(number)),
        AttributeValue::BOOL(b) => out.push_str(if *b { "true" } else { "false" }),
        AttributeValue::L(all) => {
            // Of a list of ids the order is chance.
            let mut each: Vec<String> = all
                .iter()
                .map(|v| {
                    let mut one = String::new();
                    value(v, &mut one);
                    one
                })
                .collect();
            each.sort_unstable();
            out.push_str(&format!("[{}]", each.join(",")));
        }
        AttributeValue::M(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort_unstable();
            out.push('{');
            for name in names {
                out.push_str(&format!("{}:", masked(name)));
                value(&map[name], out);
                out.push(',');
            }
            out.push('}');
        }
        AttributeValue::B(_) => out.push_str("<sealed>"),
        _ => out.push('?'),
    }
}

pub(crate) fn of_body(body: &Value) -> String {
    match body {
        Value::String(text) => format!("\"{}\"", masked(text)),
        Value::Number(number) => masked(&number.to_string()),
        Value::Array(all) => {
            let mut each: Vec<String> = all.iter().map(of_body).collect();
            each.sort_unstable();
            format!("[{}]", each.join(","))
        }
        Value::Object(map) => {
            let each = map
                .iter()
                .map(|(k, v)| (k, if k == "ms" { "9".into() } else { of_body(v) }))
                .collect::<Vec<_>>();
            let mut each: Vec<String> = each.iter().map(|(k, v)| format!("{}:{v}", masked(k))).collect();
            each.sort_unstable();
            format!("{{{}}}", each.join(","))
        }
        other => other.to_string(),
    }
}

/// What only one of the two has, a few lines of it.
pub(crate) fn difference(wanted: &[String], got: &[String]) -> Vec<String> {
    let mut counted = BTreeMap::<&String, i32>::new();
    wanted.iter().for_each(|line| *counted.entry(line).or_default() += 1);
    got.iter().for_each(|line| *counted.entry(line).or_default() -= 1);
    let differs = counted.into_iter().filter(|(_, n)| *n != 0);
    differs
        .take(6)
        .map(|(line, n)| format!("{} {line}", if n > 0 { "missing:" } else { "too much:" }))
        .collect()
}

/// A text without what chance and the clock have put into it.
pub(crate) fn masked(text: &str) -> String {
    let (mut out, bytes, mut at) = (String::with_capacity(text.len()), text.as_bytes(), 0);
    while at < bytes.len() {
        if let Some(end) = time(bytes, at) {
            out.push('T');
            at = end;
            continue;
        }
        // An encoded `#` in a key.
        if text[at..].starts_with("%23") {
            out.push('#');
            at += 3;
            continue;
        }
        // A secret in Base64.
        if text[at..].starts_with("whsec_") {
            let secret = bytes[at..].iter().take_while(|b| b.is_ascii_graphic() && !b"\"',".contains(b));
            at += secret.count();
            out.push_str("whsec_*");
            continue;
        }
        let run =
            bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        if run == 0 {
            let next = text[at..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&text[at..at + next]);
            at += next;
            continue;
        }
        word(&text[at..at + run], &mut out);
        at += run;
    }
    out
}

/// Where an RFC 3339 time that begins here ends.
fn time(bytes: &[u8], at: usize) -> Option<usize> {
    let form = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(n, want): (usize, &u8)| match (bytes.get(at + n), want) {
        (Some(b), b'd') => b.is_ascii_digit(),
        (Some(b), want) => b == want,
        (None, _) => false,
    };
    form.iter().enumerate().all(fits).then_some(())?;
    let rest = bytes[at + form.len()..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let end = at + form.len() + rest;
    Some(end + usize::from(bytes.get(end) == Some(&b'Z')))
}

/// What is read out on the telephone, or written down: `Q5P7-R23J`, `7FAXY-ZXHJE`.
fn is_reference(run: &str) -> bool {
    let part = |word: &str| {
        (4..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    run.split_once('-')
        .is_some_and(|(a, b)| part(a) && part(b) && run.bytes().any(|b| b.is_ascii_uppercase()))
}

/// The series of a record's number: `PT` of `PT-2026-00017`.
fn series(run: &str) -> Option<&str> {
    let mut words = run.split('-');
    let (Some(series), Some(year), Some(number), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let capital = series.bytes().all(|b| b.is_ascii_uppercase()) && !series.is_empty();
    (capital && year.len() == 4 && digits(year) && digits(number)).then_some(series)
}

/// Letters, digits, `_` and `-`.
fn word(run: &str, out: &mut String) {
    let has = |of: fn(&u8) -> bool| run.bytes().any(|b| of(&b));
    let (digits, capitals) = (has(u8::is_ascii_digit), has(u8::is_ascii_uppercase));
    if run.len() >= 16 && digits && (capitals || run.bytes().all(|b| b.is_ascii_hexdigit()))
        || run.len() >= 20 && capitals
    {
        // `pat_` and a ULID.
        let is_id = run.len() == 30 && run.as_bytes()[3] == b'_';
        out.push_str(if is_id { &run[..3] } else { "" });
        out.push('*');
        return;
    }
    if is_reference(run) {
        out.push_str("*-*");
        return;
    }
    if let Some(series) = series(run) {
        out.push_str(series);
        out.push_str("-9");
        return;
    }
    for part in run.split_inclusive(['_', '-']) {
        let (bare, end) = match part.chars().last() {
            Some(c @ ('_' | '-')) => (&part[..part.len() - 1], Some(c)),
            _ => (part, None),
        };
        match bare {
            _ if bare.len() >= 3 && bare.bytes().all(|b| b.is_ascii_digit()) => out.push('9'),
            // Blind indexes in keys.
            _ if bare.len() >= 8 && bare.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) => {
                out.push('*')
            }
            _ => out.push_str(bare),
        }
        out.extend(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chance_chooses_is_masked_and_words_stay() {
        for (text, wanted) in [
            ("01M8KB8T6Q8FHRJEYWSS6XJS5P#pat#pat_01M8KB8T6Q8FHRJEYWSS6XJS5P", "*#pat#pat*"),
            ("2026-11-29T13:08:57.123Z#x", "T#x"),
            ("PT-2026-00017", "PT-9"),
            ("HOLD-2026-1 of 2026-11-29", "HOLD-9 of 9-11-29"),
            ("version 12 of in_review", "version 12 of in_review"),
            ("possible-duplicate-of-something-long", "possible-duplicate-of-something-long"),
            ("9f86d081884c7d659a2feaa0c55ad015", "*"),
            ("https://app.test/l/Zk3-xQ_9aBcDeFgHiJkLmN", "https://app.test/l/*"),
            ("Ọmọ 2", "Ọmọ 2"),
            ("x%23a%232026-11-23T08:00:05.041Z", "x#a#T"),
            ("whsec_Ab+/c==", "whsec_*"),
            ("reference Q5P7-R23J of 2026-1130", "reference *-* of 9-9"),
        ] {
            assert_eq!(masked(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_difference_names_what_is_missing_and_what_is_too_much() {
        let lines = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(difference(&lines(&["a", "b", "b"]), &lines(&["b", "b", "a"])), [] as [String; 0]);
        assert_eq!(
            difference(&lines(&["a", "b", "b"]), &lines(&["b", "c"])),
            ["missing: a", "missing: b", "too much: c"]
        );
    }
}
