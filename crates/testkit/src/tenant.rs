//! An organisation as provisioning leaves it, without the provisioning: for modules whose story begins later.

use crate::{Actor, World};
use authz::Edition;
use kernel::{Id, SiteId, TenantId, UserId};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use store::{Caller, Key, Scope, Store, facts};
use web::gate::{Status, TenantGate};

#[derive(Clone)]
pub struct Tenant {
    pub world: World,
    pub id: TenantId,
    pub slug: String,
    /// The main site and a branch.
    pub sites: [SiteId; 2],
}

/// Shards of each quota; the tenants module makes them alike.
pub const SHARDS: &[(&str, u32)] =
    &[("users", 1), ("doctors", 1), ("receptionists", 1), ("sites", 1), ("patients", 16), ("storage", 4)];

impl Tenant {
    pub(crate) async fn open(world: &World, slug: &str, edition: Edition) -> Self {
        let now = world.clock.now();
        let tenant = Self {
            world: world.clone(),
            id: TenantId::at(now),
            slug: slug.into(),
            sites: [SiteId::at(now), SiteId::at(now)],
        };
        world.app.vault().create_key(tenant.scope()).await.expect("a key");
        let store = tenant.store().await;
        let mut commit = store.commit().fact(facts::TENANT, "self", &tenant.gate(edition));
        for (n, site) in tenant.sites.iter().enumerate() {
            let code = ["HQ", "BR"][n];
            let fact = json!({"open": true, "code": code, "path": format!("/{code}"), "time_zone": "Africa/Lagos", "name": code});
            commit = commit.fact(facts::SITE, site, &fact);
        }
        commit.run().await.expect("a tenant");
        tenant.limit_all(1_000_000).await;
        tenant
    }

    fn gate(&self, edition: Edition) -> TenantGate {
        let modules =
            ["patients", "scheduling", "encounters", "pharmacy", "laboratory", "billing", "eap", "care"];
        TenantGate {
            status: Status::Active,
            slug: self.slug.clone(),
            name: format!("{} {edition}", self.slug),
            edition,
            country: "NG".into(),
            time_zone: "Africa/Lagos".into(),
            language: "en-NG".into(),
            currency: "NGN".into(),
            plan: "Enterprise".into(),
            licensed: modules.map(String::from).to_vec(),
            on: modules.map(String::from).to_vec(),
            features: vec!["custom_roles".into()],
            limits: BTreeMap::new(),
            settings: BTreeMap::new(),
            policies: Map::new(),
            lifted_by: BTreeMap::new(),
            rev: 0,
        }
    }

    pub fn scope(&self) -> Scope {
        Scope::Tenant(self.id)
    }
    /// The store, for arranging and for looking behind the API.
    pub async fn store(&self) -> Store {
        let caller = Caller { by: "system:test".into(), request: "test".into(), ..Caller::default() };
        self.world.app.vault().open(self.scope(), caller).await.expect("an open tenant")
    }
    /// What is left of a limit, spread over its shards.
    pub async fn limit(&self, name: &'static str, left: u64) {
        let shards = SHARDS.iter().find(|(n, _)| *n == name).map_or(1, |(_, s)| *s);
        let store = self.store().await;
        let mut commit = store.commit();
        for shard in 0..shards {
            let share = left / u64::from(shards) + u64::from(u64::from(shard) < left % u64::from(shards));
            commit = commit.put(&Key::quota(name, shard), &json!({"left": share}));
        }
        commit.run().await.expect("a limit");
    }
    async fn limit_all(&self, left: u64) {
        for (name, _) in SHARDS {
            // Of storage, bytes are counted.
            self.limit(name, if *name == "storage" { left << 20 } else { left }).await;
        }
    }
    /// Changes the gate fact and forgets what is cached of it.
    pub async fn change_gate(&self, change: impl FnOnce(&mut TenantGate)) {
        let store = self.store().await;
        let mut gate: TenantGate = store.fact(facts::TENANT, "self").await.expect("readable").expect("there");
        change(&mut gate);
        store.commit().fact(facts::TENANT, "self", &gate).run().await.expect("changed");
        self.world.app.gates().forget(self.scope());
    }

    /// A member of staff with these roles (space separated), at every site.
    pub fn staff(&self, roles: &str) -> Actor {
        self.user(UserId::at(self.world.clock.now()), roles, "*")
    }
    /// At the sites given by their place in `sites`.
    pub fn staff_at(&self, roles: &str, sites: &[usize]) -> Actor {
        let sites: Vec<String> = sites.iter().map(|n| self.sites[*n].to_string()).collect();
        self.user(UserId::at(self.world.clock.now()), roles, &sites.join(" "))
    }
    /// Publishes what identity publishes of an active user: that they are there, and the roles they hold.
    pub async fn present(&self, who: &Actor) {
        let (store, user) = (self.store().await, who.user());
        let mut commit = store.commit().fact(facts::ACTIVE_USER, &user, &json!({"user": user}));
        for role in who.claims["roles"].as_str().unwrap_or_default().split_whitespace() {
            let key = Key::member(facts::MEMBERS, format!("role~{role}"), &user);
            commit = commit.put(&key, &json!({"user": user}));
        }
        commit.run().await.expect("an active user");
    }
    /// And of one who was disabled.
    pub async fn gone(&self, who: &Actor) {
        let (store, user) = (self.store().await, who.user());
        let mut commit = store.commit().drop_fact(facts::ACTIVE_USER, &user);
        for role in who.claims["roles"].as_str().unwrap_or_default().split_whitespace() {
            commit = commit.delete(&Key::member(facts::MEMBERS, format!("role~{role}"), &user));
        }
        commit.run().await.expect("a disabled user");
    }
    pub fn user(&self, user: UserId, roles: &str, sites: &str) -> Actor {
        let claims = json!({
            "token_use": "access", "tenant": self.id.prefix(), "user": user.to_string(), "roles": roles,
            "sites": sites, "modules": "*", "gen": "1", "client": "web", "scope": "api/use",
            "origin_jti": format!("ses-{user}"),
        });
        self.world.actor(claims)
    }
    /// Tells every module that a local day of this tenant is over, as the clock does in the night after it.
    pub async fn night(&self, day: &str) {
        let at = self.world.clock.now();
        let beat = |name| json!({"type": name, "tenant": self.id.prefix(), "day": day, "at": at});
        self.world.hand_over_other(&beat(web::Beat::NIGHT)).await;
        if day.parse::<jiff::civil::Date>().expect("a date").weekday() == jiff::civil::Weekday::Sunday {
            self.world.hand_over_other(&beat(web::Beat::WEEK)).await;
        }
    }
    /// What lies in the table about this tenant, as text: for looking for what must not be there.
    pub async fn dump(&self) -> String {
        let items = self.world.scan().await;
        let mine =
            items.iter().filter(|i| i["pk"].as_str().is_some_and(|pk| pk.starts_with(&self.id.prefix())));
        mine.map(Value::to_string).collect::<Vec<_>>().join("\n")
    }
}
