//! A stream record's image: the database's typed JSON, made plain. Sealed bytes are left out.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// The attributes of an image; `None` if it is none.
pub fn plain(image: &Value) -> Option<Value> {
    let attributes = image.as_object().filter(|o| !o.is_empty())?;
    let mut plain = map(attributes);
    // The one digest that is told on, as text.
    if let Some(hash) = image["hash"]["B"].as_str().and_then(|hash| STANDARD.decode(hash).ok()) {
        plain.insert("hash".into(), hex::encode(hash).into());
    }
    Some(Value::Object(plain))
}

fn map(attributes: &Map<String, Value>) -> Map<String, Value> {
    attributes.iter().filter_map(|(name, value)| Some((name.clone(), one(value)?))).collect()
}

fn one(value: &Value) -> Option<Value> {
    let (kind, inner) = value.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "S" | "BOOL" => inner.clone(),
        "N" => serde_json::from_str(inner.as_str()?).ok()?,
        "NULL" => Value::Null,
        "L" => inner.as_array()?.iter().filter_map(one).collect(),
        "M" => Value::Object(map(inner.as_object()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_becomes_plain_and_what_is_sealed_stays_behind() {
        let image = json!({
            "pk": {"S": "t#chg#pat#1"}, "version": {"N": "3"}, "patch": {"B": "AAEC"}, "hash": {"B": "qrs="},
            "event": {"M": {"type": {"S": "patient.updated"}, "data": {"M": {"fields": {"L": [{"S": "phones"}]}}}}},
        });
        let wanted = json!({
            "pk": "t#chg#pat#1", "version": 3, "hash": "aabb",
            "event": {"type": "patient.updated", "data": {"fields": ["phones"]}},
        });
        assert_eq!(plain(&image), Some(wanted));
        assert_eq!(plain(&json!({})), None);
    }
}
