//! A hospital in Lagos: an administrator, HR, a doctor, a desk, and people with papers.

use kernel::{Id, PatientId};
use serde_json::{Value, json};
use store::facts;
use testkit::{Actor, Tenant, World};

/// Monday, 23 November 2026, 07:00 in Lagos.
pub const MORNING: &str = "2026-11-23T06:00:00Z";

pub struct Stage {
    pub world: World,
    pub grace: Tenant,
    pub admin: Actor,
    pub hr: Actor,
    pub doctor: Actor,
    pub desk: Actor,
    /// Somebody with papers of their own.
    pub carer: Actor,
}

/// A PDF of this many bytes.
pub fn pdf(text: &str) -> Vec<u8> {
    format!("%PDF-1.7\n% {text}\n%%EOF\n").into_bytes()
}

pub fn sha(bytes: &[u8]) -> String {
    hex::encode(seal::sha256(bytes))
}

/// The key in the storage that a link leads to.
pub fn key(url: &str) -> String {
    url.split_once('/').unwrap().1.split('?').next().unwrap().into()
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_string()
}

pub fn merge(into: &mut Value, more: Value) {
    for (name, value) in more.as_object().expect("an object") {
        into[name] = value.clone();
    }
}

impl Stage {
    pub async fn set() -> Self {
        Self::on(World::with(vec![documents::module()]).await).await
    }
    pub async fn contended() -> Self {
        Self::on(World::contended(vec![documents::module()]).await).await
    }
    async fn on(world: World) -> Self {
        world.clock.set(MORNING.parse().unwrap());
        let grace = world.hospital("grace").await;
        let (admin, hr) = (grace.staff("tenant_admin"), grace.staff("hr"));
        let (doctor, desk, carer) =
            (grace.staff("doctor"), grace.staff("receptionist"), grace.staff("carer"));
        Self { world, grace, admin, hr, doctor, desk, carer }
    }

    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
    }

    /// What is announced of a file.
    pub fn announced(&self, bytes: &[u8], more: Value) -> Value {
        let mut body = json!({
            "title": "A paper", "category": "dbs_certificate", "number": "001234567890", "file_name": "paper.pdf",
            "content_type": "application/pdf", "size": bytes.len(), "sha256": sha(bytes),
        });
        merge(&mut body, more);
        body
    }

    /// Announced, uploaded, and looked at.
    pub async fn uploads(&self, who: &Actor, bytes: &[u8], more: Value) -> Value {
        let made = who.post("/v1/documents", self.announced(bytes, more)).await.created();
        self.puts(&made, bytes).await;
        who.get(&format!("/v1/documents/{}", id(&made))).await.ok()
    }

    /// The bytes to the link, and what the storage tells of them.
    pub async fn puts(&self, made: &Value, bytes: &[u8]) {
        let url = made["upload"]["url"].as_str().expect("a link");
        self.world.files.put(url, bytes).expect("taken");
        self.tells(url).await;
    }

    /// The storage's message about an upload.
    pub async fn tells(&self, url: &str) {
        self.world.hand_over_other(&json!({"type": "file.stored", "key": key(url)})).await;
    }

    /// What this module has sent to its own queue.
    pub async fn posted(&self) {
        for message in self.world.letters.take(web::Queue::Documents) {
            self.world.hand_over_other(&message).await;
        }
    }

    pub async fn patient(&self) -> String {
        let id = PatientId::at(self.world.clock.now());
        let store = self.grace.store().await;
        let fact = json!({"live": true, "status": "registered"});
        store.commit().fact(facts::PATIENT, id, &fact).run().await.unwrap();
        id.to_string()
    }

    /// A login of somebody who is (or cares for) a person.
    pub async fn linked(&self, role: &str, person: &str, basis: &str) -> Actor {
        let who = self.grace.staff(role);
        let fact = json!({"basis": basis, "scopes": ["documents"]});
        let place = format!("{}~{person}", who.user());
        self.grace.store().await.commit().fact(facts::LINKED, place, &fact).run().await.unwrap();
        who
    }

    pub async fn does(&self, who: &Actor, document: &Value, command: &str, body: Value) -> testkit::Reply {
        who.post(&format!("/v1/documents/{}/{command}", id(document)), body).await
    }

    pub async fn shows(&self, document: &Value) -> Value {
        self.admin.get(&format!("/v1/documents/{}", id(document))).await.ok()
    }

    /// A carer's DBS certificate, verified by HR, with its end.
    pub async fn verified(&self, ends: &str) -> Value {
        let mine = self.carer.user();
        let made = self.uploads(&self.carer, &pdf("dbs"), json!({"subject": mine})).await;
        let body = json!({"method": "sight_of_original", "expires_on": ends});
        self.does(&self.hr, &made, "verify", body).await.ok()
    }

    /// Names of a record's events, in their order.
    pub async fn events_of(&self, record: &Value) -> Vec<String> {
        let all = self.world.events().await;
        all.into_iter().filter(|e| e.record == id(record)).map(|e| e.kind).collect()
    }

    /// The data of the events of one name.
    pub async fn heard(&self, name: &str) -> Vec<Value> {
        self.world.events().await.into_iter().filter(|e| e.kind == name).map(|e| e.data).collect()
    }

    /// Rings at a time; what of documents was due.
    pub async fn rings(&self, at: &str) -> usize {
        self.at(at);
        let rang = self.world.ring().await;
        rang.iter().filter(|name| name.starts_with("due.doc")).count()
    }
}

/// What holds a short name: as the tenants module's noun does.
#[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Named {}

impl store::Entity for Named {
    type Id = kernel::TenantId;
    const NOUN: &'static str = "tenant";
    const LISTS: &'static [store::List<Self>] = &[];
}

impl Stage {
    /// The organisation's short name leads to it, as sign-up would have left it.
    pub async fn knows_by_name(&self, slug: &str) {
        let caller = store::Caller { by: "system:test".into(), ..Default::default() };
        let platform = self.world.app.vault().open(store::Scope::Platform, caller).await.unwrap();
        platform.commit().guard::<Named>("slug", "taken", slug, self.grace.id).run().await.unwrap();
    }
}
