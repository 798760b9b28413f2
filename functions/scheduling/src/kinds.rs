//! Types of appointments: the product's own, and those a tenant adds (`scheduling.appointment_types`).

use kernel::{Error, Result};
use serde_json::Value;
use web::Ctx;

pub const BUILT_IN: &[&str] =
    &["routine", "follow_up", "emergency", "procedure", "telehealth", "antenatal", "vaccination"];

/// 422 unless the type exists here.
pub fn known(ctx: &Ctx, kind: &str) -> Result<()> {
    let added = ctx.tenant()?.policies.get("scheduling.appointment_types").and_then(Value::as_array).cloned();
    let added: Vec<String> = added.into_iter().flatten().filter_map(|v| v.as_str().map(Into::into)).collect();
    if BUILT_IN.contains(&kind) || added.iter().any(|a| a == kind) {
        return Ok(());
    }
    let all: Vec<&str> = BUILT_IN.iter().copied().chain(added.iter().map(String::as_str)).collect();
    Err(Error::field("unknown-type", "/type", format!("expected one of {}", all.join(", "))))
}

/// Minutes of a slot where neither rule nor practitioner says more: 5–240, the tenant's setting, else 15.
pub fn slot_minutes(ctx: &Ctx) -> u32 {
    let set = ctx.tenant().map_or(15, |t| t.policy("scheduling.appointment_slot_minutes", 15));
    u32::try_from(set.clamp(5, 240)).unwrap_or(15)
}
