//! Digests: one per organisation and UTC day, over what was anchored of it, signed, each naming the one before.

pub mod api;
mod seal;

pub use seal::task;

use crate::doors;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use kernel::{DigestId, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{
    Due, Entity, List, Record, Row, Scope, Unique, Wanted,
    chain::{Finding, Summary},
};
use web::{App, Noun};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Open = "open", Sealed = "sealed" }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// UTC.
    pub day: Date,
    /// The organisation's first: from here on no day may be missing.
    pub first: Date,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Summary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Summary>,
    /// What the day's items and its anchors did not agree on; the first 100, all of them are in its file.
    #[serde(default)]
    pub mismatches: Vec<Finding>,
    /// SHA-256 of the signed bytes, and of those of the day before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_at: Option<Timestamp>,
}

/// After midnight, longer than any function may run: what was begun on a day is anchored by then.
const REST: SignedDuration = SignedDuration::from_mins(20);

impl Digest {
    fn of(day: Date, first: Date) -> Self {
        Self { day, first, ..Self::default() }
    }
    /// When the day can be sealed.
    pub fn due_at(&self) -> Timestamp {
        let end = self.day.tomorrow().unwrap_or(Date::MAX).to_zoned(TimeZone::UTC);
        end.map_or(Timestamp::MAX, |z| z.timestamp() + REST)
    }
    fn month(&self) -> String {
        self.day.strftime("%Y-%m").to_string()
    }
}

impl Entity for Digest {
    type Id = DigestId;
    const NOUN: &'static str = "digest";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("all", &[], |r| vec![Row::new(&[], &[&r.body.day])]).range(),
        List::<Self>::by("month", &["month"], |r| vec![Row::new(&[&r.body.month()], &[&r.body.day])])
            .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("day", "sealed-already", |d| vec![d.day.to_string()])];

    fn due(record: &Record<Self>) -> Vec<Due> {
        let open = record.body.status == Status::Open;
        open.then(|| Due { at: record.body.due_at(), what: "seal" }).into_iter().collect()
    }
}

impl Noun for Digest {}

/// The first day of an organisation, at its first anchor; from then on each day begins the next.
pub async fn begin(app: &App, scope: Scope, day: Date) -> Result<()> {
    let store = doors::store(app, scope).await?;
    let known = store.list::<Digest>(&Digest::LISTS[0], &Wanted::all(1)).await?;
    if !known.data.is_empty() {
        return Ok(());
    }
    let first = Record::new(store.now(), Digest::of(day, day));
    match store.commit().create(&first).run().await {
        // Another environment was faster.
        Err(Error::Duplicate { .. }) => Ok(()),
        other => other,
    }
}
