//! Whether an answer is what the document says: a small reading of JSON Schema, of the words that our schemas use for
//! answers. schemathesis (`.ci/fuzz`) reads all of it; this one is quick enough for every answer of a test.

use serde_json::Value;

/// Where the answer differs from the schema, and how; nothing, if it does not.
pub fn difference(value: &Value, schema: &Value, document: &Value) -> Option<String> {
    at("", value, schema, document)
}

fn at(place: &str, value: &Value, schema: &Value, document: &Value) -> Option<String> {
    let whole = |name: &str| at(place, value, &document["components"]["schemas"][name], document);
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return whole(name);
    }
    if schema == &Value::Bool(true) || schema.is_null() {
        return None;
    }
    let among = |forms: &Vec<Value>| {
        let differences: Vec<_> = forms.iter().map(|form| at(place, value, form, document)).collect();
        // The one that went furthest says most.
        let fits = differences.iter().any(Option::is_none);
        if fits { None } else { differences.into_iter().flatten().max_by_key(|d| d.matches('/').count()) }
    };
    for form in ["anyOf", "oneOf"] {
        if let Some(found) = schema[form].as_array().and_then(among) {
            return Some(found);
        }
    }
    let mut all = schema["allOf"].as_array().into_iter().flatten();
    if let Some(found) = all.find_map(|form| at(place, value, form, document)) {
        return Some(found);
    }
    let told = |what: String| Some(format!("{}: {what}", if place.is_empty() { "/" } else { place }));
    if !fits_type(value, &schema["type"]) {
        return told(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return told(format!("{value} is none of {}", schema["enum"]));
    }
    if schema.get("const").is_some_and(|one| one != value) {
        return told(format!("{value} is not {}", schema["const"]));
    }
    match value {
        Value::Object(members) => {
            let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if let Some(missing) = required.find(|name| !members.contains_key(*name)) {
                return told(format!("{missing} is missing"));
            }
            let known = schema["properties"].as_object();
            members.iter().find_map(|(name, value)| {
                let inner = format!("{place}/{name}");
                match known.and_then(|k| k.get(name)) {
                    Some(property) => at(&inner, value, property, document),
                    None if schema["additionalProperties"] == false => {
                        Some(format!("{inner}: is not documented"))
                    }
                    None => at(&inner, value, &schema["additionalProperties"], document),
                }
            })
        }
        Value::Array(all) => all
            .iter()
            .enumerate()
            .find_map(|(n, v)| at(&format!("{place}/{n}"), v, &schema["items"], document)),
        Value::String(text) => {
            let length = text.chars().count() as u64;
            let short = schema["minLength"].as_u64().is_some_and(|least| length < least);
            let long = schema["maxLength"].as_u64().is_some_and(|most| length > most);
            if short || long { told(format!("{length} characters")) } else { None }
        }
        _ => None,
    }
}

fn fits_type(value: &Value, wanted: &Value) -> bool {
    let one = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match wanted {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(one),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named_with_its_place() {
        let document = json!({"components": {"schemas": {"Line": {
            "type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "t": {"type": ["string", "null"], "minLength": 2}},
            "additionalProperties": false}}}});
        let schema = json!({"type": "array", "items": {"$ref": "#/components/schemas/Line"}});
        let told = |value: Value| difference(&value, &schema, &document).unwrap_or_default();
        assert_eq!(told(json!([{"n": 1, "t": null}, {"n": 2, "t": "ab"}])), "");
        assert_eq!(told(json!([{"n": 1}, {}])), "/1: n is missing");
        assert_eq!(told(json!([{"n": "1"}])), "/0/n: \"1\" is no \"integer\"");
        assert_eq!(told(json!([{"n": 1, "t": "a"}])), "/0/t: 1 characters");
        assert_eq!(told(json!([{"n": 1, "x": 1}])), "/0/x: is not documented");
        let either = json!({"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Line"}]});
        assert_eq!(difference(&json!(null), &either, &document), None);
        assert_eq!(difference(&json!({}), &either, &document).unwrap(), "/: n is missing");
    }
}
