//! Legal holds: what lies under one is neither deleted nor disposed of, whatever its retention says. A fact per held
//! record (`fact#held#<record>`) is what deletion, disposal and erasure of every module look for in their commits.

mod api;
mod work;

pub use api::routes;
pub use work::{reactions, tasks};

use crate::document::Document;
use jiff::Timestamp;
use kernel::{DocumentId, Error, Fault, HoldId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Entity, Key, List, Record, Row, When, facts};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Active = "active", Released = "released" }
}

/// What a hold lies on: exactly one of the three.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Covers {
    #[schemars(length(min = 1, max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<Vec<DocumentId>>,
    /// Everything about a person or thing, also what comes later.
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Everything linked to a record, also what comes later.
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// `HOLD-2026-1`
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub number: String,
    #[schemars(length(min = 1, max = 200))]
    pub matter: Sealed<String>,
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Sealed<String>,
    pub covers: Covers,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub placed_by: String,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
}

impl Entity for Hold {
    type Id = HoldId;
    const NOUN: &'static str = "hold";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])];
}

impl Noun for Hold {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    fn check(&self) -> Vec<Fault> {
        let c = &self.covers;
        let named = [c.documents.is_some(), c.subject.is_some(), c.record.is_some()];
        if named.iter().filter(|n| **n).count() == 1 {
            return vec![];
        }
        vec![Fault::new("/covers", "one-of", "name documents, a subject or a record: one of the three")]
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let open = record.body.status == Status::Active && ctx.may("hold.release") > Reach::None;
        if open { vec!["release"] } else { vec![] }
    }
}

/// `fact#held#<record>`: the holds that lie on it. It is there while there is one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Held {
    pub rev: u64,
    pub holds: Vec<HoldId>,
    /// Their numbers: all that others are told.
    pub numbers: Vec<String>,
}

impl Held {
    /// With a hold (or without it); none if nothing changes.
    fn with(&self, id: HoldId, number: &str, on: bool) -> Option<Self> {
        if self.holds.contains(&id) == on {
            return None;
        }
        let mut next = self.clone();
        next.rev += 1;
        if on {
            next.holds.push(id);
            next.numbers.push(number.into());
        } else {
            next.holds.retain(|h| *h != id);
            next.numbers.retain(|n| n != number);
        }
        Some(next)
    }
    /// In a commit, if nobody changed it since it was read.
    fn write(&self, commit: Commit, record: &str, read: Option<&Held>) -> Commit {
        let key = Key::fact(facts::HELD, record);
        let when = When::unmoved(read.map_or(0, |held| held.rev));
        let lost = |_: Option<Value>| Error::meanwhile();
        match self.holds.is_empty() {
            true => commit.delete_if(&key, when, lost),
            false => commit.put_if(&key, self, when, lost),
        }
    }
}

/// What lies on the records that a new document belongs to.
pub struct Over {
    /// Record and what was read of it.
    read: Vec<(String, Option<Held>)>,
    all: Held,
}

impl Over {
    pub fn count(&self) -> u32 {
        self.all.holds.len() as u32
    }
    /// The new document is held as they are; and nothing was placed or released meanwhile.
    pub fn keep(&self, mut commit: Commit, id: DocumentId) -> Commit {
        for (record, read) in &self.read {
            let when = When::unmoved(read.as_ref().map_or(0, |held| held.rev));
            let lost = |_| Error::meanwhile();
            commit = commit.check(&Key::fact(facts::HELD, record), when, lost);
        }
        if self.all.holds.is_empty() { commit } else { commit.fact(facts::HELD, id, &self.all) }
    }
}

/// Reads the holds over a document that is being made.
pub async fn over(ctx: &Ctx, record: &Record<Document>) -> Result<Over> {
    let records: Vec<String> = record.body.records().into_iter().map(Into::into).collect();
    let keys: Vec<Key> = records.iter().map(|r| Key::fact(facts::HELD, r)).collect();
    let found = if keys.is_empty() { vec![] } else { ctx.store().read_many(&keys).await? };
    let mut all = Held::default();
    let mut read = vec![];
    for (record, found) in records.into_iter().zip(found) {
        let held: Option<Held> = found.map(serde_json::from_value).transpose().map_err(Error::internal)?;
        for (id, number) in held.iter().flat_map(|h| h.holds.iter().zip(&h.numbers)) {
            all = all.with(*id, number, true).unwrap_or(all);
        }
        read.push((record, held));
    }
    Ok(Over { read, all })
}

/// The commit happens only if nothing holds the document, or whom it is about.
pub fn none(commit: Commit, record: &Record<Document>) -> Commit {
    let id = record.id.to_string();
    let places = std::iter::once(id.as_str()).chain(record.body.records());
    places.fold(commit, |commit, place| commit.check(&Key::fact(facts::HELD, place), When::Absent, refusal))
}

/// 409 with the matter's number only.
pub fn refusal(held: Option<Value>) -> Error {
    let numbers = held.map_or(json!([]), |h| h["numbers"].clone());
    Error::conflict("legal-hold", "a legal hold lies on this: it stays until the hold is released")
        .with("matters", numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Id, Ulid};

    #[test]
    fn holds_are_counted_each_once() {
        let (a, b) = (HoldId::of(Ulid::from_parts(1, 1)), HoldId::of(Ulid::from_parts(1, 2)));
        let one = Held::default().with(a, "HOLD-2026-1", true).unwrap();
        assert!(one.with(a, "HOLD-2026-1", true).is_none(), "a second delivery changes nothing");
        let two = one.with(b, "HOLD-2026-2", true).unwrap();
        assert_eq!((two.rev, two.holds.len()), (2, 2));
        let left = two.with(a, "HOLD-2026-1", false).unwrap();
        assert_eq!((left.numbers, left.holds), (vec!["HOLD-2026-2".to_string()], vec![b]));
    }
}
