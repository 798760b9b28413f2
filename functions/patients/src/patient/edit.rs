//! Changes of what is known of a patient.

use super::{Demographics, Patient, Registration, Source, check, emergency, facts, guards, number};
use crate::{chart, flag};
use events::PatientEvent;
use kernel::{Error, PatientId, Result};
use serde_json::Value;
use store::Record;
use web::{Answer, At, Ctx, Raw, check::merge_patch};

/// Fields whose change somebody has to explain.
const REASONED: &[&str] = &[
    "given_names",
    "middle_names",
    "family_name",
    "single_name",
    "birth_date",
    "birth_date_precision",
    "gender",
    "identifiers",
    "confidentiality",
];
/// Names that were borne before.
const PREVIOUS: usize = 5;

pub async fn amend(ctx: Ctx, At(id): At<PatientId>, Raw(patch): Raw) -> Answer {
    let (old, flags) = futures::join!(ctx.change::<Patient>(id), flags(&ctx, id, &patch));
    let (old, flags) = (old?, flags?);
    chart::standing(&old)?;
    let mut person: Demographics = merge_patch(&old.body.person, &patch)?;
    check::sensible(check::normalise(&mut person, check::Desk::of(&ctx)))?;
    if person.unidentified() {
        emergency::name(&mut person, &old.body.number);
    }
    let fields = changed(&old.body.person, &person)?;
    if fields.is_empty() {
        return Ok(ctx.shown(200, &old)?.respond());
    }
    allowed(&ctx, &old.body.person, &person)?;
    let reason =
        if reasoned(&old.body.person, &fields) { Some(ctx.needs_reason(None)?) } else { ctx.reason() };
    let new = next(&ctx, &old, person);
    let shown = ctx.shown(200, &new)?;
    let event = event(&old, &new)?;
    let mut commit = ctx.commit().because(reason).update("update", &old, &new).emit(event);
    commit = guards::retake(commit, &old, &new);
    commit = facts::publish(commit, Some(&old), &new);
    if let Some(seen) = flags {
        commit = flag::raise_for_genotype(&ctx, commit, &new, &seen);
    }
    ctx.settle(commit, shown).await
}

/// Read only where the genotype is among what changes: it may raise a flag.
async fn flags(ctx: &Ctx, id: PatientId, patch: &Value) -> Result<Option<flag::FlagFact>> {
    if patch["genotype"].is_null() {
        return Ok(None);
    }
    Ok(Some(ctx.store().fact(store::facts::FLAGS, id).await?.unwrap_or_default()))
}

/// What no reason makes possible.
fn allowed(ctx: &Ctx, old: &Demographics, new: &Demographics) -> Result<()> {
    if new.registration > old.registration {
        let detail = "a registration is completed, never taken back: merge or delete the record instead";
        return Err(Error::field("registration-complete", "/registration", detail));
    }
    if new.hospital_number != old.hospital_number {
        number::by_hand(ctx)?;
    }
    findings(old, new)
}

/// Names of the fields that differ.
pub fn changed(old: &Demographics, new: &Demographics) -> Result<Vec<String>> {
    let open = |p: &Demographics| seal::open(|| serde_json::to_value(p)).map_err(Error::internal);
    let (old, new) = (open(old)?, open(new)?);
    let names =
        |v: &Value| -> Vec<String> { v.as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect() };
    let mut all = names(&old);
    all.extend(names(&new));
    all.sort();
    all.dedup();
    Ok(all.into_iter().filter(|field| old[field] != new[field]).collect())
}

fn reasoned(old: &Demographics, fields: &[String]) -> bool {
    let lab = |source: Option<Source>, names: [&str; 2]| {
        source == Some(Source::Lab) && fields.iter().any(|f| names.contains(&f.as_str()))
    };
    fields.iter().any(|f| REASONED.contains(&f.as_str()))
        || lab(old.blood_group_source, ["blood_group", "blood_group_source"])
        || lab(old.genotype_source, ["genotype", "genotype_source"])
}

/// What a laboratory found is not overwritten by what somebody says.
fn findings(old: &Demographics, new: &Demographics) -> Result<()> {
    let weaker =
        |was: Option<Source>, is: Option<Source>| was == Some(Source::Lab) && is != Some(Source::Lab);
    if weaker(old.blood_group_source, new.blood_group_source)
        || weaker(old.genotype_source, new.genotype_source)
    {
        let detail = "a laboratory's finding stands: it is changed by another finding of a laboratory only";
        return Err(Error::conflict("lab-finding-stands", detail));
    }
    Ok(())
}

/// The next version; a name that changes is remembered.
fn next(ctx: &Ctx, old: &Record<Patient>, mut person: Demographics) -> Record<Patient> {
    let was = &old.body.person;
    if !was.unidentified() {
        for (before, now) in
            [(was.family(), person.family().to_string()), (was.given(), person.given().to_string())]
        {
            let known = person.previous_names.iter().any(|n| n == before);
            if before != now && !before.is_empty() && !known {
                person.previous_names.push(before.to_string());
            }
        }
        let too_many = person.previous_names.len().saturating_sub(PREVIOUS);
        person.previous_names.drain(..too_many);
    }
    let mut new = old.next(ctx.now());
    // A changed name takes a guard of its own again.
    new.body.shares_guard = old.body.shares_guard && guards::this_person(was) == guards::this_person(&person);
    new.body.person = person;
    if new.body.person.registration == Registration::Full {
        new.body.reminder_at = None;
    } else if new.body.reminder_at.is_none() {
        new.body.reminder_at = Some(emergency::next_reminder(ctx.now()));
    }
    new
}

fn event(old: &Record<Patient>, new: &Record<Patient>) -> Result<PatientEvent> {
    let fields = changed(&old.body.person, &new.body.person)?;
    let full = |r: &Record<Patient>| r.body.person.registration == Registration::Full;
    Ok(match !full(old) && full(new) {
        true => PatientEvent::IdentityCompleted { patient: new.id, fields },
        false => PatientEvent::Updated { patient: new.id, fields },
    })
}
