//! A cover ends with its last day.

use super::{Coverage, CoverageFact, State, mirror};
use crate::{chart, patient::Patient};
use events::PatientEvent;
use kernel::{CoverageId, Error, Result};
use serde_json::Value;
use store::{Scope, facts};
use web::{App, Ctx, Task};

pub fn expiry() -> Task {
    Task::on("due.cov.expiry", |app, message| async move { expire(&app, &message).await })
}

async fn expire(app: &App, message: &Value) -> Result<()> {
    let text = |name: &str| {
        message[name].as_str().ok_or_else(|| Error::internal(format!("a due row without {name}")))
    };
    let scope =
        Scope::from_claim(text("tenant")?).ok_or_else(|| Error::internal("a due row of no tenant"))?;
    let id: CoverageId = text("id")?.parse()?;
    let ctx = Ctx::system(app, scope, "patients", text("at")?).await?;
    let old = ctx.store().fresh::<Coverage>(id).await?;
    let live = matches!(old.body.status, State::Active | State::Suspended);
    if !live || old.body.valid_to.is_none_or(|last| last >= ctx.today()) {
        return Ok(());
    }
    let mut patient = ctx.store().fresh::<Patient>(old.body.patient_id).await?;
    if let Some(survivor) = patient.body.merged_into {
        patient = ctx.store().fresh::<Patient>(survivor).await?;
    }
    let mut new = old.next(ctx.now());
    new.body.status = State::Expired;
    let read: CoverageFact = ctx.store().fact(facts::COVERAGE, patient.id).await?.unwrap_or_default();
    let fact = read.with(&new);
    let event = PatientEvent::CoverageExpired { coverage: id, patient: old.body.patient_id };
    let commit = ctx.store().commit().update("expire", &old, &new).emit(event);
    let commit = chart::fact_at(commit, facts::COVERAGE, patient.id, read.rev, &fact);
    mirror(&ctx, commit, &patient, &fact).run().await
}
