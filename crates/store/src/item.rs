//! From structs to items and back: serde, then one walk that turns each sealed marker into ciphertext bound
//! to its place. Every binary attribute of ours is a sealed value, except for the digests of a change record.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue as Av};
use kernel::{Error, Result};
use seal::{MARK, Ring};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashMap, fmt::Display};

pub(crate) type Item = HashMap<String, Av>;

pub(crate) fn s(v: impl Display) -> Av {
    Av::S(v.to_string())
}
pub(crate) fn n(v: impl Display) -> Av {
    Av::N(v.to_string())
}
pub(crate) fn b(v: Vec<u8>) -> Av {
    Av::B(Blob::new(v))
}
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    let value = item.get(name).and_then(|v| v.as_s().ok());
    value.map(String::as_str).ok_or_else(|| Error::internal(format!("no text attribute {name}")))
}
pub(crate) fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
pub(crate) fn blob<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(Blob::as_ref)
}

/// A SHA-256 as the trail keeps it: 32 bytes instead of 64 digits.
pub(crate) fn digest(hex: &str) -> Result<Av> {
    hex::decode(hex).map(b).map_err(Error::internal)
}

/// A plain value (conditions, counters): nothing sealed inside.
pub(crate) fn to_value(v: &impl Serialize) -> Av {
    serde_dynamo::to_attribute_value(v).expect("a plain value")
}

/// `pk` is the full key of the item: part of what a sealed field is bound to.
pub(crate) fn to_item<T: Serialize>(ring: &Ring, pk: &str, value: &T) -> Result<Item> {
    let mut item: Item = seal::table(|| serde_dynamo::to_item(value)).map_err(Error::internal)?;
    for (name, value) in &mut item {
        shut(ring, &mut format!("{pk}|{name}"), value)?;
    }
    // `null` and absent mean the same to us; absent is shorter and keeps conditions simple.
    item.retain(|_, v| !matches!(v, Av::Null(_)));
    Ok(item)
}

pub(crate) fn from_item<T: DeserializeOwned>(ring: &Ring, pk: &str, mut item: Item) -> Result<T> {
    for (name, value) in &mut item {
        unshut(ring, &mut format!("{pk}|{name}"), value)?;
    }
    serde_dynamo::from_item(item).map_err(|e| silent::<T>(&e.to_string()))
}

/// What serde says of a stored value quotes it, and a cause is logged: only what stands before the quotation
/// is kept, which tells the kind of trouble and not the content.
fn silent<T>(said: &str) -> Error {
    let names_a_field = said.starts_with("missing field") || said.starts_with("duplicate field");
    let kept = if names_a_field { said } else { said.split(['"', '`']).next().unwrap_or_default() };
    Error::internal(format!("{} does not read: {kept}", std::any::type_name::<T>()))
}

/// Entries of a list are bound to the list, not to their position: a line may move.
fn shut(ring: &Ring, place: &mut String, value: &mut Av) -> Result<()> {
    match value {
        Av::M(map) if map.len() == 1 && map.contains_key(MARK) => {
            let plain = map.remove(MARK).expect("just seen");
            *value = if matches!(plain, Av::Null(_)) { plain } else { b(ring.seal(place, encode(plain)?)) };
        }
        Av::M(map) => {
            for (name, value) in map {
                let len = place.len();
                place.push('.');
                place.push_str(name);
                shut(ring, place, value)?;
                place.truncate(len);
            }
        }
        Av::L(list) => list.iter_mut().try_for_each(|v| shut(ring, place, v))?,
        _ => {}
    }
    Ok(())
}

fn unshut(ring: &Ring, place: &mut String, value: &mut Av) -> Result<()> {
    match value {
        Av::B(sealed) => *value = decode(&ring.unseal(place, sealed.as_ref())?)?,
        Av::M(map) => {
            for (name, value) in map {
                let len = place.len();
                place.push('.');
                place.push_str(name);
                unshut(ring, place, value)?;
                place.truncate(len);
            }
        }
        Av::L(list) => list.iter_mut().try_for_each(|v| unshut(ring, place, v))?,
        _ => {}
    }
    Ok(())
}

fn encode(plain: Av) -> Result<Vec<u8>> {
    let json: serde_json::Value = serde_dynamo::from_attribute_value(plain).map_err(Error::internal)?;
    serde_json::to_vec(&json).map_err(Error::internal)
}
fn decode(plain: &[u8]) -> Result<Av> {
    let json: serde_json::Value = serde_json::from_slice(plain).map_err(Error::internal)?;
    serde_dynamo::to_attribute_value(json).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::Sealed;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
    struct Line {
        text: Sealed<String>,
        n: u32,
    }
    #[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
    struct Noun {
        name: Sealed<String>,
        nothing: Option<Sealed<String>>,
        lines: Vec<Line>,
        whole: Sealed<Vec<Line2>>,
        open: String,
    }
    #[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
    struct Line2 {
        a: i64,
        b: Option<bool>,
    }

    fn noun() -> Noun {
        Noun {
            name: "Ada Okafor".into(),
            nothing: None,
            lines: vec![Line { text: "first".into(), n: 1 }, Line { text: "second".into(), n: 2 }],
            whole: Sealed(vec![Line2 { a: -7, b: None }, Line2 { a: 9, b: Some(true) }]),
            open: "plain".into(),
        }
    }

    #[test]
    fn sealed_fields_come_back_and_never_lie_open_in_the_item() {
        let ring = Ring::new([(1, [3; 32])]).unwrap();
        let item = to_item(&ring, "t#pat#1", &noun()).unwrap();
        let dump = format!("{item:?}");
        for secret in ["Ada", "first", "second"] {
            assert!(!dump.contains(secret), "{secret}");
        }
        assert!(dump.contains("plain"));
        assert_eq!(from_item::<Noun>(&ring, "t#pat#1", item.clone()).unwrap(), noun());
        assert!(from_item::<Noun>(&ring, "t#pat#2", item).is_err(), "moved to another record");
    }
}
