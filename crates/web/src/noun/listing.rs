//! Query parameters of lists, from the declared indexes alone.

use kernel::{Error, Fault, Result, error::faultless};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use store::{Entity, List, Wanted};

/// The parameters that a noun's lists take, as a schema for the documentation.
pub fn list_shape<E: Entity>(_: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    let mut add = |name: &str, schema: Value| properties.insert(name.into(), schema);
    add("limit", serde_json::json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 25}));
    add("cursor", serde_json::json!({"type": "string", "maxLength": CURSOR}));
    add("deleted", serde_json::json!({"type": "boolean"}));
    for list in E::LISTS {
        for name in list.by.iter().chain(list.then) {
            add(name, serde_json::json!({"type": "string", "maxLength": VALUE}));
        }
        if list.range {
            add("from", serde_json::json!({"type": "string", "maxLength": BOUND}));
            add("to", serde_json::json!({"type": "string", "maxLength": BOUND}));
        }
    }
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The list that serves these parameters, or which there are.
pub fn wanted<E: Entity>(query: &str) -> Result<(&'static List<E>, Wanted)> {
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = vec![];
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if given.insert(name.to_string(), value.to_string()).is_some() {
            faults.push(Fault::new(format!("?{name}"), "repeated", "give a parameter once"));
        }
        let most = longest(&name);
        if value.chars().count() > most || crate::check::hostile(&value).is_some() {
            faults.push(Fault::new(
                format!("?{name}"),
                "format",
                format!("at most {most} printable characters"),
            ));
        }
    }
    let limit = match given.remove("limit").map(|l| l.parse::<i32>()) {
        None => 25,
        Some(Ok(n)) if (1..=100).contains(&n) => n,
        Some(_) => {
            faults.push(Fault::new("?limit", "range", "1 to 100"));
            25
        }
    };
    let deleted = match given.remove("deleted").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            faults.push(Fault::new("?deleted", "type", "true or false"));
            false
        }
    };
    faultless(faults)?;
    let cursor = given.remove("cursor");
    let (from, to) = (given.remove("from"), given.remove("to"));
    let ranged = from.is_some() || to.is_some();
    let list = E::LISTS.iter().find(|l| serves(l, &given, ranged)).ok_or_else(|| unsupported::<E>(&given))?;
    let by = list.by.iter().map(|name| given[*name].clone()).collect();
    let then = list.then.iter().map_while(|name| given.get(*name).cloned()).collect();
    Ok((list, Wanted { by, then, from, to, deleted, limit, cursor, reversed: false }))
}

/// Characters of a parameter's value: as the schema says.
fn longest(name: &str) -> usize {
    match name {
        "cursor" => CURSOR,
        "from" | "to" => BOUND,
        _ => VALUE,
    }
}

/// A cursor holds keys, which may hold 1,024 bytes of a name and more in base 64.
const CURSOR: usize = 4000;
const BOUND: usize = 40;
const VALUE: usize = 100;

fn serves<E: Entity>(list: &List<E>, given: &BTreeMap<String, String>, ranged: bool) -> bool {
    let partition = list.by.iter().all(|name| given.contains_key(*name));
    let prefix = list.then.iter().take_while(|name| given.contains_key(**name)).count();
    let range = !ranged || (list.range && prefix == list.then.len());
    partition && range && list.by.len() + prefix == given.len()
}

fn unsupported<E: Entity>(given: &BTreeMap<String, String>) -> Error {
    let forms: Vec<String> = E::LISTS.iter().map(form).collect();
    let known = |name: &String| E::LISTS.iter().any(|l| l.by.iter().chain(l.then).any(|n| n == name));
    let unknown: Vec<Fault> = given
        .keys()
        .filter(|name| !known(name))
        .map(|name| {
            Fault::new(
                format!("?{name}"),
                "unknown",
                format!("no such parameter; allowed: {}", forms.join("; ")),
            )
        })
        .collect();
    if !unknown.is_empty() {
        return Error::Invalid(unknown);
    }
    Error::invalid(
        "?",
        "unsupported-filter",
        format!("these do not go together; allowed: {}", forms.join("; ")),
    )
}

fn form<E: Entity>(list: &List<E>) -> String {
    let mut words: Vec<String> = list.by.iter().map(|n| n.to_string()).collect();
    words.extend(list.then.iter().map(|n| format!("[{n}]")));
    if list.range {
        words.push("[from, to]".into());
    }
    if words.is_empty() { "none".into() } else { words.join(" + ") }
}
