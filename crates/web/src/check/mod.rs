//! Every fault of a body at once, from the same schema the documentation shows.

mod format;
mod json;
mod walk;

pub use format::hostile;
pub use json::json;
pub use walk::KEYWORDS;

use kernel::{Error, Fault, Result, error::faultless};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{
    any::TypeId,
    collections::HashMap,
    sync::{LazyLock, Mutex},
};
use walk::{Mode, Walk};

/// The schema of a type, made once per process.
pub fn schema_of<T: JsonSchema + 'static>() -> &'static Value {
    static ALL: LazyLock<Mutex<HashMap<TypeId, &'static Value>>> = LazyLock::new(Mutex::default);
    let mut all = ALL.lock().expect("never poisoned");
    all.entry(TypeId::of::<T>()).or_insert_with(|| Box::leak(Box::new(schemars::schema_for!(T).to_value())))
}

/// A body, or everything that is wrong with it.
pub fn read<T: JsonSchema + DeserializeOwned + 'static>(value: &Value) -> Result<T> {
    whole(value, Mode::Whole)
}

/// A JSON merge patch (RFC 7396) of a stored noun: the patch is checked (names, types, read-only fields), then
/// the result as a whole.
pub fn merge_patch<T>(stored: &T, patch: &Value) -> Result<T>
where
    T: serde::Serialize + JsonSchema + DeserializeOwned + 'static,
{
    if !patch.is_object() {
        return Err(Error::invalid("", "type", "expected an object: a JSON merge patch"));
    }
    faultless(faults::<T>(patch, Mode::Patch))?;
    let mut merged = seal::open(|| serde_json::to_value(stored)).map_err(Error::internal)?;
    // Absent and null are the same to us; a null that was never set is no change.
    merge(&mut merged, patch);
    drop_nulls(&mut merged);
    whole(&merged, Mode::Merged)
}

/// Query parameters, read by the schema's types; lists are comma-separated.
pub fn query<T: JsonSchema + DeserializeOwned + 'static>(text: &str) -> Result<T> {
    let schema = schema_of::<T>();
    let mut all = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if all.contains_key(&*name) {
            return Err(Error::invalid(
                format!("?{name}"),
                "repeated",
                "give a parameter once; separate several values by commas",
            ));
        }
        let property = resolve(schema, &schema["properties"][&*name]);
        all.insert(name.to_string(), typed(property, &value));
    }
    let value = Value::Object(all);
    let found = faults::<T>(&value, Mode::Whole);
    faultless(found.into_iter().map(|f| Fault { pointer: f.pointer.replacen('/', "?", 1), ..f }).collect())?;
    serde_json::from_value(value).map_err(|e| Error::invalid("?", "type", e.to_string()))
}

/// A full replacement (PUT): what only the system sets stays as it is, also what is `x-kept` where the body does not
/// name it; everything else is as the body says, and what it does not name is gone.
pub fn replaced<T>(stored: &T, body: &Value) -> Result<T>
where
    T: serde::Serialize + JsonSchema + DeserializeOwned + 'static,
{
    faultless(faults::<T>(body, Mode::Whole))?;
    let stored = seal::open(|| serde_json::to_value(stored)).map_err(Error::internal)?;
    let mut whole_body = body.clone();
    let Some(object) = whole_body.as_object_mut() else {
        return Err(Error::invalid("", "type", "expected an object"));
    };
    let properties = schema_of::<T>()["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        let stays = property["readOnly"] == true
            || (property["x-kept"] == true && !object.contains_key(name.as_str()));
        if let Some(value) = stored.get(name).filter(|_| stays) {
            object.insert(name.clone(), value.clone());
        }
    }
    drop_nulls(&mut whole_body);
    whole(&whole_body, Mode::Merged)
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(r) => root.pointer(&r[1..]).unwrap_or(schema),
        None => schema,
    }
}

fn typed(property: &Value, text: &str) -> Value {
    let is = |t: &str| match &property["type"] {
        Value::String(one) => one == t,
        Value::Array(all) => all.iter().any(|v| v == t),
        _ => false,
    };
    if is("integer")
        && let Ok(n) = text.parse::<i64>()
    {
        return n.into();
    }
    if is("boolean")
        && let Ok(b) = text.parse::<bool>()
    {
        return b.into();
    }
    if is("array") {
        return text.split(',').map(Value::from).collect();
    }
    text.into()
}

fn whole<T: JsonSchema + DeserializeOwned + 'static>(value: &Value, mode: Mode) -> Result<T> {
    faultless(faults::<T>(value, mode))?;
    serde_path_to_error::deserialize(value).map_err(|e| {
        let pointer = format!("/{}", e.path().to_string().replace('.', "/"));
        Error::invalid(pointer, "type", e.inner().to_string())
    })
}

fn faults<T: JsonSchema + 'static>(value: &Value, mode: Mode) -> Vec<Fault> {
    let schema = schema_of::<T>();
    let mut found = vec![];
    Walk { root: schema, faults: &mut found, mode }.visit(schema, value, String::new());
    found
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let target = target.as_object_mut().expect("made one above");
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, v| !v.is_null());
        map.values_mut().for_each(drop_nulls);
    }
}

#[cfg(test)]
mod tests;
