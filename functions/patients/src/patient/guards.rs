//! What only one patient may have. The guards stay with a merged record, so that a clash names it; they are
//! given up when a record is deleted, except for numbers, which are never given again.

use super::{Demographics, Patient};
use crate::spelling;
use kernel::{PatientId, identifier::Scheme};
use std::collections::BTreeSet;
use store::{Commit, Record};

/// A unique value: field of the guard, code of the refusal, normalised value.
pub type Guard = (&'static str, &'static str, String);

/// Identity documents, hospital number, and the person itself: name, telephone, date and sex together, which
/// stops two desks from registering one person at the same moment.
pub fn of(patient: &Patient) -> BTreeSet<Guard> {
    let person = &patient.person;
    let mut all: BTreeSet<Guard> = documents(person).into_iter().collect();
    all.extend(person.hospital_number.iter().map(|n| ("hospital_number", "identifier-taken", n.clone())));
    if !patient.shares_guard && !person.unidentified() {
        all.insert(this_person(person));
    }
    all
}

pub fn documents(person: &Demographics) -> Vec<Guard> {
    let guard = |i: &super::Identifier| {
        let issuer = i.issuer.as_deref().unwrap_or_default().trim().to_lowercase();
        let value = match i.scheme.needs_issuer() {
            true => format!("{}|{issuer}|{}", i.scheme, i.value),
            false => format!("{}||{}", i.scheme, i.value),
        };
        ("identifier", "identifier-taken", value)
    };
    person.identifiers.iter().filter(|i| i.scheme != Scheme::Other).map(guard).collect()
}

pub fn this_person(person: &Demographics) -> Guard {
    let (family, given) = (spelling::name(person.family()), spelling::name(person.given()));
    let phone = person.phones.iter().find(|p| p.primary).or(person.phones.first());
    let phone = phone.map_or("-", |p| p.number.as_str());
    let born = person.born().map(|d| d.to_string()).unwrap_or_default();
    // Twins that have no names yet are told apart by their order.
    let order = person.multiple_birth.map(|m| m.ordinal.to_string()).unwrap_or_default();
    let value = format!("{family}|{}|{phone}|{born}|{}|{order}", spelling::first(&given), person.gender);
    ("person", "possible-duplicate", value)
}

/// Guards of a new record; the number's stands for ever.
pub fn take(commit: Commit, new: &Record<Patient>) -> Commit {
    let commit = commit.guard::<Patient>("number", "number-taken", &new.body.number, new.id);
    of(&new.body)
        .into_iter()
        .fold(commit, |commit, (field, code, value)| commit.guard::<Patient>(field, code, &value, new.id))
}

/// What changed between two versions of one record.
pub fn retake(commit: Commit, old: &Record<Patient>, new: &Record<Patient>) -> Commit {
    let held = |r: &Record<Patient>| if r.deleted_at.is_some() { BTreeSet::new() } else { of(&r.body) };
    let (was, is) = (held(old), held(new));
    let commit = was.difference(&is).fold(commit, |c, (field, _, value)| c.unguard::<Patient>(field, value));
    is.difference(&was).fold(commit, |c, (field, code, value)| c.guard::<Patient>(field, code, value, new.id))
}

/// Guards that move from a merged record to its survivor, or back.
pub fn pass(commit: Commit, moved: &BTreeSet<Guard>, from: PatientId, to: PatientId) -> Commit {
    moved.iter().fold(commit, |c, (field, _, value)| c.pass_guard::<Patient>(field, value, from, to))
}
