//! `fact#allergies#<pat>`: what a prescriber checks in the commit of the prescription. Absent while nobody has
//! asked. It holds every active allergy, so that it is rewritten without reading a list that may be behind.

use super::{Allergy, Criticality, System, recorded};
use crate::{
    chart::Entry,
    patient::{AllergyStatus, Patient},
};
use kernel::AllergyId;
use serde::{Deserialize, Serialize};
use store::{Commit, Record, facts};
use web::Ctx;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AllergyFact {
    pub status: AllergyStatus,
    /// Rises with every change.
    pub rev: u64,
    /// Codes of active substances.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Codes of active classes.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The highest of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    #[serde(default)]
    pub active: Vec<Active>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Active {
    pub id: AllergyId,
    pub system: System,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
}

impl Default for AllergyFact {
    fn default() -> Self {
        Self {
            status: AllergyStatus::Unknown,
            rev: 0,
            codes: vec![],
            classes: vec![],
            criticality: None,
            active: vec![],
        }
    }
}

impl AllergyFact {
    /// With this record as it stands now: listed if active, taken off if not.
    pub fn with(&self, record: &Record<Allergy>) -> Self {
        let mut active: Vec<Active> = self.active.iter().filter(|a| a.id != record.id).cloned().collect();
        let a = &record.body;
        if a.active() {
            let Allergy { substance, criticality, .. } = a;
            active.push(Active {
                id: record.id,
                system: substance.system,
                code: substance.code.clone(),
                criticality: *criticality,
            });
        }
        Self::of(active, self.rev + 1)
    }

    /// Of two records that became one: what either had is heeded.
    pub fn union(&self, other: &Self) -> Self {
        let mut active = self.active.clone();
        active.extend(other.active.iter().filter(|o| !self.active.iter().any(|a| a.id == o.id)).cloned());
        let status = match (active.is_empty(), self.status, other.status) {
            (false, ..) => AllergyStatus::Listed,
            (true, a, b) => a.max(b),
        };
        Self { status, ..Self::of(active, self.rev + 1) }
    }

    /// Undoes a union: what is ours, and what of theirs is still active.
    pub fn part(&self, theirs: &Self) -> (Self, Self) {
        let (back, ours): (Vec<Active>, Vec<Active>) =
            self.active.iter().cloned().partition(|a| theirs.active.iter().any(|t| t.id == a.id));
        let asserted = |active: &[Active], was: AllergyStatus| match (active.is_empty(), was) {
            (true, AllergyStatus::Listed) => AllergyStatus::Unknown,
            (true, other) => other,
            (false, _) => AllergyStatus::Listed,
        };
        let (mine, other) = (asserted(&ours, self.status), asserted(&back, theirs.status));
        (
            Self { status: mine, ..Self::of(ours, self.rev + 1) },
            Self { status: other, ..Self::of(back, theirs.rev + 1) },
        )
    }

    fn of(active: Vec<Active>, rev: u64) -> Self {
        let codes = |class: bool| -> Vec<String> {
            let wanted = active.iter().filter(|a| (a.system == System::Class) == class);
            wanted.filter_map(|a| a.code.clone()).collect()
        };
        let severest = |c: &Criticality| match c {
            Criticality::Low => 0,
            Criticality::UnableToAssess => 1,
            Criticality::High => 2,
        };
        let criticality = active.iter().filter_map(|a| a.criticality).max_by_key(severest);
        // A list that has become empty was asked for all the same: nobody has asserted that there are none.
        Self {
            status: AllergyStatus::Listed,
            rev,
            codes: codes(false),
            classes: codes(true),
            criticality,
            active,
        }
    }
}

/// Allergies that come with the registration, in its commit.
pub fn add_all(ctx: &Ctx, mut commit: Commit, patient: &Record<Patient>, all: &[Allergy]) -> Commit {
    let mut fact = AllergyFact::default();
    for allergy in all {
        let mut body = allergy.clone();
        body.belongs(patient.id);
        body.begin(ctx);
        let new = Record::new(ctx.now(), body);
        fact = AllergyFact { rev: 0, ..fact.with(&new) };
        commit = commit.create(&new).emit(recorded(&new));
    }
    if all.is_empty() {
        commit
    } else {
        commit.fact(facts::ALLERGIES, patient.id, &AllergyFact { rev: 1, ..fact })
    }
}
