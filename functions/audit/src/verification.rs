//! Verifications: a record, some days or all of them, judged by the same pure code as the offline verifier.

pub mod api;
pub mod record;
mod run;
mod step;

pub use run::{reactions, task};

use crate::{
    digest::{self, Digest},
    kinds,
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, Result, VerificationId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Wanted, chain::Finding};
use web::{Ctx, Noun};

kernel::words! {
    #[derive(Default)]
    pub enum State {
        #[default] Queued = "queued", Running = "running", Intact = "intact", Broken = "broken", Failed = "failed",
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    pub changes: u64,
    pub access: u64,
    pub digests: u64,
    pub records: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// One record, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// UTC days, both included.
    pub from: Date,
    pub to: Date,
    /// From the very first digest on: what stands before it is judged too.
    #[serde(default)]
    pub whole: bool,
    /// Of thirty parts of all records the one that is verified; all of them, if none is named.
    #[schemars(range(min = 0, max = 29))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u8>,
    pub requested_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<String>>,
    pub status: State,
    #[serde(default)]
    pub checked: Checked,
    /// The first 1,000, in the order of their day, time and place.
    #[serde(default)]
    pub findings: Vec<Finding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_broken: Option<Finding>,
    /// The day that is next, and the record after which it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When the clock looks whether it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    #[serde(default)]
    pub tries: u32,
    /// Somebody was told already that something is broken: by the day that this was made for.
    #[schemars(skip)]
    #[serde(default)]
    pub told: bool,
}

/// Findings kept in the record.
const KEPT: usize = 1000;
/// Tries of one step before the run has failed.
const TRIES: u32 = 20;
/// If nothing was heard of a run for so long, the clock takes it up again.
const SILENCE: SignedDuration = SignedDuration::from_mins(2);

impl Verification {
    pub fn is_over(&self) -> bool {
        !matches!(self.status, State::Queued | State::Running)
    }

    /// With what was found, sorted and cut; the first that is a failure is kept apart.
    fn found(&mut self, more: Vec<Finding>) {
        let mut all = std::mem::take(&mut self.findings);
        all.extend(more);
        let all = store::chain::sorted(all);
        let first = all.iter().find(|f| f.finding.is_failure()).cloned();
        self.first_broken = first.or(self.first_broken.take());
        self.findings = all.into_iter().take(KEPT).collect();
    }

    fn end(&mut self, now: Timestamp) {
        let broken = self.first_broken.is_some();
        self.status = if broken { State::Broken } else { State::Intact };
        (self.day, self.after, self.look_at, self.ended_at) = (None, None, None, Some(now));
    }
}

impl Entity for Verification {
    type Id = VerificationId;
    const NOUN: &'static str = "verification";
    const LISTS: &'static [List<Self>] = &[List::newest()];

    fn due(record: &Record<Self>) -> Vec<Due> {
        let at = record.body.look_at.filter(|_| !record.body.is_over());
        at.map(|at| Due { at, what: "run" }).into_iter().collect()
    }
}

impl Noun for Verification {}

/// Every Sunday, and whenever a day did not agree with its anchors: the eight days up to this one.
pub fn of_the_week(now: Timestamp, last: Date, told: bool) -> Record<Verification> {
    let body = Verification {
        told,
        from: last.checked_sub(7.days()).unwrap_or(last),
        to: last,
        requested_by: "system:audit".into(),
        look_at: Some(now + SILENCE),
        ..Verification::default()
    };
    Record::new(now, body)
}

/// Every night: one thirtieth of all records, with every version they ever had. What changed long ago, and what a week's
/// days do not name, comes by once a month.
pub fn of_the_night(now: Timestamp, first: Date, last: Date) -> Record<Verification> {
    let body = Verification {
        from: first,
        to: last,
        part: Some(part_of_night(last)),
        requested_by: "system:audit".into(),
        look_at: Some(now + SILENCE),
        ..Verification::default()
    };
    Record::new(now, body)
}

const PARTS: u8 = 30;

fn part_of_night(day: Date) -> u8 {
    let days = day.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    u8::try_from(days.rem_euclid(PARTS.into())).unwrap_or_default()
}

/// The part that a record belongs to, by the hash of its id.
pub fn part_of(record: &str) -> u8 {
    let hash = seal::sha256(record.as_bytes());
    let number = hash.iter().take(4).fold(0u32, |n, b| (n << 8) | u32::from(*b));
    (number % u32::from(PARTS)) as u8
}

/// The days that can be verified.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The first digest's.
    pub first: Date,
    pub today: Date,
    /// The last that is sealed, if one is.
    sealed: Option<Date>,
}

impl Bounds {
    /// Whether the day has to have a digest: yesterday's may still be awaited.
    pub fn must_be_sealed(&self, day: Date) -> bool {
        let awaited = self.today.checked_sub(2.days()).unwrap_or(Date::MIN);
        self.sealed.is_some_and(|sealed| day <= sealed) || day < awaited
    }
}

pub async fn bounds(ctx: &Ctx) -> Result<Bounds> {
    let today = ctx.now().to_zoned(TimeZone::UTC).date();
    let newest = ctx.store().list::<Digest>(&Digest::LISTS[0], &Wanted::all(1)).await?;
    let newest = newest.data.first().map(|d| &d.body);
    let sealed = newest.and_then(|d| match d.status {
        digest::Status::Sealed => Some(d.day),
        digest::Status::Open => d.day.yesterday().ok().filter(|day| *day >= d.first),
    });
    Ok(Bounds { first: newest.map_or(today, |d| d.first), today, sealed })
}

/// The kind of a record that is to be verified.
fn kind(record: &str) -> Result<&'static str> {
    kinds::kind_of(record)
        .ok_or_else(|| Error::field("unknown-record", "/record", "expected an id of ours: pat_…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_nights_in_a_row_verify_every_part_once() {
        let day = |n: i32| Date::constant(2026, 12, 20).checked_add(n.days()).unwrap();
        let nights: std::collections::BTreeSet<u8> = (0..30).map(|n| part_of_night(day(n))).collect();
        assert_eq!((nights.len(), nights.first(), nights.last()), (30, Some(&0), Some(&29)));
        let mut sizes = [0; 30];
        (0..3000).for_each(|n| sizes[usize::from(part_of(&format!("pat_{n}")))] += 1);
        assert!(sizes.iter().all(|n| (60..150).contains(n)), "{sizes:?}");
    }
}
