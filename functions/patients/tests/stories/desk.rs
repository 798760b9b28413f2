//! What every story begins with: a hospital, a desk, and people.

use serde_json::{Value, json};
use testkit::{Actor, Tenant, World};

pub async fn hospital() -> (World, Tenant) {
    let world = World::with(vec![patients::module()]).await;
    let grace = world.hospital("grace").await;
    (world, grace)
}

pub fn person(given: &str, family: &str, born: &str, phone: &str) -> Value {
    json!({"given_names": given, "family_name": family, "birth_date": born, "gender": "female", "phones": [{"number": phone}]})
}

pub fn ngozi() -> Value {
    person("Ngozi", "Okonkwo", "1990-05-17", "0803 123 4567")
}

pub fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

/// The id of a newly registered patient.
pub async fn registered(desk: &Actor, body: Value) -> String {
    desk.post("/v1/patients", body).await.created()["id"].as_str().expect("an id").to_string()
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_string()
}

/// Codes and pointers of a refusal's faults.
pub fn codes(problem: &Value) -> Vec<String> {
    let all = problem["errors"].as_array().into_iter().flatten();
    all.map(|f| {
        format!("{} {}", f["pointer"].as_str().unwrap_or_default(), f["code"].as_str().unwrap_or_default())
    })
    .collect()
}

/// Rounds to the table that a route's declaration allows.
pub fn budget(operation: &str) -> u64 {
    let module = patients::module();
    let route = module.routes.iter().find(|r| r.operation == operation).expect("a route");
    u64::from(route.trips)
}

/// An event of a module that need not exist yet, about a record of it.
pub fn event(
    tenant: &Tenant,
    kind: &str,
    record: &str,
    version: u64,
    at: &str,
    data: Value,
) -> events::Envelope {
    events::Envelope {
        id: format!("{}#{record}#{version}", &record[..3]),
        tenant: tenant.id.prefix(),
        kind: kind.into(),
        at: at.into(),
        by: "system:test".into(),
        record: record.into(),
        version,
        cause: vec![],
        data,
    }
}

/// An id of any kind, given at a time.
pub fn id_at(kind: &str, at: &str) -> String {
    let at: jiff::Timestamp = at.parse().expect("a time");
    let ulid = kernel::Ulid::from_parts(at.as_millisecond().unsigned_abs(), rand::random());
    format!("{kind}_{ulid}")
}
