//! Messages signed as our webhooks are, for the published library of the Standard Webhooks specification to verify
//! (`.ci/webhooks`).

use integrations::webhook::sign::Scheme;
use serde_json::{Value, json};

/// Seconds that a receiver lets a message be late; one more is too much.
const TOLERANCE: i64 = 300;

pub fn samples() -> Result<Value, kernel::Error> {
    let now = kernel::Clock::default().now().as_second();
    let (secret, older) = (Scheme::Hmac.new_secret()?, Scheme::Hmac.new_secret()?);
    let body = json!({
        "type": "invoice.issued", "timestamp": "2026-11-23T06:00:00.000Z",
        "data": {"id": "inv_01ARZ3NDEKTSV4RRFFQ69G5FAV", "kind": "inv", "version": 1, "codes": {"state": "ünïcode"}},
    })
    .to_string();
    let signed = |id: &str, at: i64, secrets: &[&String]| -> Result<Value, kernel::Error> {
        let all: Result<Vec<String>, _> =
            secrets.iter().map(|s| Scheme::Hmac.sign(s, id, at, body.as_bytes())).collect();
        Ok(json!({
            "headers": {"webhook-id": id, "webhook-timestamp": at.to_string(), "webhook-signature": all?.join(" ")},
            "body": body,
        }))
    };
    Ok(json!({
        "secret": secret, "older_secret": older, "wrong_secret": Scheme::Hmac.new_secret()?,
        "fresh": signed("msg_01ARZ3NDEKTSV4RRFFQ69G5FAV", now, &[&secret])?,
        "rotating": signed("msg_01ARZ3NDEKTSV4RRFFQ69G5FAW", now, &[&secret, &older])?,
        "old": signed("msg_01ARZ3NDEKTSV4RRFFQ69G5FAX", now - TOLERANCE - 1, &[&secret])?,
    }))
}
