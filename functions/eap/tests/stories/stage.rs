//! A provider of employee assistance in Lagos, on a Monday morning: its programme manager, its administrator, its
//! finance, a counsellor; and client organisations with contracts.

use jiff::SignedDuration;
use kernel::{Id, UserId};
use serde_json::{Value, json};
use testkit::{Actor, Tenant, World};

/// Monday, 23 November 2026, 09:00 in Lagos.
pub const MORNING: &str = "2026-11-23T08:00:00Z";

pub struct Stage {
    pub world: World,
    pub axis: Tenant,
    pub admin: Actor,
    pub manager: Actor,
    pub finance: Actor,
    pub auditor: Actor,
}

impl Stage {
    pub async fn set() -> Self {
        Self::on(World::with(vec![eap::module()]).await).await
    }
    pub async fn contended() -> Self {
        Self::on(World::contended(vec![eap::module()]).await).await
    }

    async fn on(world: World) -> Self {
        world.clock.set(MORNING.parse().unwrap());
        let axis = world.programme("axis").await;
        let staff = |role| axis.staff(role);
        let (admin, manager) = (staff("tenant_admin"), staff("eap_manager"));
        let (finance, auditor) = (staff("finance"), staff("auditor"));
        Self { world, axis, admin, manager, finance, auditor }
    }

    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
    }
    pub fn later(&self, minutes: i64) {
        self.world.clock.advance(SignedDuration::from_mins(minutes));
    }
    pub fn someone(&self) -> String {
        UserId::at(self.world.clock.now()).to_string()
    }

    /// A client as the source's form has it; `more` overrides fields.
    pub async fn client(&self, name: &str, more: Value) -> Value {
        let mut body = json!({"name": name});
        merge(&mut body, more);
        self.manager.post("/v1/eap/clients", body).await.created()
    }
    /// An active client.
    pub async fn active(&self, name: &str, more: Value) -> Value {
        let mut more = more;
        more["status"] = "active".into();
        self.client(name, more).await
    }
    /// One of the client's people, with a login that sees it.
    pub async fn contact_of(&self, client: &Value) -> Actor {
        let contact = self.axis.staff("eap_client_contact");
        let body = json!({"contacts": [
            {"name": "Hauwa Bello", "email": "hauwa@client.example", "role": "hr", "is_primary": true, "user": contact.user()},
        ]});
        self.manager.patch(&format!("/v1/eap/clients/{}", id(client)), body).await.ok();
        contact
    }
    pub async fn service(&self, name: &str, category: &str) -> String {
        let body =
            json!({"name": name, "category": category, "modes": ["in_person", "video"], "minutes": 50});
        id(&self.manager.post("/v1/eap/services", body).await.created())
    }
    /// A draft of a year from today; `more` overrides fields.
    pub async fn draft(&self, client: &Value, service: &str, more: Value) -> Value {
        let mut body = json!({
            "client": client["id"], "title": "Employee assistance 2026", "start_date": "2026-11-23",
            "end_date": "2027-11-22", "billing_amount": {"amount": "1200000.00", "currency": "NGN"},
            "services": [service],
        });
        merge(&mut body, more);
        self.manager.post("/v1/eap/contracts", body).await.created()
    }
    /// The same, activated.
    pub async fn contract(&self, client: &Value, service: &str, more: Value) -> Value {
        let draft = self.draft(client, service, more).await;
        self.gives("contracts", &draft, "activate", json!({})).await.ok()
    }
    /// An approved counsellor with a licence in date, and their login.
    pub async fn provider(&self, more: Value) -> (Value, Actor) {
        let login = self.axis.staff("eap_provider");
        let mut body = json!({
            "user": login.user(), "name": "Ada Okafor", "languages": ["en", "yo"], "specialties": ["trauma"],
            "modes": ["in_person", "video"],
            "licence": {"body": "Nigerian Council of Psychologists", "number": "NCP-1181", "expires": "2027-06-30"},
        });
        merge(&mut body, more);
        let made = self.manager.post("/v1/eap/providers", body).await.created();
        (self.gives("providers", &made, "approve", json!({})).await.ok(), login)
    }

    /// A command of the manager's on a record.
    pub async fn gives(&self, what: &str, of: &Value, command: &str, body: Value) -> testkit::Reply {
        self.manager.post(&format!("/v1/eap/{what}/{}/{command}", id(of)), body).await
    }
    pub async fn shows(&self, what: &str, of: &Value) -> Value {
        self.manager.get(&format!("/v1/eap/{what}/{}", id(of))).await.ok()
    }
    /// Names of the events written so far about one record.
    pub async fn events_of(&self, record: &Value) -> Vec<String> {
        let id = id(record);
        self.world.events().await.into_iter().filter(|e| e.record == id).map(|e| e.kind).collect()
    }
    /// An event of another module, handed over as its queue would.
    pub async fn hears(&self, kind: &str, record: &str, data: Value) {
        let event = events::Envelope {
            id: format!("x#{record}#{kind}#{}", self.world.clock.now()),
            tenant: self.axis.id.prefix(),
            kind: kind.into(),
            at: store::stamp(self.world.clock.now()),
            by: self.admin.user(),
            record: record.into(),
            version: 1,
            cause: vec![],
            data,
        };
        self.world.hand_over(&event).await;
    }
}

pub fn id(record: &Value) -> String {
    record["id"].as_str().expect("an id").to_string()
}

/// One member of every row of a list.
pub fn each<'a>(page: &'a Value, name: &str) -> Vec<&'a str> {
    page["data"].as_array().expect("a list").iter().map(|r| r[name].as_str().unwrap_or_default()).collect()
}

pub fn merge(into: &mut Value, more: Value) {
    for (name, value) in more.as_object().expect("an object") {
        match value.is_null() {
            true => into.as_object_mut().unwrap().remove(name),
            false => into.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
}
