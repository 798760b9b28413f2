//! Conditions in CEL, for what comparing fields does not say.

use super::NotificationRule;
use events::Envelope;
use kernel::{Error, Result};
use rules::{Condition, Known};
use serde_json::{Value, json};
use web::Ctx;

/// The rule's condition, if it has one; 422 with the column where it does not read.
pub fn compile(rule: &NotificationRule) -> Result<Option<Condition>> {
    let known = Known::new(&["event", "actor", "tenant", "now"]);
    let compiled = rule.condition.as_deref().map(|text| Condition::compile(text, &known));
    compiled.transpose().map_err(|fault| {
        let detail = format!("column {}: {}", fault.column, fault.detail);
        Error::field("rule-invalid", "/condition", detail).with("column", fault.column)
    })
}

/// What a condition is told: ids and codes, never anything personal.
pub fn input(ctx: &Ctx, event: &Envelope) -> Value {
    let module = event.kind.split('.').next().unwrap_or_default();
    json!({
        "event": {
            "name": event.kind, "module": module, "at": event.at, "record": event.record,
            "subject": event.subject(), "site": event.data["site"].as_str(),
            "data": event.data,
        },
        "actor": {"id": event.by, "kind": web::conditions::kind(&event.by), "roles": []},
        "tenant": web::conditions::tenant(ctx),
        "now": ctx.now(),
    })
}
