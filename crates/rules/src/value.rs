//! Values on their way in and out: cut on the way in, so that no input makes a condition slow.

use cel::{Value as Cel, objects::Key};
use serde_json::{Map, Number, Value};
use std::{collections::HashMap, sync::Arc};

/// Bytes of an input, as JSON.
pub(crate) const LARGEST: usize = 32 * 1024;
/// Elements of a list that are looked at.
const ELEMENTS: usize = 200;
/// Bytes of a text that are looked at.
const TEXT: usize = 4 * 1024;
/// Characters of an error's text that are kept.
const SAID: usize = 300;

/// Bytes, roughly: keys and texts count whole, everything else as eight.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::String(s) => s.len() + 2,
        Value::Array(all) => all.iter().map(|v| 1 + size(v)).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(k, v)| k.len() + 4 + size(v)).sum::<usize>() + 2,
        _ => 8,
    }
}

pub(crate) fn of_json(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(b) => Cel::Bool(*b),
        Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => Cel::Int(i),
            (None, Some(u)) => Cel::UInt(u),
            _ => Cel::Float(n.as_f64().unwrap_or_default()),
        },
        Value::String(s) => Cel::String(Arc::new(s[..s.floor_char_boundary(TEXT)].to_string())),
        Value::Array(all) => Cel::List(Arc::new(all.iter().take(ELEMENTS).map(of_json).collect())),
        Value::Object(map) => {
            let entries: HashMap<Key, Cel> =
                map.iter().map(|(k, v)| (Key::String(Arc::new(k.clone())), of_json(v))).collect();
            Cel::from(entries)
        }
    }
}

pub(crate) fn to_json(value: &Cel) -> Result<Value, String> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(b) => Value::Bool(*b),
        Cel::Int(i) => Value::from(*i),
        Cel::UInt(u) => Value::from(*u),
        Cel::Float(f) => Number::from_f64(*f).map(Value::Number).ok_or("a number without a value")?,
        Cel::String(s) => Value::String(s.to_string()),
        Cel::List(all) => Value::Array(all.iter().map(to_json).collect::<Result<_, _>>()?),
        Cel::Map(map) => {
            let entry = |(k, v): (&Key, &Cel)| Ok((key(k), to_json(v)?));
            Value::Object(map.map.iter().map(entry).collect::<Result<Map<_, _>, String>>()?)
        }
        _ => return Err("the text gives something that is no value".into()),
    })
}

fn key(key: &Key) -> String {
    match key {
        Key::String(s) => s.to_string(),
        Key::Int(i) => i.to_string(),
        Key::Uint(u) => u.to_string(),
        Key::Bool(b) => b.to_string(),
    }
}

/// A value's sort, in words.
pub(crate) fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// An error's text without the values that it prints: they may be long.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(SAID).collect()
}
