//! OpenAPI 3.1 from the route tables: schemars for the schemas, the table for everything else.

mod names;

use crate::{Door, Module, Problem, Route, route::Input};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The whole document; routes in the order of their paths, each under its module's name.
pub fn document(title: &str, version: &str, modules: &[Module]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.definitions_path = "/components/schemas".into();
        s.meta_schema = None;
    });
    let mut schemas = SchemaGenerator::new(settings);
    let problem = schemas.subschema_for::<Problem>();
    let mut sent = Map::new();
    let mut paths: Map<String, Value> = Map::new();
    let mut sorted: Vec<(&str, &Route)> =
        modules.iter().flat_map(|m| m.routes.iter().map(|r| (m.name, r))).collect();
    sorted.sort_by_key(|(_, r)| (r.path.clone(), r.method.to_string()));
    for (module, route) in sorted {
        let operation = operation(module, route, &mut schemas, &mut sent);
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    let mut components = schemas.take_definitions(true);
    components.extend(sent);
    components.values_mut().for_each(without_inner_defaults);
    let components = used(components, &[&Value::Object(paths.clone()), &problem.clone().to_value()]);
    let components = names::settle(&mut paths, components);
    json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Problem": {
                "description": "A problem document", "content": {"application/problem+json": {"schema": problem}}}},
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token of the hosted login, with the scope api/use."}},
        },
    })
}

fn operation(
    module: &str,
    route: &Route,
    schemas: &mut SchemaGenerator,
    sent: &mut Map<String, Value>,
) -> Value {
    let mut done = json!({"description": "done"});
    if let Some(output) = route.output {
        done["content"] = json!({"application/json": {"schema": output(schemas)}});
    }
    let refused = json!({"$ref": "#/components/responses/Problem"});
    let mut operation = json!({
        "operationId": route.name(), "tags": [module], "summary": route.summary,
        "parameters": parameters(route, schemas),
        "responses": {route.status.to_string(): done, "4XX": refused, "5XX": refused},
    });
    if let Some(also) = route.also {
        operation["responses"][also.to_string()] = operation["responses"][route.status.to_string()].clone();
    }
    match route.door {
        Door::Public => operation["security"] = json!([]),
        Door::SignedIn => operation["security"] = json!([{"token": []}]),
        Door::Permission(permission) => {
            operation["security"] = json!([{"token": []}]);
            operation["x-permission"] = permission.into();
        }
    }
    if !route.refusals.is_empty() {
        operation["x-refusals"] = json!(route.refusals);
    }
    if let Some(input) = route.input {
        let schema = body(schemas, sent, input);
        operation["requestBody"] = json!({"required": true, "content": {input.media: {"schema": schema}}});
    }
    operation
}

fn parameters(route: &Route, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = names
        .map(|n| json!({"name": n, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if let Some(query) = route.query {
        let mut schema = query(schemas).to_value();
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            schema = schemas.definitions().get(name).cloned().unwrap_or_default();
        }
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut parameter = json!({"name": name, "in": "query", "schema": property});
            if required.iter().any(|r| r == name) {
                parameter["required"] = true.into();
            }
            all.push(parameter);
        }
    }
    let mut header = |name: &str, about: &str| {
        all.push(json!({"name": name, "in": "header", "description": about, "schema": {"type": "string"}}));
    };
    if route.method == "POST" && route.door != Door::Public {
        header("Idempotency-Key", "The same key and request are answered once, byte for byte, for 24 hours.");
    }
    if matches!(route.method.as_str(), "PATCH" | "DELETE") {
        header(
            "If-Match",
            "The version this change is meant for, as in ETag; another one is refused with 412.",
        );
    }
    if route.method != "GET" && route.door != Door::Public {
        header("X-Reason", "Why; kept with the change.");
    }
    all
}

/// What callers send: closed, without what the system sets; a merge patch requires nothing and leaves out nothing
/// by default.
fn body(schemas: &mut SchemaGenerator, sent: &mut Map<String, Value>, input: Input) -> Value {
    let schema = (input.shape)(schemas).to_value();
    let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()).map(String::from) else {
        return schema;
    };
    let Some(Value::Object(mut definition)) = schemas.definitions().get(&name).cloned() else {
        return schema;
    };
    if let Some(properties) = definition.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|_, p| p.get("readOnly").is_none());
        if input.patch {
            properties.values_mut().filter_map(Value::as_object_mut).for_each(|p| drop(p.remove("default")));
        }
        let kept: Vec<String> = properties.keys().cloned().collect();
        if let Some(required) = definition.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|r| kept.iter().any(|k| r == k));
        }
        definition.insert("additionalProperties".into(), false.into());
    }
    if input.patch {
        definition.remove("required");
    }
    let name = format!("{name}{}", if input.patch { "Patch" } else { "Input" });
    sent.insert(name.clone(), definition.into());
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// What only the system sets has no default that concerns a caller.
fn without_inner_defaults(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|p| p.values_mut()).filter_map(Value::as_object_mut) {
        if property.contains_key("readOnly") {
            property.remove("default");
        }
    }
}

/// The schemas that something refers to; a noun's own is met on the way to its views, and often by nobody else.
fn used(mut schemas: Map<String, Value>, from: &[&Value]) -> Map<String, Value> {
    let mut kept = Map::new();
    let mut named: Vec<String> = from.iter().flat_map(|value| references(value)).collect();
    while let Some(name) = named.pop() {
        if let Some(schema) = schemas.remove(&name) {
            named.extend(references(&schema));
            kept.insert(name, schema);
        }
    }
    kept
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(references).collect(),
        Value::Object(members) => {
            let own = members
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix("#/components/schemas/"));
            own.map(String::from).into_iter().chain(members.values().flat_map(references)).collect()
        }
        _ => vec![],
    }
}
