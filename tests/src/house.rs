//! An organisation with something of everything in it, in whose every free text a word stands that nobody else uses.
//! What is done there is data: `tests/data/house.json`, a row for each request: who, method, path, body, name.

use crate::words::Words;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::facts;
use testkit::{Actor, Tenant, World};

/// Monday, 23 November 2026, 09:00 in Lagos.
pub const MORNING: &str = "2026-11-23T08:00:00Z";
const FILE: &[u8] = b"%PDF-1.7\n% paper\n%%EOF\n";

pub struct House {
    pub tenant: Tenant,
    /// The word that betrays it.
    pub word: &'static str,
    /// The digits of its telephones that nobody else's have.
    pub digits: &'static str,
    pub people: BTreeMap<&'static str, Actor>,
    /// What was kept by its name: ids, and `share.token` of what else an answer held.
    pub kept: BTreeMap<String, String>,
    /// What was asked, in its order, to be asked again: who, method, path as routes write it, body.
    pub asked: Vec<Asked>,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub who: &'static str,
    pub method: String,
    pub path: String,
    pub body: Value,
    /// What the answer was.
    pub answer: Value,
}

/// One row of the data.
type Row = (String, String, String, Value, Option<String>);

const PEOPLE: [&str; 9] =
    ["tenant_admin", "hr", "doctor", "nurse", "receptionist", "carer", "auditor", "finance", "quality"];

impl House {
    /// Furnished by its own people through the API, one request after the other.
    pub async fn furnish(world: &World, slug: &str, word: &'static str, digits: &'static str) -> Self {
        let tenant = world.hospital(slug).await;
        tenant
            .change_gate(|gate| {
                gate.features = ["custom_roles", "webhooks", "warehouse_export"].map(String::from).to_vec();
            })
            .await;
        let people: BTreeMap<_, _> = PEOPLE.map(|role| (role, tenant.staff(role))).into();
        let mut house = Self { tenant, word, digits, people, kept: BTreeMap::new(), asked: vec![] };
        house.kept.insert("site".into(), house.tenant.sites[0].to_string());
        for (role, who) in &house.people {
            house.tenant.present(who).await;
            house.kept.insert((*role).into(), who.user());
        }
        house.knows_its_people().await;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/house.json");
        let rows = std::fs::read_to_string(path).expect("the house's rows");
        let rows: Vec<Row> = serde_json::from_str(&rows).expect("rows");
        for (n, row) in rows.into_iter().enumerate() {
            house.does(n, row).await;
        }
        house
    }

    /// As identity publishes how people are reached.
    async fn knows_its_people(&self) {
        #[derive(serde::Serialize)]
        struct Contact {
            name: seal::Sealed<String>,
            email: seal::Sealed<String>,
            zone: &'static str,
        }
        let mut commit = self.tenant.store().await.commit();
        for (role, who) in &self.people {
            let name = seal::Sealed(format!("{} {role}", self.word));
            let email = seal::Sealed(format!("{role}@{}.example", self.word.to_lowercase()));
            commit = commit.fact(facts::CONTACT, who.user(), &Contact { name, email, zone: "Africa/Lagos" });
        }
        commit.run().await.expect("contacts");
    }

    async fn does(&mut self, n: usize, (who, method, path, body, name): Row) {
        if method == "PUT-FILE" {
            let url = self.kept[&format!("{path}.url")].clone();
            return self.tenant.world.files.put(&url, FILE).expect("taken");
        }
        let (who, actor) = self.people.get_key_value(who.as_str()).expect("somebody of the house");
        let (who, actor) = (*who, actor.clone());
        let filled = self.filled(&path);
        let body: Value = self.filled_body(body);
        let mut call = actor.call(&method, &filled).because("as the house does").body(body.clone());
        if method == "POST" {
            call = call.key(&format!("house-{n}"));
        }
        let reply = call.send().await;
        assert!(
            matches!(reply.status, 200..=202),
            "{method} {filled} {body}: {} {:#}",
            reply.status,
            reply.body
        );
        let answer = reply.body;
        if let Some(name) = name {
            let texts =
                [("", &answer["id"]), (".token", &answer["token"]), (".url", &answer["upload"]["url"])];
            for (what, value) in texts {
                if let Some(text) = value.as_str() {
                    self.kept.insert(format!("{name}{what}"), text.into());
                }
            }
        }
        self.asked.push(Asked { who, method, path: filled, body, answer });
    }

    /// A text of the data, with what this house has at its places.
    fn filled(&self, text: &str) -> String {
        let small = self.word.to_lowercase();
        let phone = |n: u8| format!("+23480{n}{}", self.digits);
        let mut text = text
            .replace("{C}", self.word)
            .replace("{c}", &small)
            .replace("{p}", self.digits)
            .replace("{P}", &phone(3))
            .replace("{Q}", &phone(5))
            .replace("{sha}", &hex::encode(seal::sha256(FILE)));
        for (name, value) in self.kept.iter().filter(|(name, _)| !name.contains('.')) {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    fn filled_body(&self, body: Value) -> Value {
        match body {
            Value::String(text) if text == "{size}" => json!(FILE.len()),
            Value::String(text) => self.filled(&text).into(),
            Value::Array(all) => all.into_iter().map(|v| self.filled_body(v)).collect(),
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(k, v)| (k, self.filled_body(v))).collect())
            }
            other => other,
        }
    }

    /// Somebody with every right of this organisation at once.
    pub fn everybody(&self) -> Actor {
        let roles: Vec<&str> = testkit::roles().filter(|r| is_personal(r)).collect();
        self.tenant.staff(&roles.join(" "))
    }

    /// What must never be seen outside.
    pub fn canaries(&self) -> Words {
        Words::new(&[self.word, self.digits])
    }
}

/// Roles that people of organisations hold.
pub fn is_personal(role: &str) -> bool {
    !role.starts_with("platform_") && !matches!(role, "partner" | "public")
}
