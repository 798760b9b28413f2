//! Items in the database's own JSON, and their digest. Numbers come back from the table in another spelling than
//! they went in (`1.0` as `1`), so they are digested by their value.

use super::form::{canonical, hex_digest};
use aws_sdk_dynamodb::types::AttributeValue as Av;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// An item as the stream and the table's own interface write it.
pub fn typed(item: &HashMap<String, Av>) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), one(value))).collect())
}

fn one(value: &Av) -> Value {
    match value {
        Av::S(text) => json!({ "S": text }),
        Av::N(number) => json!({ "N": number }),
        Av::B(bytes) => json!({"B": STANDARD.encode(bytes.as_ref())}),
        Av::Bool(is) => json!({ "BOOL": is }),
        Av::L(all) => json!({"L": all.iter().map(one).collect::<Vec<_>>()}),
        Av::M(map) => {
            json!({"M": map.iter().map(|(name, value)| (name.clone(), one(value))).collect::<Map<_, _>>()})
        }
        Av::Ss(all) => json!({ "SS": all }),
        _ => json!({"NULL": true}),
    }
}

/// Digest of a record's item as it lies there, without `head`, which names the change that holds this digest.
pub fn item_digest(item: &Value) -> String {
    let kept = item.as_object().into_iter().flatten().filter(|(name, _)| *name != "head");
    let kept = kept.map(|(name, value)| (name.clone(), settled(value))).collect();
    hex_digest(&canonical(&Value::Object(kept)))
}

/// Digest of an attribute about to be written.
pub(crate) fn typed_digest(value: &Av) -> String {
    value_digest(&one(value))
}

/// Digest of one attribute.
pub(crate) fn value_digest(value: &Value) -> String {
    hex_digest(&canonical(&settled(value)))
}

fn settled(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|map| map.iter().next()) else {
        return value.clone();
    };
    match (kind.as_str(), inner) {
        ("N", Value::String(number)) => json!({"N": number_of(number)}),
        ("L", Value::Array(all)) => json!({"L": all.iter().map(settled).collect::<Vec<_>>()}),
        ("M", Value::Object(map)) => {
            json!({"M": map.iter().map(|(name, value)| (name.clone(), settled(value))).collect::<Map<_, _>>()})
        }
        _ => value.clone(),
    }
}

/// Sign, digits without zeros at their ends, and the exponent of the last digit: one spelling per value.
fn number_of(text: &str) -> String {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    let kept = digits.trim_start_matches('0').trim_end_matches('0');
    if kept.is_empty() {
        return "0".into();
    }
    let dropped = digits.trim_start_matches('0').len() - kept.len();
    let exponent = exponent.parse::<i64>().unwrap_or_default() - part.len() as i64 + dropped as i64;
    format!("{sign}{kept}e{exponent}")
}

/// The bytes of a binary attribute.
pub(crate) fn bytes(item: &Value, name: &str) -> Option<Vec<u8>> {
    STANDARD.decode(item[name]["B"].as_str()?).ok()
}

pub(crate) fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item[name]["S"].as_str()
}

pub(crate) fn number(item: &Value, name: &str) -> Option<u64> {
    item[name]["N"].as_str()?.parse().ok()
}

/// A list of texts.
pub(crate) fn texts(item: &Value, name: &str) -> Vec<String> {
    let all = item[name]["L"].as_array().into_iter().flatten();
    all.filter_map(|v| v["S"].as_str().map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digested_by_its_value() {
        for (a, b) in [("1.0", "1"), ("100", "1E2"), ("0.50", "5e-1"), ("-0.0", "0"), ("1.50e1", "15")] {
            assert_eq!(number_of(a), number_of(b), "{a} {b}");
        }
        for (a, b) in [("1", "10"), ("1", "-1"), ("0.1", "0.01"), ("9007199254740993", "9007199254740992")] {
            assert_ne!(number_of(a), number_of(b), "{a} {b}");
        }
    }

    #[test]
    fn the_head_is_the_only_attribute_that_the_digest_leaves_out() {
        let item = |head: &str, phone: &str| json!({"head": {"S": head}, "phone": {"S": phone}});
        assert_eq!(item_digest(&item("a", "1")), item_digest(&item("b", "1")));
        assert_ne!(item_digest(&item("a", "1")), item_digest(&item("a", "2")));
    }
}
