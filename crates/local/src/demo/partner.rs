//! A partner's machine with a key that works: what `demo.json` tells of it.

use super::{Organisation, Visitor};
use crate::{trouble, trouble::Outcome};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// Stands in `demo.json` as it is here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    /// `pky_…`
    pub key: String,
    pub name: String,
    pub slug: String,
    pub tenant: String,
    pub client_id: String,
    pub client_secret: String,
    /// To be sent as `x-api-key`.
    pub api_key: String,
    pub scopes: Vec<String>,
    /// Where a token is asked for, and where the API is called.
    pub token: String,
    pub api: String,
}

/// What the demo's partner may do: read who is registered and what is booked, and keep webhooks of its own.
const SCOPES: [&str; 7] = [
    "patient.identify",
    "patient.view",
    "appointment.view",
    "slot.view",
    "webhook.view",
    "webhook.edit",
    "webhook.replay",
];

impl Partner {
    pub async fn make(door: &Visitor, admin: &Visitor, organisation: &Organisation) -> Outcome<Partner> {
        let name = "Laboratory interface";
        let wish = json!({"name": name, "owner_email": "it@laboratory.example", "scopes": SCOPES});
        let made = admin.post("/v1/integrations/keys", wish).await?;
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_string();
        let partner = Partner {
            key: text("id"),
            name: name.into(),
            slug: organisation.slug.clone(),
            tenant: organisation.tenant.clone(),
            client_id: text("client_id"),
            client_secret: text("client_secret"),
            api_key: text("api_key"),
            scopes: SCOPES.map(String::from).to_vec(),
            ..Partner::default()
        };
        partner.sign_in(door).await?;
        Ok(partner)
    }

    pub fn located(&mut self, base: &str) {
        self.token = format!("{base}/local/token");
        self.api = format!("{base}/partner/v1");
    }

    /// Its token; a new key is known to the token function after a moment.
    pub async fn sign_in(&self, door: &Visitor) -> Outcome<Visitor> {
        let asked = json!({
            "grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret,
        });
        for _ in 0..100 {
            let answer = door.with(None).send(Method::POST, "/local/token", &[], Some(&asked)).await?;
            if let (200, Some(token)) = (answer.status, answer.body["access_token"].as_str()) {
                return Ok(door.with(Some(token)));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(trouble!("The key {} gets no token.", self.key))
    }

    /// One request with both of its proofs.
    pub async fn get(&self, signed_in: &Visitor, path: &str) -> Outcome<Value> {
        signed_in.send(Method::GET, path, &[("x-api-key", &self.api_key)], None).await?.fine()
    }
}
