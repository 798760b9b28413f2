//! The search for records of the same person: unique guards and exact values in one wave, the records behind
//! them in a second one if there are any, then the score.

use super::{Demographics, Membership, Patient, card::Card, guards, index};
use crate::matching::{self, Band, Factor, Number, Options, Thresholds};
use futures::future::{join, join_all};
use kernel::{PatientId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Record;
use web::{Ctx, Noun};

/// Queries of exact values in one wave.
const QUERIES: usize = 12;
/// Hits of one query.
const HITS: i32 = 25;
/// Records that are read and compared.
const COMPARED: usize = 60;

/// Somebody who may be the same person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    pub id: PatientId,
    /// 0–100.
    pub score: i64,
    pub band: Band,
    pub factors: Vec<Factor>,
    /// `multiple_birth`: twins look like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    /// Whom it is about, if the caller may identify them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// The record that was found, if it has been merged into `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<PatientId>,
    /// It was not there when the match token was given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
}

/// What the search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Best first; none below `possible`.
    pub candidates: Vec<Candidate>,
    /// Who holds an identity document or hospital number of this person.
    pub documents: Vec<(String, PatientId)>,
    /// Who holds the guard of this name, telephone, date and sex.
    pub person: Option<PatientId>,
}

impl Found {
    pub fn at_least(&self, band: Band) -> Vec<&Candidate> {
        self.candidates.iter().filter(|c| c.band >= band).collect()
    }
}

/// Whom to look for.
pub struct Wanted<'a> {
    pub person: &'a Demographics,
    pub members: &'a [Membership],
    /// Telephones of relatives, E.164.
    pub kin: &'a [String],
    pub options: Options,
}

pub fn thresholds(ctx: &Ctx) -> Thresholds {
    let policy = |name: &str, default: i64| ctx.tenant().map_or(default, |t| t.policy(name, default));
    Thresholds::new(policy("patients.probable", 70), policy("patients.certain", 95))
}

/// One round trip, and a second one if anybody is found.
pub async fn look(ctx: &Ctx, wanted: &Wanted<'_>) -> Result<Found> {
    let Wanted { person, members, .. } = wanted;
    let mut asked: Vec<guards::Guard> = guards::documents(person);
    asked.extend(person.hospital_number.iter().map(|n| ("hospital_number", "identifier-taken", n.clone())));
    if !person.unidentified() {
        asked.push(guards::this_person(person));
    }
    let values: Vec<(&str, String)> = asked.iter().map(|(field, _, value)| (*field, value.clone())).collect();
    let exact: Vec<_> = index::exact(person, members).into_iter().take(QUERIES).collect();
    let queries = exact.iter().map(|(field, value)| ctx.store().find_exact::<Patient>(field, value, HITS));
    let (owners, hits) = join(owners(ctx, &values), join_all(queries)).await;
    let owners = owners?;

    let mut found = Found::default();
    // Guards weigh more than any number of exact values.
    let mut weight: BTreeMap<PatientId, usize> = BTreeMap::new();
    for ((field, _, value), owner) in asked.iter().zip(owners) {
        let Some(owner) = owner else { continue };
        *weight.entry(owner).or_default() += 2 * QUERIES;
        match *field {
            "person" => found.person = Some(owner),
            _ => found.documents.push((value.clone(), owner)),
        }
    }
    for hit in hits {
        hit?.into_iter().for_each(|id| *weight.entry(id).or_default() += 1);
    }
    found.candidates = compare(ctx, wanted, weight).await?;
    Ok(found)
}

async fn owners(ctx: &Ctx, values: &[(&str, String)]) -> Result<Vec<Option<PatientId>>> {
    if values.is_empty() { Ok(vec![]) } else { ctx.store().guarded_many::<Patient>(values).await }
}

async fn compare(
    ctx: &Ctx,
    wanted: &Wanted<'_>,
    weight: BTreeMap<PatientId, usize>,
) -> Result<Vec<Candidate>> {
    if weight.is_empty() {
        return Ok(vec![]);
    }
    let mut best: Vec<(usize, PatientId)> = weight.into_iter().map(|(id, w)| (w, id)).collect();
    best.sort_by(|a, b| b.cmp(a));
    let ids: Vec<PatientId> = best.into_iter().take(COMPARED).map(|(_, id)| id).collect();
    let records = ctx.store().get_many::<Patient>(&ids).await?;
    let mut person = wanted.person.compared(wanted.members);
    person.phones.extend(wanted.kin.iter().map(|n| Number { number: n.clone(), relative: true }));
    let thresholds = thresholds(ctx);
    let live = records.iter().filter(|r| r.deleted_at.is_none());
    let mut all: Vec<Candidate> =
        live.filter_map(|r| candidate(ctx, &person, r, wanted.options, thresholds)).collect();
    all.sort_by_key(|c| (std::cmp::Reverse((c.band, c.score)), c.id));
    all.dedup_by_key(|c| c.id);
    Ok(all)
}

fn candidate(
    ctx: &Ctx,
    person: &matching::Person,
    record: &Record<Patient>,
    options: Options,
    thresholds: Thresholds,
) -> Option<Candidate> {
    let score = matching::score(person, &record.body.person.compared(&record.body.members), options);
    let band = thresholds.band(&score)?;
    let known = Patient::within(record, ctx.may("patient.identify"), ctx.actor());
    Some(Candidate {
        // A merged record stands for its survivor.
        id: record.body.merged_into.unwrap_or(record.id),
        score: score.points,
        band,
        factors: score.factors,
        hint: score.twins.then(|| "multiple_birth".into()),
        conflict: score.conflict.then(|| "identity number belongs to somebody else: check the card".into()),
        card: known.then(|| Card::of(record, ctx.today())),
        merged_from: record.body.merged_into.map(|_| record.id),
        fresh: false,
    })
}

/// Leaves an access entry for the candidates that are about to be shown.
pub async fn shown(ctx: &Ctx, candidates: &[Candidate]) -> Result<()> {
    ctx.looked_at::<Patient>(candidates.iter().filter(|c| c.card.is_some()).map(|c| c.id)).await
}
