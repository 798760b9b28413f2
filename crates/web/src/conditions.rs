//! What conditions are told of the caller and the organisation.

use crate::Ctx;
use serde_json::{Value, json};

/// `actor {id, kind, roles}`
pub fn actor(ctx: &Ctx) -> Value {
    let actor = ctx.actor();
    json!({"id": actor.user, "kind": kind(&actor.user), "roles": actor.roles})
}

/// Who somebody is, by their id.
pub fn kind(by: &str) -> &'static str {
    match by.split(['_', ':']).next() {
        Some("usr") => "user",
        Some("opr") => "operator",
        Some("pky") => "partner",
        Some("rule") => "rule",
        Some("system") => "system",
        _ => "public",
    }
}

/// `tenant {edition, zone, country, settings}`
pub fn tenant(ctx: &Ctx) -> Value {
    match &ctx.gate().tenant {
        Some(t) => json!({
            "edition": t.edition, "zone": t.time_zone, "country": t.country, "settings": t.policies,
        }),
        None => json!({"edition": "platform", "zone": "UTC", "country": "", "settings": {}}),
    }
}
