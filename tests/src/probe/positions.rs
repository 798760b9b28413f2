//! Every place where an id of somebody else's can stand: in a path, a query, a body; and what to put there.

use super::{
    Ask,
    own::{Resources, fill},
};
use crate::{house::House, walk};
use kernel::Ulid;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use web::Route;

/// One place of one route: the question with somebody else's id there, and the same with one that never was. The
/// latter twice, since the first may change what the second meets.
pub struct Position {
    pub route: Route,
    pub name: String,
    pub foreign: Ask,
    pub never: [Ask; 2],
}

/// Another value of the same form that nobody has.
fn never(value: &str) -> String {
    match value.split_once('_') {
        Some((kind, id)) if kind.len() == 3 && id.len() == 26 => format!("{kind}_{}", Ulid::new()),
        _ => value.to_string(),
    }
}

/// Codes and days are anybody's: what lies there of the other's must not be told all the same.
fn is_id(value: &str) -> bool {
    never(value) != value
}

/// Places in paths. Where there are two, each by itself beside one's own, and both together.
pub fn paths(route: &Route, theirs: &Resources, ours: &Resources) -> Vec<Position> {
    let Some(values) = theirs.values(&route.path).filter(|v| !v.is_empty()) else { return vec![] };
    let own = ours.values(&route.path);
    // Some records are named alike by everybody: a day's disposal, a shipped code. That is one's own then.
    if own.as_ref() == Some(&values) {
        return vec![];
    }
    let mut choices: Vec<Vec<bool>> = vec![vec![true; values.len()]];
    if values.iter().filter(|v| is_id(v)).count() > 1 && own.is_some() {
        choices.extend((0..values.len()).map(|n| (0..values.len()).map(|m| m == n).collect()));
    }
    let ask = |values: Vec<String>| {
        let body = route.input.map(|_| walk::schema(route).map_or(json!({}), |s| least(&s, &s)));
        Ask { method: route.method.to_string(), path: fill(&route.path, &values), body, sent: values }
    };
    let places = choices.into_iter().filter(|c| values.iter().zip(c).any(|(v, theirs)| *theirs && is_id(v)));
    let place = |choice: Vec<bool>| {
        let with = |other: &dyn Fn(&str) -> String| {
            let own = own.clone().unwrap_or_else(|| values.clone());
            let each = values.iter().zip(own).zip(&choice);
            each.map(|((theirs, ours), them)| if *them { other(theirs) } else { ours }).collect::<Vec<_>>()
        };
        let never = || ask(with(&|v| never(v)));
        Position {
            route: route.clone(),
            name: format!("path {choice:?}"),
            foreign: ask(with(&|v| v.to_string())),
            never: [never(), never()],
        }
    };
    places.map(place).collect()
}

/// Parameters of queries that are no bound, page or switch.
pub fn queries(route: &Route, theirs: &Resources, ours: &Resources) -> Vec<Position> {
    const OTHER: [&str; 9] =
        ["cursor", "limit", "from", "to", "at", "deleted", "before", "dry_run", "redirect"];
    let (Some(query), Some(own)) = (route.query, ours.values(&route.path)) else { return vec![] };
    let mut generator = SchemaGenerator::default();
    let mut schema = query(&mut generator).to_value();
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        schema = generator.definitions().get(name).cloned().unwrap_or_default();
    }
    let path = fill(&route.path, &own);
    let mut found = vec![];
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if OTHER.contains(&name.as_str()) {
            continue;
        }
        for value in candidates(&pattern(property), theirs) {
            let ask = |value: String| Ask {
                method: route.method.to_string(),
                path: format!("{path}?{name}={value}"),
                body: None,
                sent: vec![value],
            };
            found.push(Position {
                route: route.clone(),
                name: format!("?{name}"),
                never: [ask(never(&value)), ask(never(&value))],
                foreign: ask(value),
            });
        }
    }
    found
}

/// Places in bodies whose schema wants an id, in a body that the route takes from this house otherwise.
pub fn bodies(route: &Route, theirs: &Resources, ours: &Resources, house: &House) -> Vec<Position> {
    let (Some(schema), Some(own)) = (walk::schema(route), ours.values(&route.path)) else { return vec![] };
    let path = fill(&route.path, &own);
    let asked = house.asked.iter().find(|a| a.method == route.method.as_str() && a.path == path);
    let base = asked.map_or_else(|| least(&schema, &schema), |a| a.body.clone());
    let mut found = vec![];
    for (pointer, kind) in ids(&schema, &schema, String::new(), 0) {
        for value in candidates(&kind, theirs) {
            let ask = |value: String| {
                let mut body = base.clone();
                put(&mut body, &pointer, value.clone().into());
                Ask {
                    method: route.method.to_string(),
                    path: path.clone(),
                    body: Some(body),
                    sent: vec![value],
                }
            };
            found.push(Position {
                route: route.clone(),
                name: format!("body {pointer}"),
                never: [ask(never(&value)), ask(never(&value))],
                foreign: ask(value),
            });
        }
    }
    found
}

/// What of the others' fits: of the kind that the schema names, or one of each of a few kinds where any may stand.
fn candidates(pattern: &str, theirs: &Resources) -> Vec<String> {
    let kind = pattern.strip_prefix('^').and_then(|p| p.get(..4)).and_then(|p| p.strip_suffix('_'));
    let kinds = match kind {
        Some(kind) => vec![kind],
        None if pattern.is_empty() || pattern.starts_with("^[") => vec!["pat", "usr", "doc", "sit", "tsk"],
        None => vec![],
    };
    kinds.into_iter().filter_map(|k| theirs.id(k).cloned()).collect()
}

fn pattern(property: &Value) -> String {
    let forms = property["anyOf"].as_array().into_iter().flatten().chain([property]);
    let mut patterns = forms.filter_map(|f| f["pattern"].as_str().or(f["items"]["pattern"].as_str()));
    patterns.next().unwrap_or_default().into()
}

fn followed<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

/// Pointers of what wants an id, with the pattern of it.
fn ids(schema: &Value, root: &Value, at: String, depth: usize) -> Vec<(String, String)> {
    let schema = followed(schema, root);
    if depth > 6 || schema["readOnly"] == true {
        return vec![];
    }
    let mut found = vec![];
    if let Some(p) = schema["pattern"].as_str().filter(|p| p.contains("{25}$") || p.contains("{26}$")) {
        found.push((at.clone(), p.to_string()));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        found.extend(ids(property, root, format!("{at}/{name}"), depth + 1));
    }
    for form in ["anyOf", "oneOf", "allOf"].iter().flat_map(|f| schema[f].as_array().into_iter().flatten()) {
        found.extend(ids(form, root, at.clone(), depth + 1));
    }
    if schema["items"].is_object() {
        found.extend(ids(&schema["items"], root, format!("{at}/0"), depth + 1));
    }
    found.dedup();
    found
}

/// Sets a place, making what leads there.
fn put(into: &mut Value, pointer: &str, value: Value) {
    let mut at = into;
    for word in pointer.split('/').skip(1) {
        at = match word {
            "0" => {
                if at.as_array().is_none_or(Vec::is_empty) {
                    *at = json!([null]);
                }
                &mut at[0]
            }
            word => {
                if !at.is_object() {
                    *at = json!({});
                }
                &mut at[word]
            }
        };
    }
    *at = value;
}

/// The smallest body that the schema lets in, as far as a schema tells.
fn least(schema: &Value, root: &Value) -> Value {
    let schema = followed(schema, root);
    if let Some(value) = schema["enum"].get(0).or(schema.get("const")).or(schema.get("default")) {
        return value.clone();
    }
    if let Some(form) = ["anyOf", "oneOf", "allOf"].iter().find_map(|f| schema[f].get(0)) {
        return least(form, root);
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "string" => match (schema["format"].as_str(), schema["pattern"].as_str()) {
            (Some("date"), _) => json!("2026-12-01"),
            (Some("date-time"), _) => json!("2026-12-01T09:00:00Z"),
            (Some("partial-time"), _) => json!("09:00:00"),
            (Some("email"), _) => json!("one@example.org"),
            (Some("uri"), _) => json!("https://example.org/"),
            (_, Some(p)) if p.contains("{25}$") || p.contains("{26}$") => {
                let kind = p.get(1..4).filter(|k| k.bytes().all(|b| b.is_ascii_lowercase())).unwrap_or("pat");
                json!(format!("{kind}_{}", Ulid::new()))
            }
            (_, Some(p)) if p.contains("64") => json!("0".repeat(64)),
            (_, Some(p)) if p.starts_with("^[A-Z") => json!("ABC"),
            _ => json!("a text of ours"),
        },
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        "array" => match schema["minItems"].as_u64() {
            Some(1..) => json!([least(&schema["items"], root)]),
            _ => json!([]),
        },
        _ => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let own = required.filter(|n| schema["properties"][n]["readOnly"] != true);
            let fields: Map<String, Value> =
                own.map(|n| (n.to_string(), least(&schema["properties"][n], root))).collect();
            Value::Object(fields)
        }
    }
}
