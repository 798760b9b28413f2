//! Who cares for whom: one item per user and patient, written by reactions when somebody meets a patient, and
//! read as the proof of the reach `assigned`. It ends 180 days after the last contact.

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, PatientId, Result, UserId};
use serde::{Deserialize, Serialize};
use store::{Key, When};
use web::Ctx;

const REMEMBERED: SignedDuration = SignedDuration::from_hours(180 * 24);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Care {
    pub at: Timestamp,
    pub until: Timestamp,
}

/// The patient is the item's place, so that one read answers; the list by time is sorted after reading.
fn key(user: &str, patient: PatientId) -> Key {
    Key::item("care", user, patient)
}

/// Whether the caller cares for one of these records' person.
pub async fn has(ctx: &Ctx, patients: &[PatientId]) -> Result<bool> {
    let keys: Vec<Key> = patients.iter().map(|p| key(&ctx.actor().user, *p)).collect();
    let found = ctx.store().read_many(&keys).await?;
    let live = |v: serde_json::Value| serde_json::from_value::<Care>(v).is_ok_and(|c| c.until > ctx.now());
    Ok(found.into_iter().flatten().any(live))
}

/// Notes a contact; an older one never shortens what a later one gave.
pub async fn met(ctx: &Ctx, user: UserId, patient: PatientId, at: Timestamp) -> Result<()> {
    let until = at + REMEMBERED;
    let care = Care { at, until };
    let later = When::Absent.or(When::Below("ttl", until.as_second()));
    let known = |_| Error::conflict("seen-already", "a later contact is known");
    let commit = ctx.store().commit().put_until(&key(&user.to_string(), patient), &care, until, later, known);
    match commit.run().await {
        Err(e) if e.code() == "seen-already" => Ok(()),
        other => other,
    }
}

/// Patients in the care of a user, the last met first.
pub async fn of(ctx: &Ctx, user: &str, most: usize) -> Result<Vec<PatientId>> {
    let all: Vec<(String, Care)> = ctx.store().under(&Key::item("care", user, "."), "", 1000).await?;
    let mut live: Vec<(Timestamp, PatientId)> = all
        .into_iter()
        .filter(|(_, care)| care.until > ctx.now())
        .filter_map(|(place, care)| Some((care.at, place.parse().ok()?)))
        .collect();
    live.sort_by(|a, b| b.cmp(a));
    Ok(live.into_iter().take(most).map(|(_, p)| p).collect())
}
