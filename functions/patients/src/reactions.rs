//! What the register does when it hears of something: the timeline, the status, who cares for whom.

use crate::{
    care,
    patient::{DeathPrecision, DeathSource, Deceased, Patient, Status, facts, guards, life},
    timeline::{
        self, HEARD, Moment,
        heard::{BEFORE_DISCHARGE, BEFORE_TREATMENT, Effect, Heard},
    },
};
use events::{Envelope, PatientEvent};
use jiff::Timestamp;
use kernel::{Error, PatientId, Result, error::found};
use store::{Key, Record};
use web::{Ctx, Reaction, Settable};

pub fn all() -> Vec<Reaction> {
    let of = |heard: &'static Heard| {
        Reaction::on(heard.event, move |ctx, event| async move { hear(&ctx, heard, &event).await })
    };
    let settable = web::settable(vec![Settable::of::<Patient>(&["custom.*"])]);
    HEARD.iter().map(of).chain([settable]).collect()
}

async fn hear(ctx: &Ctx, heard: &Heard, event: &Envelope) -> Result<()> {
    let Some(patient) = timeline::patient_of(event) else {
        tracing::warn!(event = event.kind, "an event of a patient's record names no patient");
        return Ok(());
    };
    if let Some((place, moment)) = Moment::of(event, heard.kind) {
        timeline::keep(ctx, patient, &place, &moment).await?;
    }
    let at: Timestamp = event.at.parse().map_err(Error::internal)?;
    if heard.care
        && let Ok(user) = event.by.parse()
    {
        care::met(ctx, user, patient, at).await?;
    }
    change(ctx, heard, event, patient, at).await
}

/// Reactions about one patient that come at the same moment: each reads what the other wrote.
const TRIES: usize = 8;

async fn change(ctx: &Ctx, heard: &Heard, event: &Envelope, id: PatientId, at: Timestamp) -> Result<()> {
    for attempt in 1..=TRIES {
        let Some(old) = concerned(ctx, id).await? else { return Ok(()) };
        let Some(new) = after(heard.effect, event, &old, at, ctx.now()) else { return Ok(()) };
        match write(ctx, heard, &old, &new).await {
            Err(Error::Stale { .. }) if attempt < TRIES => continue,
            // Registered again meanwhile: the records are of one person and wait to be merged.
            Err(Error::Duplicate { field: "person", .. }) => {
                let mut twin = new;
                twin.body.shares_guard = true;
                return write(ctx, heard, &old, &twin).await;
            }
            other => return other,
        }
    }
    Err(Error::Busy)
}

/// The patient, or whoever the record belongs to now.
async fn concerned(ctx: &Ctx, mut id: PatientId) -> Result<Option<Record<Patient>>> {
    for _ in 0..TRIES {
        // Unknown here: nothing to keep up.
        let Some(record) = found(ctx.store().fresh::<Patient>(id).await)? else { return Ok(None) };
        match record.body.merged_into {
            Some(into) => id = into,
            None => return Ok(Some(record)),
        }
    }
    Err(Error::internal("a chain of merged patients that does not end"))
}

async fn write(ctx: &Ctx, heard: &Heard, old: &Record<Patient>, new: &Record<Patient>) -> Result<()> {
    let restored = old.deleted_at.is_some();
    let action = if restored { "restore" } else { "react" };
    let mut commit = ctx.store().commit().because(Some(heard.event.into())).update(action, old, new);
    let status = new.body.status;
    if status != old.body.status && status == Status::Discharged {
        commit = commit.emit(PatientEvent::Discharged { patient: new.id, site: new.body.site_id });
    } else if new.body.deceased.is_some() && old.body.deceased.is_none() {
        commit = commit.emit(life::died(new));
    } else if restored {
        commit = commit.emit(PatientEvent::Updated { patient: new.id, fields: vec!["deleted_at".into()] });
    }
    if restored {
        // Counted whatever the limit says: the record is there.
        commit = guards::retake(commit, old, new).add(&Key::quota("patients", 0), "left", -1);
    }
    facts::publish(commit, Some(old), new).run().await
}

/// The patient after an event; nothing, if it changes nothing. What is older than the status never moves it.
pub fn after(
    effect: Effect,
    event: &Envelope,
    old: &Record<Patient>,
    at: Timestamp,
    now: Timestamp,
) -> Option<Record<Patient>> {
    let mut new = old.next(now);
    let p = &mut new.body;
    let late = p.status_at.is_some_and(|since| at <= since);
    let mut changed = !std::mem::replace(&mut p.has_records, true);
    // A record that arrives after all: the patient was not one whom nobody knows.
    changed |= new.deleted_at.take().is_some();
    let p = &mut new.body;
    if !late && p.deceased.is_none() {
        changed |= moved(effect, event, p, at);
    }
    changed.then_some(new)
}

fn moved(effect: Effect, event: &Envelope, p: &mut Patient, at: Timestamp) -> bool {
    let to = |p: &mut Patient, status: Status, from: &[Status]| {
        let moves = from.contains(&p.status);
        if moves {
            (p.status, p.status_at) = (status, Some(at));
        }
        moves
    };
    match effect {
        Effect::None => false,
        Effect::Status(status, from) => to(p, status, from),
        Effect::Admitted => {
            let bed = !std::mem::replace(&mut p.inpatient, true);
            to(p, Status::Treatment, BEFORE_TREATMENT) || bed
        }
        Effect::DischargedFromBed => {
            let bed = std::mem::replace(&mut p.inpatient, false);
            to(p, Status::Discharged, BEFORE_DISCHARGE) || bed
        }
        Effect::SignedNote => {
            event.data["outcome"] == "discharged"
                && !p.inpatient
                && to(p, Status::Discharged, BEFORE_DISCHARGE)
        }
        Effect::Died => {
            let died = event.data["at"].as_str().and_then(|t| t.parse().ok()).unwrap_or(at);
            p.deceased = Some(Deceased {
                at: died,
                precision: DeathPrecision::Minute,
                source: DeathSource::Clinician,
                cause_code: None,
                certificate_document_id: None,
                former_status: p.status,
            });
            (p.status, p.status_at) = (Status::Deceased, Some(at));
            (p.inpatient, p.reminder_at) = (false, None);
            true
        }
    }
}
