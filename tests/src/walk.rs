//! What a walk over the route table needs: paths that could exist, callers who may and who may not, and bodies
//! that are wrong in every way a schema can be.

use kernel::KINDS;
use serde_json::{Map, Value, json};
use testkit::{Actor, Tenant, World};
use web::{Door, Route};

/// A path with its parameters filled by ids that nobody has.
pub fn filled(route: &Route) -> String {
    route
        .path
        .split('/')
        .map(|word| if word.starts_with('{') { unknown(route) } else { word.to_string() })
        .collect::<Vec<_>>()
        .join("/")
}

/// An id of the kind that the route's noun has, as far as its path tells; else a word.
fn unknown(route: &Route) -> String {
    let noun = route.operation.split('.').next().unwrap_or_default().replace('_', "");
    let named = KINDS.iter().find(|(_, name)| name.trim_end_matches("Id").to_lowercase() == noun);
    named.map_or_else(|| "unknown".into(), |(kind, _)| format!("{kind}_01J00000000000000000000000"))
}

/// Somebody with every right there is on this side of the platform's wall.
pub async fn holder(world: &World, tenant: &Tenant, route: &Route) -> Actor {
    let _ = world;
    let roles: Vec<&str> = testkit::roles()
        .filter(|r| !r.starts_with("platform_") && !matches!(*r, "partner" | "public"))
        .collect();
    if route.permission().is_some_and(only_operators) {
        return operator(world);
    }
    tenant.staff(&roles.join(" "))
}

pub fn operator(world: &World) -> Actor {
    world.operator("opr_01J00000000000000000000001", "platform_admin platform_support platform_billing")
}

/// Whether nobody of an organisation holds this permission.
pub fn only_operators(permission: &'static str) -> bool {
    let rule = testkit::rule(permission);
    rule.is_none_or(|r| r.grants.iter().all(|g| g.role.starts_with("platform_")))
}

/// A role of organisations that does not hold this permission, if there is one.
pub fn powerless(permission: &'static str) -> Option<&'static str> {
    let rule = testkit::rule(permission)?;
    let staff = ["carer", "cashier", "tutor", "eap_manager", "auditor", "finance", "patient", "family"];
    staff.into_iter().find(|role| rule.grant(role).is_none())
}

/// The schema that the route's body is checked against, with its definitions.
pub fn schema(route: &Route) -> Option<Value> {
    let input = route.input?;
    let mut generator = schemars::SchemaGenerator::default();
    let mut schema = (input.shape)(&mut generator).to_value();
    let definitions = generator.take_definitions(false);
    // A route whose noun is known only from its path documents any JSON, and checks by itself.
    schema.is_object().then_some(())?;
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        schema = definitions.get(name)?.clone();
    }
    schema["$defs"] = Value::Object(definitions);
    Some(schema)
}

/// Fields that callers may send.
pub fn fields(schema: &Value) -> Vec<(String, Value)> {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    properties.into_iter().filter(|(_, p)| p.get("readOnly").is_none()).collect()
}

/// A body in which every field has a type that no schema of ours takes there.
pub fn wrong_types(schema: &Value) -> (Value, Vec<String>) {
    let mut body = Map::new();
    let mut pointers = vec![];
    for (name, property) in fields(schema) {
        let object = takes(&property, schema, "object");
        let wrong = if object { json!([[[]]]) } else { json!({"\u{1}": {"deep": [{}]}}) };
        pointers.push(format!("/{name}"));
        body.insert(name, wrong);
    }
    (Value::Object(body), pointers)
}

/// A body in which every text field holds characters that turn writing around or do not print.
pub fn hostile(schema: &Value) -> Option<(Value, Vec<String>)> {
    let texts: Vec<String> = fields(schema)
        .into_iter()
        .filter(|(_, p)| takes(p, schema, "string") && p.get("enum").is_none())
        .map(|(n, _)| n)
        .collect();
    let body: Map<String, Value> = texts.iter().map(|n| (n.clone(), json!("a\u{202e}b\u{0}c"))).collect();
    (!texts.is_empty()).then(|| (Value::Object(body), texts.iter().map(|n| format!("/{n}")).collect()))
}

fn takes(property: &Value, root: &Value, kind: &str) -> bool {
    let property = match property["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        Some(name) => &root["$defs"][name],
        None => property,
    };
    let of = |v: &Value| v == kind;
    let forms = property["anyOf"].as_array().or(property["oneOf"].as_array());
    of(&property["type"])
        || property["type"].as_array().is_some_and(|all| all.iter().any(of))
        || forms.is_some_and(|all| all.iter().any(|form| takes(form, root, kind)))
}

pub fn is_public(route: &Route) -> bool {
    route.door == Door::Public
}
