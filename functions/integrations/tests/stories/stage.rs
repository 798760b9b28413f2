//! A hospital with two sites, Ikeja and Lekki, its administrator, and what stands before the API.

use crate::doubles::{Doors, NoLogins, Receivers};
use integrations::Wire;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Actor, Tenant, World};

/// Monday, 23 November 2026, 07:00 in Lagos.
pub const MORNING: &str = "2026-11-23T06:00:00Z";

pub struct Stage {
    pub world: World,
    pub doors: Arc<Doors>,
    pub receivers: Arc<Receivers>,
    pub grace: Tenant,
    pub admin: Actor,
}

impl Stage {
    pub async fn set() -> Self {
        let receivers = Arc::new(Receivers::default());
        Self::with(receivers.clone(), receivers, false).await
    }
    /// Where things happen at once.
    pub async fn contended() -> Self {
        let receivers = Arc::new(Receivers::default());
        Self::with(receivers.clone(), receivers, true).await
    }
    /// With another way to others' servers.
    pub async fn by(wire: Wire) -> Self {
        Self::with(Arc::default(), wire, false).await
    }
    async fn with(receivers: Arc<Receivers>, wire: Wire, contended: bool) -> Self {
        let doors = Arc::new(Doors::default());
        let modules = vec![
            integrations::module(doors.clone(), wire),
            identity::module(Arc::new(NoLogins)),
            patients::module(),
        ];
        let world = if contended { World::contended(modules).await } else { World::with(modules).await };
        world.beside(doors.clone());
        world.beside(receivers.clone());
        world.clock.set(MORNING.parse().unwrap());
        let grace = world.hospital("grace").await;
        grace.change_gate(|gate| gate.features = vec!["webhooks".into(), "warehouse_export".into()]).await;
        let admin = grace.staff("tenant_admin");
        Self { world, doors, receivers, grace, admin }
    }

    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
    }
    pub async fn rings(&self) {
        self.world.ring().await;
        self.works().await;
    }
    /// Somebody of the desk registers a patient: the event that these stories tell of.
    pub async fn registers(&self, family: &str) -> String {
        let site = self.grace.sites[0].to_string();
        let desk = self.grace.staff_at("receptionist", &[0]);
        let body = json!({
            "given_names": "Ngozi", "family_name": family, "birth_date": "1990-05-17", "gender": "female",
            "phones": [{"number": format!("0{}", digits(family))}], "site_id": site,
        });
        desk.post("/v1/patients", body).await.created()["id"].as_str().unwrap().to_string()
    }
    /// Events find their way, and what follows from them is sent.
    pub async fn spreads(&self) {
        self.world.deliver().await;
        self.works().await;
    }
    pub async fn hooks(&self, types: &[&str], more: Value) -> Value {
        let mut body = json!({"url": "https://hooks.insurer.com/lumina", "event_types": types});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.admin.post("/v1/integrations/webhooks", body).await.created()
    }
    pub async fn deliveries(&self, hook: &Value, status: &str) -> Vec<Value> {
        let id = hook["id"].as_str().unwrap();
        let path = format!("/v1/integrations/deliveries?webhook={id}&status={status}");
        self.admin.get(&path).await.ok()["data"].as_array().unwrap().clone()
    }
    pub async fn shows(&self, what: &str, of: &Value) -> Value {
        self.admin.get(&self.path(what, of, "")).await.ok()
    }

    pub fn later(&self, hours: i64) {
        self.world.clock.advance(SignedDuration::from_hours(hours));
    }

    /// Hands over what waits in the module's queue until nothing more comes.
    pub async fn works(&self) {
        loop {
            let waiting = self.world.letters.take(web::Queue::Integrations);
            if waiting.is_empty() {
                return;
            }
            for message in waiting {
                self.world.hand_over_other(&message).await;
            }
        }
    }

    pub fn key(&self, name: &str, scopes: &[&str]) -> Value {
        json!({"name": name, "owner_email": "it@insurer.example", "scopes": scopes})
    }
    /// A key that works: made, published, known to the token function.
    pub async fn makes(&self, body: Value) -> Value {
        let made = self.admin.post("/v1/integrations/keys", body).await.created();
        self.world.deliver().await;
        made
    }
    /// What Cognito would ask, and the token it would give.
    pub async fn token(&self, client: &str) -> kernel::Result<Value> {
        let event = json!({
            "version": "3", "triggerSource": "TokenGeneration_ClientCredentials", "region": "af-south-1",
            "userPoolId": "af-south-1_Test", "userName": client, "callerContext": {"clientId": client},
            "request": {"userAttributes": {}, "scopes": ["api/partner"]}, "response": {},
        });
        let answer = token::answer(&self.world.app, event).await?;
        Ok(answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"].clone())
    }
    /// A machine with a token and the API key that belongs to it.
    pub async fn machine(&self, key: &Value) -> Actor {
        let said = self.token(key["client_id"].as_str().unwrap()).await.expect("a token");
        let mut claims = said["claimsToAddOrOverride"].clone();
        claims["token_use"] = json!("access");
        self.world.actor(claims).keyed(key["gateway_key_id"].as_str().unwrap())
    }
    pub fn path(&self, what: &str, of: &Value, command: &str) -> String {
        let id = of["id"].as_str().unwrap_or_else(|| of.as_str().unwrap_or_default());
        let path = format!("/v1/integrations/{what}/{id}");
        if command.is_empty() { path } else { format!("{path}/{command}") }
    }
    /// Names of the events written so far about one record.
    pub async fn events_of(&self, record: &Value) -> Vec<String> {
        let id = record["id"].as_str().unwrap();
        self.world.events().await.into_iter().filter(|e| e.record == id).map(|e| e.kind).collect()
    }
}

/// A family's telephone, without what stands before it at home or abroad.
pub fn digits(family: &str) -> String {
    let own = family.bytes().fold(1_000_000u64, |n, b| n * 7 + u64::from(b)) % 9_000_000 + 1_000_000;
    format!("803{own}")
}
