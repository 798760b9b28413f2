//! JSON as it came. A member that stands twice is refused: whoever looked at the request before us may have
//! read the other one.

use kernel::{Error, Result};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// 400 for what is no JSON, nested deeper than 128 levels, or names a member twice.
pub fn json(bytes: &[u8]) -> Result<Value> {
    let read: serde_json::Result<Strict> = serde_json::from_slice(bytes);
    read.map(|s| s.0).map_err(|e| Error::invalid("", "json", format!("the body is no valid JSON: {e}")))
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Whole).map(Strict)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = vec![];
        while let Some(Strict(value)) = seq.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let Strict(value) = map.next_value()?;
            if all.insert(name.clone(), value).is_some() {
                let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(A::Error::custom(format!("{name} stands there twice")));
            }
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_reads_and_a_member_named_twice_is_refused() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "0.25",
            "\"a\\u0041\"",
            "[1,[],{}]",
            "{\"a\":{\"b\":1},\"b\":2}",
        ] {
            assert_eq!(json(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
        for text in
            ["{\"a\":1,\"a\":2}", "[{\"x\":{\"a\":1,\"b\":2,\"\\u0061\":3}}]", "1e400", "NaN", "{}{}", "01"]
        {
            assert_eq!(json(text.as_bytes()).unwrap_err().code(), "validation", "{text}");
        }
        assert!(json("[".repeat(5000).as_bytes()).is_err());
    }
}
