//! `fact#coverage#<pat>`: the covers that billing may charge.

use super::{Coverage, PayerType, Relation, State, added};
use crate::{chart::Entry, patient::Membership};
use jiff::civil::Date;
use kernel::{CoverageId, PatientId};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Record, facts};
use web::Ctx;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CoverageFact {
    pub rev: u64,
    pub coverages: Vec<Cover>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cover {
    pub id: CoverageId,
    pub payer: String,
    pub payer_type: PayerType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_number: Option<Sealed<String>>,
    pub relation: Relation,
    pub ordinal: u8,
    pub from: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// 1 is billed first.
    pub order: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<String>,
}

impl CoverageFact {
    /// With this cover as it stands now: active ones only, the primary one first.
    pub fn with(&self, record: &Record<Coverage>) -> Self {
        let mut coverages: Vec<Cover> =
            self.coverages.iter().filter(|c| c.id != record.id).cloned().collect();
        let c = &record.body;
        if c.status == State::Active {
            coverages.push(Cover {
                id: record.id,
                payer: c.payer(),
                payer_type: c.payer_type,
                plan: c.plan.clone(),
                member_number: c.member_number.clone(),
                relation: c.relation,
                ordinal: c.ordinal,
                from: c.valid_from,
                to: c.valid_to,
                order: if c.primary { 1 } else { 2 },
                facility: c.primary_facility.clone(),
            });
        }
        coverages.sort_by_key(|c| (c.order, c.id));
        Self { rev: self.rev + 1, coverages }
    }

    pub fn union(&self, other: &Self) -> Self {
        let mut coverages = self.coverages.clone();
        coverages
            .extend(other.coverages.iter().filter(|o| !self.coverages.iter().any(|c| c.id == o.id)).cloned());
        coverages.sort_by_key(|c| (c.order, c.id));
        Self { rev: self.rev + 1, coverages }
    }

    /// Undoes a union: what is ours, and what of theirs is still active.
    pub fn part(&self, theirs: &Self) -> (Self, Self) {
        let (back, ours) =
            self.coverages.iter().cloned().partition(|c| theirs.coverages.iter().any(|t| t.id == c.id));
        (Self { rev: self.rev + 1, coverages: ours }, Self { rev: theirs.rev + 1, coverages: back })
    }

    /// As duplicates are compared.
    pub fn members(&self) -> Vec<Membership> {
        let member = |c: &Cover| {
            let (payer, relation) = (c.payer.clone(), c.relation.to_string());
            Some(Membership {
                payer,
                number: c.member_number.as_ref()?.0.clone(),
                relation,
                ordinal: c.ordinal,
            })
        };
        self.coverages.iter().filter_map(member).collect()
    }
}

/// Covers that come with the registration, in its commit.
pub fn add_all(ctx: &Ctx, mut commit: Commit, patient: PatientId, all: &[Coverage]) -> Commit {
    let mut fact = CoverageFact::default();
    for coverage in all {
        let mut body = coverage.clone();
        body.belongs(patient);
        let new = Record::new(ctx.now(), body);
        fact = fact.with(&new);
        commit = commit.create(&new).emit(added(&new));
    }
    if all.is_empty() {
        commit
    } else {
        commit.fact(facts::COVERAGE, patient, &CoverageFact { rev: 1, ..fact })
    }
}
