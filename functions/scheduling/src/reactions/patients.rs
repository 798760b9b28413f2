//! Merged patients keep their own records: only the lists show them under the survivor. A deceased patient's
//! appointments and follow-ups end.

use super::named;
use crate::{
    appointment::{Appointment, CancelCode, cancelled},
    follow_up::{self, FollowUp},
    of_patient::OfPatient,
    visit::Visit,
};
use events::{Envelope, SchedulingEvent};
use kernel::{PatientId, Result};
use store::{Entity, Record, Wanted};
use web::Ctx;

/// Records of one patient's list.
async fn of_patient<E: Entity>(ctx: &Ctx, patient: PatientId) -> Result<Vec<Record<E>>> {
    let wanted = Wanted::by(&[&patient], 100);
    ctx.store().list_all(&E::LISTS[1], wanted).await
}

/// Moves the list rows of `whose` records from one patient's lists to another's.
async fn relist<E: OfPatient>(
    ctx: &Ctx,
    listed: PatientId,
    whose: PatientId,
    under: Option<PatientId>,
) -> Result<()> {
    for found in of_patient::<E>(ctx, listed).await? {
        if found.body.patient() != whose {
            continue;
        }
        web::update::<E>(ctx, found.id, |old| {
            let mut new = old.next(ctx.now());
            let was = std::mem::replace(new.body.listed_under(), under);
            (was != under).then(|| ctx.commit().update("relist", old, &new))
        })
        .await?;
    }
    Ok(())
}

fn pair(envelope: &Envelope) -> Option<(PatientId, PatientId)> {
    Some((named(&envelope.data, &["survivor"])?, named(&envelope.data, &["duplicate"])?))
}

pub async fn merged(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some((survivor, duplicate)) = pair(&envelope) else { return Ok(()) };
    relist::<Appointment>(&ctx, duplicate, duplicate, Some(survivor)).await?;
    relist::<Visit>(&ctx, duplicate, duplicate, Some(survivor)).await?;
    relist::<FollowUp>(&ctx, duplicate, duplicate, Some(survivor)).await
}

/// Exactly the records whose own patient is the duplicate go back.
pub async fn unmerged(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some((survivor, duplicate)) = pair(&envelope) else { return Ok(()) };
    relist::<Appointment>(&ctx, survivor, duplicate, None).await?;
    relist::<Visit>(&ctx, survivor, duplicate, None).await?;
    relist::<FollowUp>(&ctx, survivor, duplicate, None).await
}

pub async fn deceased(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let patient = named(&envelope.data, &["patient"]).or(envelope.record.parse().ok());
    let Some(patient) = patient else { return Ok(()) };
    for found in of_patient::<Appointment>(&ctx, patient).await? {
        cancel(&ctx, found).await?;
    }
    for found in of_patient::<FollowUp>(&ctx, patient).await? {
        end(&ctx, found).await?;
    }
    Ok(())
}

async fn cancel(ctx: &Ctx, found: Record<Appointment>) -> Result<()> {
    web::again(ctx.store(), || async {
        match web::live::<Appointment>(ctx, found.id).await? {
            Some(old) if old.body.is_upcoming() => {
                cancelled(ctx, &old, CancelCode::Deceased, None, None)?.1.run().await
            }
            _ => Ok(()),
        }
    })
    .await
}

async fn end(ctx: &Ctx, found: Record<FollowUp>) -> Result<()> {
    web::update::<FollowUp>(ctx, found.id, |old| {
        (old.body.status == follow_up::Status::Pending).then(|| {
            let mut new = old.next(ctx.now());
            new.body.status = follow_up::Status::Cancelled;
            new.body.outcome = Some("deceased".into());
            let event = SchedulingEvent::FollowUpCancelled(new.body.said(new.id));
            ctx.commit().update("cancel", old, &new).emit(event)
        })
    })
    .await
}
