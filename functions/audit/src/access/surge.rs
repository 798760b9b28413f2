//! One user touches unusually many persons within an hour: somebody is told, once a day.

use events::AuditEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, SurgeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use store::{Entity, Key, List, Record, Recorded, Store, Trail, When, chain::Kept};
use web::{
    Ctx, Noun, Route,
    noun::{self, Pages, View},
    route,
};

#[derive(Deserialize)]
struct Watch {
    window_minutes: i64,
    persons: u64,
    by_role: BTreeMap<String, u64>,
    least: u64,
    most: u64,
    quiet_hours: i64,
}

static WATCH: LazyLock<Watch> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/watch.json")).expect("the file is checked by a test")
});

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Surge {
    pub user: String,
    /// Distinct persons within the window, when it was noticed.
    pub persons: u64,
    pub threshold: u64,
    pub window_minutes: i64,
    pub until: Timestamp,
}

impl Entity for Surge {
    type Id = SurgeId;
    const NOUN: &'static str = "surge";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}

impl Noun for Surge {}

pub fn routes() -> Vec<Route> {
    const PATH: &str = "/v1/audit/surges";
    let list = route(
        axum::http::Method::GET,
        PATH,
        "access.view",
        "surge.list",
        axum::routing::get(noun::list::<Surge>),
    )
    .asks_shape(noun::list_shape::<Surge>)
    .gives::<Pages<View<'static, Surge>>>(200)
    .trips(1)
    .says("Who touched unusually many persons within an hour, newest first");
    [vec![list], noun::reading::<Surge>(PATH, "access.view")].concat()
}

/// What the organisation has set, or what holds for the roles: the widest.
fn threshold(roles: &BTreeSet<String>, policy: Option<u64>) -> u64 {
    if let Some(set) = policy {
        return set.clamp(WATCH.least, WATCH.most);
    }
    let own = roles.iter().filter_map(|role| WATCH.by_role.get(role)).max();
    own.copied().unwrap_or(WATCH.persons)
}

/// After a batch: whoever's entries touch more persons than is usual.
pub async fn watch(ctx: &Ctx, entries: &[Kept], persons: &[BTreeSet<String>]) -> Result<()> {
    let mut users: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (kept, touched) in entries.iter().zip(persons) {
        let shown = matches!(kept.entry.outcome.as_str(), "asked" | "shown");
        if shown && !touched.is_empty() && kept.entry.by.starts_with("usr_") {
            users.entry(&kept.entry.by).or_default().extend(kept.entry.roles.iter().cloned());
        }
    }
    if users.is_empty() {
        return Ok(());
    }
    let store = ctx.store();
    let policy = ctx.gate().tenant.as_ref().and_then(|t| t.policies.get("audit")?["surge_persons"].as_u64());
    for (user, roles) in users {
        let most = threshold(&roles, policy);
        let touched = touched(store, user, most).await?;
        if touched > most {
            tell(store, user, touched, most).await?;
        }
    }
    Ok(())
}

/// Distinct persons within the window. The index tells how many an entry touches; bodies are read only where that
/// could be too many.
async fn touched(store: &Store, user: &str, most: u64) -> Result<u64> {
    let from = store::stamp(store.now() - SignedDuration::from_mins(WATCH.window_minutes));
    let traces = store.trail(&Trail::Actor(user.into()), &from, "", 1000).await?;
    let access: Vec<_> = traces.into_iter().filter(|t| !t.is_change()).collect();
    if access.iter().map(|t| t.version).sum::<u64>() <= most {
        return Ok(0);
    }
    let mut distinct = BTreeSet::new();
    for recorded in store.recorded(&access).await? {
        let Recorded::Access(looked) = recorded else { continue };
        let Kept { entry, subject, .. } = looked.kept;
        if matches!(entry.outcome.as_str(), "asked" | "shown") {
            let own = entry.ids.into_iter().filter(|id| super::is_person(id));
            distinct
                .extend(entry.subjects.into_iter().filter(|s| super::is_person(s)).chain(own).chain(subject));
        }
    }
    Ok(distinct.len() as u64)
}

async fn tell(store: &Store, user: &str, persons: u64, threshold: u64) -> Result<()> {
    let now = store.now();
    let surge =
        Surge { user: user.into(), persons, threshold, window_minutes: WATCH.window_minutes, until: now };
    let record = Record::new(now, surge);
    let event = AuditEvent::AccessSurged {
        surge: record.id,
        user: user.into(),
        persons,
        window: u32::try_from(WATCH.window_minutes).unwrap_or(u32::MAX),
    };
    let key = Key::item("seen", "surge", store::segment(user));
    let over = When::Absent.or(When::Below("ttl", now.as_second()));
    let told = |_| Error::conflict(TOLD, "told already");
    let until = now + SignedDuration::from_hours(WATCH.quiet_hours);
    let commit = store.commit().put_until(&key, &serde_json::json!({"at": now}), until, over, told);
    match commit.create(&record).emit(event).run().await {
        Err(Error::Refused(r)) if r.code == TOLD => Ok(()),
        other => other,
    }
}

const TOLD: &str = "told-already";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receptionist_meets_more_people_and_an_organisation_sets_its_own_bound_within_reason() {
        let roles = |all: &[&str]| all.iter().map(|r| r.to_string()).collect::<BTreeSet<_>>();
        assert_eq!(threshold(&roles(&["nurse"]), None), 200);
        assert_eq!(threshold(&roles(&["nurse", "receptionist"]), None), 400);
        assert_eq!(threshold(&roles(&["nurse"]), Some(7)), 50);
        assert_eq!(threshold(&roles(&["receptionist"]), Some(9000)), 2000);
    }
}
