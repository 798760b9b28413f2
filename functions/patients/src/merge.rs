//! Merging: two records of one person become one. Nothing moves: the duplicate points at the survivor, so that
//! taking it back is exact.

mod api;
mod plan;
mod undo;

pub use api::routes;
pub use undo::undo;

use crate::patient::{Patient, facts as published, guards};
use jiff::Timestamp;
use kernel::{MergeId, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use store::{Commit, Entity, Key, List, Record, Row, facts};
use web::{Ctx, Noun, Reach};

use crate::{allergy::AllergyFact, coverage::CoverageFact, flag::FlagFact};

kernel::words! { pub enum Side { Survivor = "survivor", Duplicate = "duplicate" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Merge {
    pub survivor: PatientId,
    pub duplicate: PatientId,
    /// Fields whose value is not the survivor's own.
    #[schemars(extend("maxProperties" = 60))]
    #[serde(default)]
    pub choices: BTreeMap<String, Side>,
    pub reason: Sealed<String>,
    /// How much hung on the duplicate.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub moved: Counts,
    /// The survivor as it was, and as the merge left it.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub before: Sealed<Map<String, Value>>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub after: Sealed<Map<String, Value>>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<Timestamp>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_reason: Option<Sealed<String>>,
    /// Fields that were edited since the merge and kept their value when it was undone.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    pub allergies: usize,
    pub flags: usize,
    pub coverages: usize,
}

impl Entity for Merge {
    type Id = MergeId;
    const NOUN: &'static str = "merge";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::by("survivor", &["survivor"], |r| vec![Row::new(&[&r.body.survivor], &[&r.id])]),
    ];
}

impl Noun for Merge {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach >= Reach::Site
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let open = record.body.undone_at.is_none() && ctx.may("patient.undo_merge") > Reach::None;
        if open { vec!["undo"] } else { vec![] }
    }
}

/// What is known of one side: the record and the facts that hang on it.
pub struct Half {
    pub record: Record<Patient>,
    pub allergies: AllergyFact,
    pub flags: FlagFact,
    pub coverage: CoverageFact,
}

impl Half {
    pub fn counts(&self) -> Counts {
        Counts {
            allergies: self.allergies.active.len(),
            flags: self.flags.active.len(),
            coverages: self.coverage.coverages.len(),
        }
    }
}

/// Both sides in one wave; a record out of reach is missing.
pub async fn halves(ctx: &Ctx, survivor: PatientId, duplicate: PatientId) -> Result<(Half, Half)> {
    let of =
        |id: PatientId| [facts::ALLERGIES, facts::FLAGS, facts::COVERAGE].map(|fact| Key::fact(fact, id));
    let keys: Vec<Key> = of(survivor).into_iter().chain(of(duplicate)).collect();
    let store = ctx.store();
    let (a, b, found) = futures::join!(
        store.fresh::<Patient>(survivor),
        store.fresh::<Patient>(duplicate),
        store.read_many(&keys)
    );
    let (a, b) = (ctx.reached(a?).await?, ctx.reached(b?).await?);
    ctx.looked_at::<Patient>([a.id, b.id].into_iter()).await?;
    let mut found = found?.into_iter();
    let mut next = || found.next().flatten();
    let mut half = |record| -> Result<Half> {
        Ok(Half { record, allergies: read(next())?, flags: read(next())?, coverage: read(next())? })
    };
    Ok((half(a)?, half(b)?))
}

fn read<F: serde::de::DeserializeOwned + Default>(value: Option<Value>) -> Result<F> {
    value
        .map(serde_json::from_value)
        .transpose()
        .map(Option::unwrap_or_default)
        .map_err(kernel::Error::internal)
}

/// Demographics as a map of fields, opened: for comparing and for the snapshots, which are sealed.
pub fn fields(patient: &Patient) -> Result<Map<String, Value>> {
    let value = seal::open(|| serde_json::to_value(&patient.person)).map_err(kernel::Error::internal)?;
    Ok(value.as_object().cloned().unwrap_or_default())
}

/// Both records' facts, and the survivor's guards.
pub(crate) fn publish(commit: Commit, old: &Record<Patient>, new: &Record<Patient>) -> Commit {
    published::publish(commit, Some(old), new)
}

/// Guards that the survivor has taken over from the duplicate.
pub(crate) fn moved(
    before: &Patient,
    after: &Patient,
    duplicate: &Patient,
) -> std::collections::BTreeSet<guards::Guard> {
    let (was, is, theirs) = (guards::of(before), guards::of(after), guards::of(duplicate));
    is.difference(&was).filter(|g| theirs.contains(*g)).cloned().collect()
}
