//! Taking a merge back: both records are what they were, except for what was written since.

use super::{Half, Merge, fields, halves, moved, publish};
use crate::{
    chart,
    patient::{AllergyStatus, Demographics, Patient, guards, register::SHARDS},
};
use events::PatientEvent;
use kernel::{Error, MergeId, PatientId, Result};
use seal::Sealed;
use serde_json::{Map, Value};
use store::{Commit, Record, facts};
use web::{Ctx, noun::Shown};

pub async fn undo(ctx: &Ctx, id: MergeId, reason: String) -> Result<(Commit, Shown)> {
    let old = ctx.change::<Merge>(id).await?;
    if old.body.undone_at.is_some() {
        return Err(Error::State { command: "undo", state: "undone".into() });
    }
    let (survivor, duplicate) = halves(ctx, old.body.survivor, old.body.duplicate).await?;
    let (a, b) = (&survivor.record, &duplicate.record);
    let added = b.body.ids(b.id);
    if a.body.merged_into.is_some() || !a.body.aliases.ends_with(&added) {
        let detail = "a later merge rests on this one: undo that one first";
        return Err(Error::conflict("later-merge-exists", detail));
    }
    let (new_a, kept) = restored(ctx, &old.body, &survivor, &duplicate, added.len())?;
    let mut new_b = b.next(ctx.now());
    new_b.body.merged_into = None;

    let mut new = old.next(ctx.now());
    new.body.undone_at = Some(new.updated_at);
    new.body.undone_by = Some(ctx.actor().user.clone());
    new.body.undo_reason = Some(Sealed(reason.clone()));
    new.body.kept = kept;
    let event = PatientEvent::Unmerged { survivor: a.id, duplicate: b.id, merge: id };
    let mut commit = ctx.commit().because(Some(reason)).update("undo", &old, &new).emit(event);
    commit = commit.update("unmerge", a, &new_a).update("unmerged", b, &new_b);
    commit = regard(commit, &old.body, a, &new_a, b)?;
    commit = publish(publish(commit, a, &new_a), b, &new_b);
    commit = parted(commit, &survivor, &duplicate);
    commit = commit.point(b, b.id).take("patients", SHARDS, b.id);
    Ok((commit, ctx.shown(200, &new)?))
}

/// The survivor with its former values; a field that was edited since the merge keeps its present one.
fn restored(
    ctx: &Ctx,
    merge: &Merge,
    survivor: &Half,
    duplicate: &Half,
    added: usize,
) -> Result<(Record<Patient>, Vec<String>)> {
    let mut new = survivor.record.next(ctx.now());
    let mut now = fields(&new.body)?;
    let mut kept = vec![];
    let names: Vec<String> = merge.before.keys().chain(merge.after.keys()).cloned().collect();
    for name in names {
        let (before, after) = (merge.before.get(&name), merge.after.get(&name));
        match before == after {
            true => {}
            false if now.get(&name) == after => put(&mut now, &name, before),
            false if now.get(&name) != before => kept.push(name),
            false => {}
        }
    }
    kept.sort();
    kept.dedup();
    new.body.person = person(now)?;
    let p = &mut new.body;
    p.aliases.truncate(p.aliases.len() - added);
    let own = own_allergies(survivor, duplicate);
    if own == 0 && p.allergy_status == AllergyStatus::Listed {
        // Nobody asserts for this record what only the other one knew.
        p.allergy_status = AllergyStatus::Unknown;
    }
    let theirs: Vec<_> = duplicate.coverage.coverages.iter().map(|c| c.id).collect();
    let mut cover = survivor.coverage.clone();
    cover.coverages.retain(|c| !theirs.contains(&c.id));
    p.nhis_number = crate::coverage::nhis_number(&cover.members()).map(Sealed);
    p.members = Sealed(cover.members());
    Ok((new, kept))
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    match value {
        Some(v) => map.insert(name.into(), v.clone()),
        None => map.remove(name),
    };
}

fn person(fields: Map<String, Value>) -> Result<Demographics> {
    serde_json::from_value(Value::Object(fields)).map_err(Error::internal)
}

fn own_allergies(survivor: &Half, duplicate: &Half) -> usize {
    let theirs = &duplicate.allergies.active;
    survivor.allergies.active.iter().filter(|a| !theirs.iter().any(|t| t.id == a.id)).count()
}

/// Guards that had changed hands go back; one that an edit has given up since is taken anew.
fn regard(
    commit: Commit,
    merge: &Merge,
    old: &Record<Patient>,
    new: &Record<Patient>,
    duplicate: &Record<Patient>,
) -> Result<Commit> {
    let at = |fields: &Map<String, Value>| -> Result<Patient> {
        Ok(Patient { person: person(fields.clone())?, ..old.body.clone() })
    };
    let passed = moved(&at(&merge.before)?, &at(&merge.after)?, &duplicate.body);
    let (was, is) = (guards::of(&old.body), guards::of(&new.body));
    let (back, gone): (_, std::collections::BTreeSet<_>) =
        passed.into_iter().partition(|g| was.contains(g) && !is.contains(g));
    let mut commit = guards::pass(commit, &back, old.id, duplicate.id);
    for (field, code, value) in gone.iter().filter(|g| !was.contains(*g) && !is.contains(*g)) {
        commit = commit.guard::<Patient>(field, code, value, duplicate.id);
    }
    for (field, _, value) in was.difference(&is).filter(|g| !back.contains(*g)) {
        commit = commit.unguard::<Patient>(field, value);
    }
    for (field, code, value) in is.difference(&was) {
        commit = commit.guard::<Patient>(field, code, value, new.id);
    }
    Ok(commit)
}

/// The facts part again: each side has what is its own, without what was closed meanwhile.
fn parted(mut commit: Commit, survivor: &Half, duplicate: &Half) -> Commit {
    let (a, b): (PatientId, PatientId) = (survivor.record.id, duplicate.record.id);
    if duplicate.allergies.rev > 0 {
        let (ours, theirs) = survivor.allergies.part(&duplicate.allergies);
        commit = chart::fact_at(commit, facts::ALLERGIES, a, survivor.allergies.rev, &ours);
        commit = chart::fact_at(commit, facts::ALLERGIES, b, duplicate.allergies.rev, &theirs);
    }
    if !duplicate.flags.active.is_empty() {
        let (ours, theirs) = survivor.flags.part(&duplicate.flags);
        commit = chart::fact_at(commit, facts::FLAGS, a, survivor.flags.rev, &ours);
        commit = chart::fact_at(commit, facts::FLAGS, b, duplicate.flags.rev, &theirs);
    }
    if !duplicate.coverage.coverages.is_empty() {
        let (ours, theirs) = survivor.coverage.part(&duplicate.coverage);
        commit = chart::fact_at(commit, facts::COVERAGE, a, survivor.coverage.rev, &ours);
        commit = chart::fact_at(commit, facts::COVERAGE, b, duplicate.coverage.rev, &theirs);
    }
    commit
}
