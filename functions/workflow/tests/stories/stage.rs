//! A hospital in Lagos on a Monday morning, with people whom identity knows.

use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{Actor, Tenant, World};
use web::Module;

/// Monday, 23 November 2026, 09:00 in Lagos.
pub const MORNING: &str = "2026-11-23T08:00:00Z";

pub struct Stage {
    pub world: World,
    pub grace: Tenant,
    pub admin: Actor,
    pub hr: Actor,
    pub nurse: Actor,
    pub other: Actor,
    pub doctor: Actor,
    pub finance: Actor,
    pub site: String,
}

impl Stage {
    pub async fn set() -> Self {
        Self::on(World::with(vec![workflow::module()]).await).await
    }
    pub async fn contended() -> Self {
        Self::on(World::contended(vec![workflow::module()]).await).await
    }
    /// With modules of the test's own beside it.
    pub async fn with(more: Vec<Module>) -> Self {
        let modules = [workflow::module()].into_iter().chain(more).collect();
        Self::on(World::with(modules).await).await
    }
    pub async fn on(world: World) -> Self {
        world.clock.set(MORNING.parse().unwrap());
        let grace = world.hospital("grace").await;
        let one = |roles: &str| grace.staff_at(roles, &[0]);
        let (admin, hr, finance) = (grace.staff("tenant_admin"), one("hr"), one("finance"));
        let (nurse, other, doctor) = (one("nurse"), one("nurse"), one("doctor"));
        for who in [&admin, &hr, &nurse, &other, &doctor, &finance] {
            grace.present(who).await;
        }
        let site = grace.sites[0].to_string();
        Self { world, grace, admin, hr, nurse, other, doctor, finance, site }
    }

    /// A task; `more` overrides fields.
    pub async fn task(&self, by: &Actor, more: Value) -> Value {
        let mut body = json!({"title": "Count the drugs", "category": "clinical", "assignee": {"kind": "role", "value": "nurse"}});
        merge(&mut body, more);
        by.post("/v1/workflow/tasks", body).await.created()
    }
    pub async fn gives(&self, who: &Actor, of: &Value, command: &str, body: Value) -> testkit::Reply {
        who.post(&format!("/v1/workflow/tasks/{}/{command}", id(of)), body).await
    }
    pub async fn shows(&self, of: &Value) -> Value {
        self.admin.get(&format!("/v1/workflow/tasks/{}", id(of))).await.ok()
    }
    pub async fn mine(&self, who: &Actor) -> Vec<Value> {
        let page = who.get("/v1/workflow/tasks?mine=true").await.ok();
        page["data"].as_array().unwrap().clone()
    }
    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
    }
    pub fn later(&self, minutes: i64) {
        self.world.clock.advance(SignedDuration::from_mins(minutes));
    }
    /// Names of the events written so far about one record.
    pub async fn events_of(&self, record: &Value) -> Vec<String> {
        let id = id(record);
        self.world.events().await.into_iter().filter(|e| e.record == id).map(|e| e.kind).collect()
    }
    pub fn event(&self, kind: &str, record: &str, data: Value) -> events::Envelope {
        events::Envelope {
            id: format!("x#{record}#{kind}#{}", store::stamp(self.world.clock.now())),
            tenant: self.grace.id.prefix(),
            kind: kind.into(),
            at: store::stamp(self.world.clock.now()),
            by: self.doctor.user(),
            record: record.into(),
            version: 1,
            cause: vec![],
            data,
        }
    }
    /// An event of another module, handed over as its queue would, and all that follows.
    pub async fn hears(&self, kind: &str, record: &str, data: Value) {
        self.world.hand_over(&self.event(kind, record, data)).await;
        self.world.deliver().await;
    }
}

pub fn id(record: &Value) -> String {
    record["id"].as_str().unwrap_or_else(|| record.as_str().expect("an id")).to_string()
}

pub fn merge(into: &mut Value, more: Value) {
    for (name, value) in more.as_object().expect("an object") {
        match value.is_null() {
            true => into.as_object_mut().unwrap().remove(name),
            false => into.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
}

/// An id of a kind, made up.
pub fn made(kind: &str, n: u8) -> String {
    format!("{kind}_01ARZ3NDEKTSV4RRFFQ69G5FA{n}")
}
