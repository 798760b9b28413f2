//! People whom nobody can identify yet, and registrations that wait for their completion.

use super::{Demographics, Gender, Patient, Registration};
use events::PatientEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, PatientId, Result};
use seal::Sealed;
use serde_json::Value;
use store::Scope;
use web::{App, Ctx, Task};

/// `Unknown Male PT-2026-00042`: said aloud in an emergency room, and never mistaken for a name.
pub fn name(person: &mut Demographics, number: &str) {
    let word = match person.gender {
        Gender::Male => "Unknown Male",
        Gender::Female => "Unknown Female",
        Gender::Other | Gender::Unknown => "Unknown Person",
    };
    person.given_names = Some(Sealed(word.into()));
    person.family_name = Some(Sealed(number.into()));
}

pub fn next_reminder(now: Timestamp) -> Timestamp {
    now + SignedDuration::from_hours(24)
}

/// The clock comes back each day until the registration is completed or merged.
pub fn reminder() -> Task {
    Task::on("due.pat.identity", |app, message| async move { remind(&app, &message).await })
}

async fn remind(app: &App, message: &Value) -> Result<()> {
    let text = |name: &str| {
        message[name].as_str().ok_or_else(|| Error::internal(format!("a due row without {name}")))
    };
    let scope =
        Scope::from_claim(text("tenant")?).ok_or_else(|| Error::internal("a due row of no tenant"))?;
    let id: PatientId = text("id")?.parse()?;
    let ctx = Ctx::system(app, scope, "patients", text("at")?).await?;
    let Some(old) = web::live::<Patient>(&ctx, id).await? else { return Ok(()) };
    if old.body.reminder_at.is_none_or(|at| at > ctx.now()) {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    let waits = waits(&new.body);
    new.body.reminder_at = waits.then(|| next_reminder(ctx.now()));
    let mut commit = ctx.store().commit().update("remind", &old, &new);
    if waits {
        commit = commit.emit(PatientEvent::IdentityOverdue {
            patient: id,
            site: new.body.site_id,
            registered_by: new.body.registered_by.clone(),
            registration: new.body.person.registration.to_string(),
        });
    }
    commit.run().await
}

fn waits(patient: &Patient) -> bool {
    patient.person.registration != Registration::Full && patient.merged_into.is_none()
}
