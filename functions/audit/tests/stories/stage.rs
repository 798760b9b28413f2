//! What every story begins with: a hospital with a register, and the pipes between its parts.

use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use store::sdk::{primitives::Blob, types::AttributeValue as Av};
use testkit::{Actor, Tenant, World};
use web::Queue;

pub type Item = HashMap<String, Av>;

pub struct Stage {
    pub world: World,
    pub grace: Tenant,
    pub admin: Actor,
    pub auditor: Actor,
    pub desk: Actor,
    pub nurse: Actor,
    anchored: std::sync::Mutex<BTreeSet<String>>,
}

impl Stage {
    /// At noon of 4 May 2026.
    pub async fn set() -> Self {
        let world = World::with(vec![patients::module(), audit::module()]).await;
        world.clock.set("2026-05-04T12:00:00Z".parse().unwrap());
        let grace = world.hospital("grace").await;
        let (admin, auditor) = (grace.staff("tenant_admin"), grace.staff("auditor"));
        let (desk, nurse) = (grace.staff("receptionist"), grace.staff("nurse"));
        Self { world, grace, admin, auditor, desk, nurse, anchored: Default::default() }
    }

    pub async fn patient(&self, given: &str, phone: &str) -> String {
        let body = json!({
            "given_names": given, "family_name": "Okonkwo", "birth_date": "1990-05-17", "gender": "female",
            "phones": [{"number": phone}],
        });
        let made = self.desk.post("/v1/patients", body).await.created();
        self.later(1);
        made["id"].as_str().unwrap().to_string()
    }

    /// A patient of so many versions, a second apart.
    pub async fn versions(&self, given: &str, phone: &str, versions: u64) -> String {
        let ada = self.patient(given, phone).await;
        for n in 2..=versions {
            let path = format!("/v1/patients/{ada}");
            self.desk.patch(&path, json!({"occupation": format!("trade {n}")})).await.ok();
            self.later(1);
        }
        ada
    }

    pub fn later(&self, seconds: i64) {
        self.world.clock.advance(SignedDuration::from_secs(seconds));
    }
    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
    }

    /// Every change record there is, as the stream tells dispatch of it.
    pub async fn changes(&self) -> Vec<Value> {
        let items = self.world.items().await;
        let images = items.iter().filter_map(|item| dispatch::anchor::plain(&store::chain::typed(item)));
        images.filter(|image| image["pk"].as_str().is_some_and(|pk| pk.contains("#chg#"))).collect()
    }

    /// Everything that was written and not anchored yet goes to audit, as dispatch sends it.
    pub async fn anchors(&self) {
        loop {
            let mut fresh = self.changes().await;
            fresh.retain(|i| self.anchored.lock().unwrap().insert(format!("{}|{}", i["pk"], i["sk"])));
            if fresh.is_empty() {
                return;
            }
            // An anchor may bring a change of its own: the first day of an organisation.
            for message in dispatch::anchor::messages(fresh.iter()) {
                self.world.hand_over_other(&message).await;
            }
        }
    }

    /// What requests left in the access queue is kept; how many entries came.
    pub async fn entries(&self) -> usize {
        let sent = self.world.letters.take(Queue::Access);
        for message in &sent {
            self.world.hand_over_other(message).await;
        }
        sent.len()
    }

    /// Anchors and entries come in, the night passes: the day is sealed.
    pub async fn night(&self, next: &str) {
        self.anchors().await;
        self.entries().await;
        self.at(&format!("{next}T00:21:00Z"));
        self.world.ring().await;
        self.world.deliver().await;
        self.anchors().await;
    }

    pub async fn verify(&self, record: &str) -> Value {
        self.auditor.get(&format!("/v1/audit/records/{record}/verify")).await.ok()
    }
    /// `finding version member` of each.
    pub async fn findings(&self, record: &str) -> Vec<String> {
        told(&self.verify(record).await["findings"])
    }

    /// The verification of everything, run to its end.
    pub async fn verified(&self) -> Value {
        let made = self.auditor.post("/v1/audit/verifications", json!({"reason": "yearly"})).await.accepted();
        self.world.deliver().await;
        let path = format!("/v1/audit/verifications/{}", made["id"].as_str().unwrap());
        self.auditor.get(&path).await.ok()
    }

    /// One item as it lies there.
    pub async fn item(&self, pk: &str, sk: &str) -> Item {
        let pk = format!("{}#{pk}", self.grace.id.prefix());
        let is = |i: &Item| *i["pk"].as_s().unwrap() == pk && i["sk"].as_s().unwrap() == sk;
        self.world.items().await.into_iter().find(is).expect("it lies there")
    }
    pub async fn put(&self, item: Item) {
        let (client, table) = self.world.table();
        client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
    pub async fn remove(&self, pk: &str, sk: &str) {
        let (client, table) = self.world.table();
        let pk = Av::S(format!("{}#{pk}", self.grace.id.prefix()));
        client
            .delete_item()
            .table_name(table)
            .key("pk", pk)
            .key("sk", Av::S(sk.into()))
            .send()
            .await
            .unwrap();
    }
    pub async fn change(&self, pk: &str, sk: &str, change: impl FnOnce(&mut Item)) {
        let mut item = self.item(pk, sk).await;
        change(&mut item);
        self.put(item).await;
    }
}

pub fn told(findings: &Value) -> Vec<String> {
    let one = |f: &Value| {
        let words = [&f["finding"], &f["version"], &f["member"]];
        let words = words.iter().filter(|v| !v.is_null()).map(|v| v.to_string().replace('"', ""));
        words.collect::<Vec<_>>().join(" ")
    };
    findings.as_array().unwrap().iter().map(one).collect()
}

/// A digest as the trail keeps it.
pub fn digest(hex: &str) -> Av {
    Av::B(Blob::new(hex::decode(hex).unwrap()))
}

pub fn text(value: &str) -> Av {
    Av::S(value.into())
}
