//! What becomes of a patient: discharge, death, deletion.

use super::{AllergyStatus, DeathPrecision, DeathSource, Deceased, Patient, Status, facts, guards, register};
use crate::chart;
use authz::Only;
use events::PatientEvent;
use jiff::Timestamp;
use kernel::{DocumentId, Error, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Commit, Record};
use web::{
    Answer, At, Body, Ctx, Reach,
    noun::{Hooks, Written, possible},
};

/// The commands this caller may give in this state.
pub fn actions(record: &Record<Patient>, ctx: &Ctx) -> Vec<&'static str> {
    let p = &record.body;
    if p.merged_into.is_some() {
        return vec![];
    }
    let mut all = possible(record, ctx);
    let may = |permission: &'static str| ctx.may(permission) > Reach::None;
    match p.deceased {
        Some(_) if may("patient.reverse_death") => all.push("reverse_death"),
        None if may("patient.deceased") => all.push("deceased"),
        _ => {}
    }
    if p.deceased.is_none() && p.allergy_status == AllergyStatus::Unknown && may("allergy.edit") {
        all.push("none_known");
    }
    if !p.has_records && may("patient.delete") {
        all.push("delete");
    }
    all
}

impl Hooks for Patient {
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if matches!(action, "delete" | "restore") {
            ctx.needs_reason(None)?;
        }
        if action != "restore"
            && let Some(old) = old
        {
            chart::standing(old)?;
        }
        if action == "delete" && new.body.has_records {
            let detail = "records name this patient: merge it, or close it, but it cannot be deleted";
            return Err(Error::conflict("patient-in-use", detail));
        }
        if action == "discharge" {
            new.body.status_at = Some(new.updated_at);
        }
        Ok(())
    }

    async fn on_write(
        _: &Ctx,
        Written { action, old, new }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let Some(old) = old else { return Ok(commit) };
        let commit = match action {
            "discharge" => commit.emit(PatientEvent::Discharged { patient: new.id, site: new.body.site_id }),
            "set_field" => {
                let fields = super::edit::changed(&old.body.person, &new.body.person)?;
                commit.emit(PatientEvent::Updated { patient: new.id, fields })
            }
            _ => commit.emit(PatientEvent::Updated { patient: new.id, fields: vec!["deleted_at".into()] }),
        };
        let commit = guards::retake(commit, old, new);
        let commit = facts::publish(commit, Some(old), new);
        Ok(match action {
            "delete" => commit.give("patients", register::SHARDS, new.id),
            "restore" => commit.take("patients", register::SHARDS, new.id),
            _ => commit,
        })
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Death {
    pub at: Timestamp,
    pub precision: DeathPrecision,
    pub source: DeathSource,
    /// ICD-10.
    #[schemars(length(min = 3, max = 10))]
    pub cause_code: Option<Sealed<String>>,
    /// Reception records a death only from a certificate.
    pub certificate_document_id: Option<DocumentId>,
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}

pub async fn deceased(ctx: Ctx, At(id): At<PatientId>, Body(death): Body<Death>) -> Answer {
    let reason = ctx.needs_reason(death.reason.as_deref())?;
    let old = ctx.change::<Patient>(id).await?;
    chart::standing(&old)?;
    certified(&ctx, &death)?;
    plausible(&ctx, &old, &death)?;
    let new = dead(&old, &ctx, death);
    let shown = ctx.shown(200, &new)?;
    let commit = ctx.commit().because(Some(reason)).update("deceased", &old, &new).emit(died(&new));
    ctx.settle(facts::publish(commit, Some(&old), &new), shown).await
}

fn certified(ctx: &Ctx, death: &Death) -> Result<()> {
    let shown = death.source == DeathSource::Certificate && death.certificate_document_id.is_some();
    match ctx.only() == Some(Only::Certificate) && !shown {
        true => Err(Error::field(
            "certificate-required",
            "/certificate_document_id",
            "your role records a death from its certificate: source `death_certificate` and the document",
        )),
        false => Ok(()),
    }
}

fn plausible(ctx: &Ctx, patient: &Record<Patient>, death: &Death) -> Result<()> {
    let day = death.at.to_zoned(ctx.zone()).date();
    if death.at > ctx.now() || patient.body.person.born().is_some_and(|born| day < born) {
        return Err(Error::field("invalid-date", "/at", "between birth and now"));
    }
    Ok(())
}

fn dead(old: &Record<Patient>, ctx: &Ctx, death: Death) -> Record<Patient> {
    let mut new = old.next(ctx.now());
    let Death { at, precision, source, cause_code, certificate_document_id, .. } = death;
    let former_status = old.body.status;
    new.body.deceased =
        Some(Deceased { at, precision, source, cause_code, certificate_document_id, former_status });
    (new.body.status, new.body.status_at) = (Status::Deceased, Some(new.updated_at));
    (new.body.inpatient, new.body.reminder_at) = (false, None);
    new
}

pub fn died(record: &Record<Patient>) -> PatientEvent {
    let d = record.body.deceased.as_ref();
    PatientEvent::Deceased {
        patient: record.id,
        at: d.map_or(record.updated_at, |d| d.at),
        precision: d.map_or(DeathPrecision::Day, |d| d.precision).to_string(),
        source: d.map_or(DeathSource::Clinician, |d| d.source).to_string(),
    }
}

/// A second administrator has to agree: the command waits for the approval.
pub async fn reverse_death(ctx: Ctx, At(id): At<PatientId>, Body(why): Body<chart::Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = ctx.change::<Patient>(id).await?;
    let Some(death) = &old.body.deceased else {
        return Err(Error::State { command: "reverse_death", state: old.body.status.to_string() }.into());
    };
    ctx.needs_second_person();
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.status_at) = (death.former_status, Some(new.updated_at));
    new.body.deceased = None;
    let event = PatientEvent::DeathReversed { patient: id, status: new.body.status.to_string() };
    let commit = ctx.commit().because(Some(reason)).update("reverse_death", &old, &new).emit(event);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(facts::publish(commit, Some(&old), &new), shown).await
}
