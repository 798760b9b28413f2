//! What two runs of the same thing have in common: the table and an answer without ids, times, hashes, sealed bytes
//! and large numbers, which chance and the clock choose.

mod mask;

pub(crate) use mask::masked;

use crate::proof::state::{self, State};
use dynoxide::{Item, types::AttributeValue};
use serde_json::Value;
use std::collections::BTreeMap;

/// What has changed from one moment to another, one line per item, sorted. Quotas stand as their sum: which shard
/// gives is chance.
pub(crate) fn of_change(from: &State, to: &State) -> Vec<String> {
    lines(from, to, |family, pk, sk, is| match family {
        // Numbers may have gaps, and may be taken in blocks; tries are counted, and one that failed has used one up.
        Some("seq" | "rate") => None,
        // Notes of the queues about messages, not the product's own state; the platform's key is made with the first.
        Some("dead") => None,
        Some("key") if pk.starts_with("platform#") => None,
        _ => Some(is.map_or_else(|| gone(pk, sk), |item| line(pk, sk, item))),
    })
}

/// How often something was tried, and by whom it was carried.
const TRIED: &[&str] =
    &["version", "head", "tries", "attempts", "last_at", "look_at", "provider_id", "gsi3sk"];

/// What has become of one moment in another, however often it was tried: what the records are, which events were told,
/// and what else lies there. History without an event, what is remembered of requests and messages, and what is counted
/// by the minute or the hour (later is another one) is not it.
pub(crate) fn of_end(from: &State, to: &State) -> Vec<String> {
    lines(from, to, |family, pk, sk, is| match family {
        Some("seq" | "rate" | "metric" | "dead" | "seen" | "idem") => None,
        Some("key") if pk.starts_with("platform#") => None,
        Some("chg") => {
            let mut line = format!("{} told ", masked(pk));
            value(is?.get("event")?, &mut line);
            Some(line)
        }
        _ => Some(is.map_or_else(
            || gone(pk, sk),
            |item| {
                let mut item = item.clone();
                item.retain(|name, _| !TRIED.contains(&name.as_str()));
                line(pk, sk, &item)
            },
        )),
    })
}

/// Of every place that has changed what there is to say, if anything: by its family (`idem` of `<scope>#idem#…`), its
/// keys, and what lies there now. And of quotas their sum.
fn lines(
    from: &State,
    to: &State,
    say: impl Fn(Option<&str>, &str, &str, Option<&Item>) -> Option<String>,
) -> Vec<String> {
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
            family => lines.extend(say(family, &pk, &sk, is)),
        }
    }
    let taken = quotas.into_iter().filter(|(_, taken)| *taken != 0);
    // Of bytes only that some were taken: no two prints have the same size.
    lines.extend(taken.map(|(name, taken)| format!("quota {name}: {}", masked(&taken.to_string()))));
    lines.sort_unstable();
    lines
}

fn gone(pk: &str, sk: &str) -> String {
    format!("gone: {} {}", masked(pk), masked(sk))
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

#[cfg(test)]
mod tests {
    use super::*;

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
