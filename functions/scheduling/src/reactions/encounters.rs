//! Consultations move the visit; their vital signs order the queue; their signature may ask for a follow-up.

use super::{at, named};
use crate::{
    due, follow_up, place,
    practitioner::Practitioner,
    visit::{self, Raised, Visit},
};
use events::Envelope;
use kernel::{EncounterId, Error, PatientId, PractitionerId, Result, SiteId, UserId, VisitId};
use serde::Deserialize;
use web::Ctx;

fn visit_of(envelope: &Envelope) -> Option<VisitId> {
    named(&envelope.data, &["visit", "patient_visit", "patient_visit_id"])
}

pub async fn started(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(id) = visit_of(&envelope) else { return Ok(()) };
    let (began, encounter) = (at(&envelope)?, envelope.record.parse::<EncounterId>().ok());
    let by = envelope.by.clone();
    visit::advance_by_system(&ctx, id, "start", |body| {
        body.started_at = Some(began);
        body.seen_by = Some(by.clone());
        body.encounter_id = encounter;
    })
    .await
}

pub async fn closed(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(id) = visit_of(&envelope) else { return Ok(()) };
    let ended = at(&envelope)?;
    visit::advance_by_system(&ctx, id, "complete", |body| visit::consulted(body, ended)).await
}

pub async fn vitals(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(id) = visit_of(&envelope) else { return Ok(()) };
    let Ok(raised) = serde_json::from_value::<Raised>(envelope.data.clone()) else {
        return Err(Error::internal(format!("{}: vital signs of an unknown form", envelope.id)));
    };
    visit::raise(&ctx, id, &raised, at(&envelope)?).await
}

#[derive(Deserialize)]
struct Asked {
    days: u16,
}

/// Whom the signed note asks to come again, and to whom.
struct Case {
    patient: PatientId,
    practitioner: Option<(PractitionerId, UserId)>,
    site: SiteId,
}

pub async fn signed(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(Asked { days }) = named(&envelope.data, &["follow_up"]) else { return Ok(()) };
    let Some(case) = case(&ctx, &envelope).await? else {
        tracing::warn!(event = envelope.id, "a follow-up that names neither visit nor practitioner");
        return Ok(());
    };
    let zone = place::site(&ctx, case.site).await?.zone(&ctx);
    let day = at(&envelope)?.to_zoned(zone.clone()).date();
    let date = follow_up::suited(&ctx, case.practitioner.map(|(id, _)| id), day, days).await?;
    let wanted = follow_up::Wanted {
        patient: case.patient,
        practitioner: case.practitioner,
        specialty: None,
        site: case.site,
        date,
        window_days: follow_up::WINDOW,
        encounter: envelope.record.parse().ok(),
    };
    let zone = zone.iana_name().unwrap_or("UTC").to_string();
    let (_, commit) = follow_up::scheduled(&ctx, wanted, zone);
    match ctx.once_for(commit, "scheduling.follow_up", &envelope.id).run().await {
        // Merged or deceased meanwhile: nobody is to come again under this name.
        Err(Error::Refused(r)) if r.code.starts_with("patient-") => Ok(()),
        other => other,
    }
}

async fn case(ctx: &Ctx, envelope: &Envelope) -> Result<Option<Case>> {
    if let Some(id) = visit_of(envelope)
        && let Some(visit) = due::record::<Visit>(ctx, id).await?
    {
        let Visit { patient_id, practitioner_id, practitioner_user, site, .. } = visit.body;
        return Ok(Some(Case {
            patient: patient_id,
            practitioner: practitioner_id.zip(practitioner_user),
            site,
        }));
    }
    let Some(patient) = named(&envelope.data, &["patient"]) else { return Ok(None) };
    let Some(id) = ctx.store().guarded::<Practitioner>("user_id", &envelope.by).await? else {
        return Ok(None);
    };
    let Some(p) = due::record::<Practitioner>(ctx, id).await? else { return Ok(None) };
    let site = p.body.sites.first().copied();
    Ok(site.map(|site| Case { patient, practitioner: Some((id, p.body.user_id)), site }))
}
