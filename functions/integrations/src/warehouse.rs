//! The warehouse export (INT-6): every change of an organisation as lines of JSON, a quarter of an hour after the
//! other, under `warehouse/{tenant}/dt=YYYY-MM-DD/`. Nothing sealed is in them, so no plain name either.
//!
//! Files lie with us; a bucket of the customer's own waits (its role and its trust are not described yet).

pub mod api;
pub mod export;
pub mod lines;
pub mod manifest;
pub mod slot;

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, Id, Result, WarehouseId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, Key, List, Record};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! { pub enum Format { Lines = "ndjson.gz" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Warehouse {
    pub enabled: bool,
    /// Changes from then on.
    pub since: Timestamp,
    /// Kinds of records (`pat`, `apt`); none = all.
    #[serde(default)]
    pub kinds: Vec<String>,
    pub format: Format,
    /// Everything before it has been written.
    pub cursor: Timestamp,
    /// The next day to be counted and sealed by a manifest.
    pub next_day: Date,
}

/// After the end of a quarter of an hour the index is given this long to show all of it.
pub const SETTLED: SignedDuration = SignedDuration::from_secs(120);
/// Hours after midnight UTC at which the day before is counted.
const COUNTED: i64 = 2;

impl Warehouse {
    /// When the next quarter of an hour can be written.
    fn ready_at(&self) -> Timestamp {
        slot::end(self.cursor) + SETTLED
    }
    fn counted_at(&self) -> Option<Timestamp> {
        let after = self.next_day.checked_add(1.day()).ok()?;
        Some(start_of(after) + SignedDuration::from_hours(COUNTED))
    }
    pub fn wants(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|k| k == kind)
    }
}

/// Midnight UTC at which a day begins.
pub fn start_of(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map(|z| z.timestamp()).unwrap_or(Timestamp::MAX)
}

pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl Entity for Warehouse {
    type Id = WarehouseId;
    const NOUN: &'static str = "warehouse";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    fn due(record: &Record<Self>) -> Vec<Due> {
        if !record.body.enabled {
            return vec![];
        }
        let mut due = vec![Due { at: record.body.ready_at(), what: "export" }];
        due.extend(record.body.counted_at().map(|at| Due { at, what: "manifest" }));
        due
    }
}

impl Noun for Warehouse {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        match ctx.may("warehouse.edit") > Reach::None {
            true if record.body.enabled => vec!["disable"],
            true => vec!["enable"],
            false => vec![],
        }
    }
}

/// An organisation has one: its id follows from the organisation's.
pub fn id(ctx: &Ctx) -> Result<WarehouseId> {
    let tenant =
        ctx.scope().tenant().ok_or_else(|| Error::forbidden("no-tenant", "this is for organisations"))?;
    Ok(WarehouseId::of(tenant.ulid()))
}

/// One written file, as it is remembered beside the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// `dt=2026-11-20/part-….ndjson.gz`
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// Hex, of the file's bytes.
    pub sha256: String,
}

impl Part {
    pub fn place(&self, id: WarehouseId) -> Key {
        Key::part(id, "part", &self.name)
    }
}

/// What is remembered of a day once it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    pub day: Date,
    /// Lines in the day's files, and changes that the day had.
    pub rows: u64,
    pub changes: u64,
    /// The first count differed, and the day was written again.
    pub repaired: bool,
}

impl Counted {
    pub fn place(id: WarehouseId, day: Date) -> Key {
        Key::part(id, "day", day)
    }
}
