//! What a merge would do, and what is against it. Pure.

use super::{Half, Side, fields};
use crate::patient::{Demographics, Patient};
use kernel::{Error, PatientId, Result, identifier::Scheme};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::Record;

/// One field in which the two records differ.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    pub field: String,
    pub survivor: Sealed<Value>,
    pub duplicate: Sealed<Value>,
}

pub fn differences(survivor: &Patient, duplicate: &Patient) -> Result<Vec<Difference>> {
    let (a, b) = (fields(survivor)?, fields(duplicate)?);
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    let value = |of: &serde_json::Map<String, Value>, name: &String| {
        Sealed(of.get(name).cloned().unwrap_or_default())
    };
    let differ = names.into_iter().filter(|n| a.get(*n) != b.get(*n));
    Ok(differ
        .map(|n| Difference { field: n.clone(), survivor: value(&a, n), duplicate: value(&b, n) })
        .collect())
}

/// What stands in the way; the first answers a command.
pub fn blockers(survivor: &Record<Patient>, duplicate: &Record<Patient>) -> Vec<Error> {
    let (a, b) = (&survivor.body, &duplicate.body);
    let mut all = vec![];
    if let Some(into) = a.merged_into.or(b.merged_into) {
        all.push(
            Error::conflict("already-merged", "one of these records has been merged already")
                .with("survivor", into),
        );
    }
    if a.inpatient && b.inpatient {
        all.push(Error::conflict(
            "both-admitted",
            "both are admitted: discharge one of the admissions first",
        ));
    }
    if a.deceased.is_some() != b.deceased.is_some() {
        all.push(Error::conflict(
            "death-differs",
            "one of them has died and the other has not: settle that first",
        ));
    }
    all
}

/// Two different identity numbers, or two sexes: a second person looks at it.
pub fn doubtful(survivor: &Patient, duplicate: &Patient) -> bool {
    let number = |p: &Patient, scheme: Scheme| {
        p.person.identifiers.iter().find(|i| i.scheme == scheme).map(|i| i.value.clone())
    };
    let differ = |scheme| matches!((number(survivor, scheme), number(duplicate, scheme)), (Some(a), Some(b)) if a != b);
    differ(Scheme::Nin) || differ(Scheme::Nhs) || survivor.person.gender != duplicate.person.gender
}

/// Names borne before, beyond those that an edit keeps.
const PREVIOUS: usize = 5;

/// The survivor after the merge.
pub fn joined(
    survivor: &Half,
    duplicate: &Half,
    choices: &BTreeMap<String, Side>,
    at: jiff::Timestamp,
) -> Result<Record<Patient>> {
    let mut new = survivor.record.next(at);
    new.body.person = chosen(&survivor.record.body, &duplicate.record.body, choices)?;
    let theirs = &duplicate.record.body;
    for name in [theirs.person.family(), theirs.person.given()] {
        let person = &mut new.body.person;
        let known = person.family() == name
            || person.given() == name
            || person.previous_names.iter().any(|n| n == name);
        if !known
            && !name.is_empty()
            && !theirs.person.unidentified()
            && person.previous_names.len() < PREVIOUS
        {
            person.previous_names.push(name.to_string());
        }
    }
    let p = &mut new.body;
    p.aliases.extend(theirs.ids(duplicate.record.id));
    if p.aliases.len() > 20 {
        return Err(Error::conflict(
            "too-many-merges",
            "twenty records have been merged into this one already",
        ));
    }
    p.has_records |= theirs.has_records;
    p.inpatient |= theirs.inpatient;
    if theirs.status_at > p.status_at {
        (p.status, p.status_at) = (theirs.status, theirs.status_at);
    }
    p.allergy_status = p.allergy_status.max(theirs.allergy_status);
    let members = survivor.coverage.union(&duplicate.coverage).members();
    p.nhis_number = crate::coverage::nhis_number(&members).map(Sealed);
    p.members = Sealed(members);
    Ok(new)
}

fn chosen(survivor: &Patient, duplicate: &Patient, choices: &BTreeMap<String, Side>) -> Result<Demographics> {
    let (mut ours, theirs) = (fields(survivor)?, fields(duplicate)?);
    for (field, side) in choices {
        if !ours.contains_key(field) && !theirs.contains_key(field) {
            let detail = format!("{field} is no field in which they can differ");
            return Err(Error::field("unknown-field", format!("/choices/{field}"), detail));
        }
        if *side == Side::Duplicate {
            match theirs.get(field) {
                Some(value) => ours.insert(field.clone(), value.clone()),
                None => ours.remove(field),
            };
        }
    }
    serde_json::from_value(Value::Object(ours)).map_err(Error::internal)
}

/// The duplicate after the merge.
pub fn pointing(duplicate: &Record<Patient>, survivor: PatientId, at: jiff::Timestamp) -> Record<Patient> {
    let mut new = duplicate.next(at);
    new.body.merged_into = Some(survivor);
    new.body.reminder_at = None;
    new
}

/// 409 or 422, if these two cannot be merged.
pub fn mergeable(survivor: &Record<Patient>, duplicate: &Record<Patient>) -> Result<()> {
    match blockers(survivor, duplicate).into_iter().next() {
        Some(blocker) => Err(blocker),
        None => Ok(()),
    }
}

/// Merging somebody with themselves.
pub fn distinct(survivor: PatientId, duplicate: PatientId) -> Result<()> {
    if survivor == duplicate {
        return Err(Error::field("cannot-merge-self", "/duplicate", "these are one and the same record"));
    }
    Ok(())
}
