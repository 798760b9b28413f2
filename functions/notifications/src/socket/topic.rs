//! Topics: what may be listened to by whom, and which of them an event changes. A topic is granted by the permission
//! and reach of the route that shows the same.

use super::ticket::Holder;
use events::Envelope;
use kernel::{PractitionerId, Result};
use serde_json::Value;
use store::Key;
use web::{Ctx, Reach};

/// Kinds whose records can be listened to, with the permission that shows them.
const SHOWN: &[(&str, &str)] = &[
    ("apt", "appointment.view"),
    ("pvi", "patient_visit.view"),
    ("que", "queue.view"),
    ("flw", "follow_up.view"),
    ("pat", "patient.view"),
];

/// Kinds of what is answered with 202 and done afterwards, with the permission that shows them.
const JOBS: &[(&str, &str)] = &[("axp", "audit_export.view"), ("vrf", "verification.view")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    Yes,
    No,
    /// Nobody can listen to it yet: dashboards come with the analytics module.
    NotOffered,
}

/// Whether the holder may listen. What is unknown is refused like what is not allowed.
pub async fn granted(ctx: &Ctx, holder: &Holder, topic: &str) -> Result<Grant> {
    let Some((kind, of)) = topic.split_once(':') else { return Ok(Grant::No) };
    let granted = match kind {
        "queue" => queue(ctx, holder, of).await?,
        "board" => of.starts_with("sit_") && at_site(reach(ctx, holder, "appointment.view"), holder, of),
        "record" => record(ctx, holder, of).await?,
        "job" => job(ctx, holder, of).await?,
        "dashboard" => return Ok(Grant::NotOffered),
        _ => false,
    };
    Ok(if granted { Grant::Yes } else { Grant::No })
}

/// How far a permission reaches for the holder, weighed as a request's is.
fn reach(ctx: &Ctx, holder: &Holder, permission: &'static str) -> Reach {
    let access = &ctx.gate().access;
    let lent: Vec<String> = access.lent(&holder.user, ctx.now()).map(|e| e.role.clone()).collect();
    let weighed = authz::Holder {
        roles: &holder.roles,
        custom: &access.custom,
        overrides: &access.overrides,
        elevated: &lent,
        scopes: &[],
        context: None,
    };
    let decision = authz::decide(&weighed, permission, ctx.now());
    // What is held with a restriction is not held for listening.
    decision.held.iter().filter(|h| h.only.is_none()).map(|h| h.reach).max().unwrap_or(Reach::None)
}

fn at_site(reach: Reach, holder: &Holder, site: &str) -> bool {
    match reach {
        Reach::All => true,
        Reach::Site | Reach::Team => reaches(&holder.sites, site),
        _ => false,
    }
}

pub fn reaches(sites: &[String], site: &str) -> bool {
    sites.iter().any(|s| s == "*" || s == site)
}

/// A doctor's queue: by those of the doctor's sites, and by the doctor.
async fn queue(ctx: &Ctx, holder: &Holder, of: &str) -> Result<bool> {
    let Ok(doctor) = of.parse::<PractitionerId>() else { return Ok(false) };
    let reach = reach(ctx, holder, "queue.view");
    if reach == Reach::None {
        return Ok(false);
    }
    let Some(profile) = ctx.store().read::<Value>(&Key::record(doctor)).await? else { return Ok(false) };
    let sites = profile["sites"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let shared = sites.clone().any(|site| at_site(reach, holder, site));
    Ok(shared || profile["user_id"] == holder.user.as_str())
}

/// A record of a site that the holder reaches.
async fn record(ctx: &Ctx, holder: &Holder, of: &str) -> Result<bool> {
    let Some((_, permission)) = SHOWN.iter().find(|(kind, _)| of.split('_').next() == Some(kind)) else {
        return Ok(false);
    };
    let reach = reach(ctx, holder, permission);
    if reach < Reach::Site {
        return Ok(false);
    }
    let place = Key::item(of.split('_').next().unwrap_or_default(), of, ".");
    let Some(record) = ctx.store().read::<Value>(&place).await? else { return Ok(false) };
    let site = record["site"].as_str().or(record["site_id"].as_str()).unwrap_or_default();
    Ok(at_site(reach, holder, site))
}

/// A job of the organisation: seen by whoever sees all of its kind.
async fn job(ctx: &Ctx, holder: &Holder, of: &str) -> Result<bool> {
    let kind = of.split('_').next().unwrap_or_default();
    let Some((_, permission)) = JOBS.iter().find(|(k, _)| *k == kind) else { return Ok(false) };
    let place = Key::item(kind, of, ".");
    Ok(reach(ctx, holder, permission) == Reach::All && ctx.store().read::<Value>(&place).await?.is_some())
}

/// The topics that an event changes.
pub fn of(event: &Envelope) -> Vec<String> {
    let data = |name: &str| event.data[name].as_str();
    let mut topics = vec![format!("record:{}", event.record)];
    if JOBS.iter().any(|(kind, _)| event.record.split('_').next() == Some(kind)) {
        topics.push(format!("job:{}", event.record));
    }
    let noun = event.kind.split('.').next().unwrap_or_default();
    if matches!(noun, "patient_visit" | "queue" | "appointment") {
        topics.extend(data("practitioner").map(|doctor| format!("queue:{doctor}")));
        topics.extend(data("site").map(|site| format!("board:{site}")));
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_visit_changes_its_doctors_queue_and_its_sites_board() {
        let event = Envelope {
            id: "pvi#pvi_1#2".into(),
            tenant: "t".into(),
            kind: "patient_visit.called".into(),
            at: String::new(),
            by: String::new(),
            record: "pvi_1".into(),
            version: 2,
            cause: vec![],
            data: json!({"practitioner": "prc_1", "site": "sit_1"}),
        };
        assert_eq!(of(&event), ["record:pvi_1", "queue:prc_1", "board:sit_1"]);
        let other = Envelope { kind: "document.expired".into(), ..event };
        assert_eq!(of(&other), ["record:pvi_1"]);
        let job = Envelope { kind: "audit_export.completed".into(), record: "axp_1".into(), ..other };
        assert_eq!(of(&job), ["record:axp_1", "job:axp_1"]);
    }
}
