//! Names of schemas that do not depend on what else is in the document.
//!
//! Types of one name in several modules (`Request`, `Decision`) get numbers in the order they are met, so a new
//! route would rename the types of others in every generated client. Here each of them is named after the first
//! operation that uses it, or after the schema that it is a part of.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const PLACE: &str = "#/components/schemas/";

/// Renames what is numbered, and what the numbers were given against.
pub(super) fn settle(paths: &mut Map<String, Value>, schemas: Map<String, Value>) -> Map<String, Value> {
    let crowded: BTreeSet<&str> =
        schemas.keys().map(|n| base(n)).filter(|(_, n)| *n).map(|(b, _)| b).collect();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let taken = |names: &BTreeMap<String, String>, name: &String| {
        schemas.contains_key(name) || names.values().any(|n| n == name)
    };
    // Parts of renamed schemas are named after these, so until nothing is left.
    loop {
        let before = names.len();
        for old in schemas.keys().filter(|n| crowded.contains(base(n).0)) {
            if names.contains_key(old) {
                continue;
            }
            let user = operation(paths, old)
                .map(|o| o + ending(old))
                .or_else(|| part(&schemas, &names, &crowded, old));
            let Some(new) = user.filter(|new| !taken(&names, new)) else { continue };
            names.insert(old.clone(), new);
        }
        if names.len() == before {
            break;
        }
    }
    paths.values_mut().for_each(|path| refer(path, &names));
    let renamed = schemas.into_iter().map(|(name, mut schema)| {
        refer(&mut schema, &names);
        (names.get(&name).cloned().unwrap_or(name), schema)
    });
    renamed.collect()
}

/// `Request3Input`: `Request`, and that it is numbered.
fn base(name: &str) -> (&str, bool) {
    let name = name.strip_suffix(ending(name)).unwrap_or(name);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (bare, bare.len() < name.len())
}

fn ending(name: &str) -> &'static str {
    ["Input", "Patch"].into_iter().find(|end| name.ends_with(end)).unwrap_or_default()
}

/// `visit.check_in` → `VisitCheckIn`, of the first operation in the document that names the schema.
fn operation(paths: &Map<String, Value>, schema: &str) -> Option<String> {
    let operations = paths.values().flat_map(|path| path.as_object().into_iter().flatten());
    let found = operations.map(|(_, o)| o).find(|o| mentions(o, schema))?["operationId"].as_str()?;
    Some(camel(found))
}

/// `TenantView` and `Terms` → `TenantViewTerms`, once the whole has its final name.
fn part(
    schemas: &Map<String, Value>,
    renamed: &BTreeMap<String, String>,
    crowded: &BTreeSet<&str>,
    schema: &str,
) -> Option<String> {
    let whole = schemas.iter().find(|(name, whole)| *name != schema && mentions(whole, schema))?.0;
    let whole = match renamed.get(whole) {
        Some(new) => new,
        None if crowded.contains(base(whole).0) => return None,
        None => whole,
    };
    Some(format!("{whole}{}", base(schema).0))
}

fn camel(operation: &str) -> String {
    let word = |w: &str| w[..1].to_uppercase() + &w[1..];
    operation.split(['.', '_', '-']).filter(|w| !w.is_empty()).map(word).collect()
}

fn mentions(value: &Value, schema: &str) -> bool {
    match value {
        Value::Array(all) => all.iter().any(|v| mentions(v, schema)),
        Value::Object(members) => members.iter().any(|(key, v)| match v {
            Value::String(place) if key == "$ref" => place.strip_prefix(PLACE) == Some(schema),
            other => mentions(other, schema),
        }),
        _ => false,
    }
}

fn refer(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|v| refer(v, renamed)),
        Value::Object(members) => {
            for (key, value) in members {
                let new = value
                    .as_str()
                    .filter(|_| key == "$ref")
                    .and_then(|p| renamed.get(p.strip_prefix(PLACE)?));
                match new {
                    Some(new) => *value = format!("{PLACE}{new}").into(),
                    None => refer(value, renamed),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reference(name: &str) -> Value {
        json!({"$ref": format!("{PLACE}{name}")})
    }

    fn settled(operations: &[(&str, &str)], schemas: Value) -> (Map<String, Value>, Vec<String>) {
        let path = |(id, schema): &(&str, &str)| {
            (format!("/{id}"), json!({"post": {"operationId": id, "body": reference(schema)}}))
        };
        let mut paths = operations.iter().map(path).collect();
        let schemas = settle(&mut paths, schemas.as_object().unwrap().clone());
        (paths, schemas.keys().cloned().collect())
    }

    #[test]
    fn types_of_one_name_are_named_after_their_operations() {
        let operations =
            [("visit.check_in", "RequestInput"), ("merge.ask", "Request2Input"), ("site.show", "SiteView")];
        let (paths, names) =
            settled(&operations, json!({"RequestInput": {}, "Request2Input": {}, "SiteView": {}}));
        assert_eq!(names, ["MergeAskInput", "SiteView", "VisitCheckInInput"]);
        assert_eq!(paths["/visit.check_in"]["post"]["body"], reference("VisitCheckInInput"));
        assert_eq!(paths["/merge.ask"]["post"]["body"], reference("MergeAskInput"));
    }

    #[test]
    fn a_part_is_named_after_its_whole_even_if_that_was_renamed() {
        let schemas = json!({
            "Request": {"items": reference("Factor")}, "Request2": {"items": reference("Factor2")}, "Factor": {}, "Factor2": {},
        });
        let (_, names) = settled(&[("a.ask", "Request"), ("b.ask", "Request2")], schemas);
        assert_eq!(names, ["AAsk", "AAskFactor", "BAsk", "BAskFactor"]);
    }

    #[test]
    fn what_is_not_numbered_keeps_its_name() {
        let (_, names) = settled(&[("room.create", "RoomInput")], json!({"RoomInput": {}, "Room": {}}));
        assert_eq!(names, ["Room", "RoomInput"]);
    }
}
