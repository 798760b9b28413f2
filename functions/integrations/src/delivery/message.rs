//! What is sent: the event's name and time, and ids and codes. Whoever wants more reads it through the API, where it
//! is seen who looks.

use super::Delivery;
use jiff::Timestamp;
use kernel::{Error, Id, Result, WebhookId};
use serde::Serialize;
use serde_json::{Value, json};
use store::{ChangeAt, Logged, Scope};
use web::Ctx;

/// Bytes of a body; longer codes are left out.
const LONGEST: usize = 20 * 1024;

#[derive(Clone, Debug, Serialize)]
pub struct Message {
    #[serde(rename = "type")]
    event: String,
    /// When it happened.
    timestamp: String,
    data: Data,
}

#[derive(Clone, Debug, Serialize)]
struct Data {
    id: String,
    kind: String,
    version: u64,
    /// `ten_…`
    tenant: String,
    /// What the event says besides: ids and codes.
    codes: Value,
}

fn tenant(scope: Scope) -> String {
    scope.tenant().map(|t| t.to_string()).unwrap_or_default()
}

impl Message {
    pub fn ping(scope: Scope, webhook: WebhookId, version: u64, now: Timestamp) -> Self {
        let (id, kind) = (webhook.to_string(), WebhookId::KIND.into());
        let data = Data { id, kind, version, tenant: tenant(scope), codes: json!({}) };
        Self { event: "webhook.ping".into(), timestamp: store::stamp(now), data }
    }

    pub fn of(scope: Scope, change: &Logged) -> Self {
        let codes = Some(change.event["data"].clone()).filter(|c| !c.is_null()).unwrap_or_else(|| json!({}));
        let data = Data {
            id: change.id.clone(),
            kind: change.kind.clone(),
            version: change.version,
            tenant: tenant(scope),
            codes,
        };
        let event = change.event["type"].as_str().unwrap_or_default().into();
        Self { event, timestamp: change.at.clone(), data }
    }

    /// The bytes that are signed and sent: the same for the same change.
    pub fn body(&self) -> Result<Vec<u8>> {
        let body = serde_json::to_vec(self).map_err(Error::internal)?;
        if body.len() <= LONGEST {
            return Ok(body);
        }
        let mut short = self.clone();
        short.data.codes = json!({"left_out": true});
        serde_json::to_vec(&short).map_err(Error::internal)
    }
}

/// A change by the id that events carry: `<kind>#<record>#<version>`.
pub fn place(change: &str) -> Option<ChangeAt> {
    let mut words = change.split('#');
    let (kind, id, version) = (words.next()?, words.next()?, words.next()?);
    Some(ChangeAt { sort: String::new(), kind: kind.into(), id: id.into(), version: version.parse().ok()? })
}

/// The body of a delivery; none if its change is not there any more.
pub async fn rebuilt(ctx: &Ctx, delivery: &Delivery) -> Result<Option<Vec<u8>>> {
    let Some(place) = place(&delivery.change) else { return Ok(None) };
    let found = ctx.store().logged(&[place]).await?;
    found.first().map(|change| Message::of(ctx.scope(), change).body()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_what_happened_in_ids_and_codes_and_is_never_long() {
        let mut change = Logged {
            kind: "pat".into(),
            id: "pat_1".into(),
            version: 3,
            at: "2026-11-23T06:00:00.000Z".into(),
            by: "usr_1".into(),
            roles: vec![],
            elevated: None,
            on_behalf: None,
            request: "req".into(),
            action: "create".into(),
            event: json!({"type": "patient.registered", "data": {"patient": "pat_1", "site": "sit_1"}}),
            prev: String::new(),
            hash: "h".into(),
        };
        let body: Value =
            serde_json::from_slice(&Message::of(Scope::Platform, &change).body().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"type": "patient.registered", "timestamp": "2026-11-23T06:00:00.000Z", "data": {
                "id": "pat_1", "kind": "pat", "version": 3, "tenant": "", "codes": {"patient": "pat_1", "site": "sit_1"},
            }})
        );
        change.event["data"]["list"] = json!(vec!["x"; 10_000]);
        let long = Message::of(Scope::Platform, &change).body().unwrap();
        assert!(long.len() < LONGEST);
    }

    #[test]
    fn a_change_is_found_by_the_id_that_events_carry() {
        let place = place("pat#pat_1#12").unwrap();
        assert_eq!((place.kind.as_str(), place.id.as_str(), place.version), ("pat", "pat_1", 12));
        assert!(super::place("pat#pat_1").is_none() && super::place("pat#pat_1#x").is_none());
    }
}
