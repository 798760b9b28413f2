//! What follows from this module's own events, each in a commit of its own.

use crate::{
    appointment::{Appointment, Status},
    due,
    follow_up::{self, FollowUp},
    visit::Visit,
};
use events::{Envelope, SchedulingEvent};
use kernel::{Error, Result};
use web::Ctx;

/// A completed visit completes its appointment, and the follow-up the patient came for.
pub async fn completed(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(SchedulingEvent::VisitCompleted { place, .. }) = envelope.read() else { return Ok(()) };
    let Some(visit) = due::record::<Visit>(&ctx, place.visit).await? else { return Ok(()) };
    if let Some(id) = place.appointment {
        let mut attempt = 0;
        while let Some(old) =
            due::record::<Appointment>(&ctx, id).await?.filter(|a| a.body.status == Status::Arrived)
        {
            let mut new = old.next(ctx.now());
            new.body.status = Status::Completed;
            let (patient, visit) = (new.body.patient_id, Some(visit.id));
            let event = SchedulingEvent::Completed { appointment: id, patient, visit };
            match ctx.commit().update("complete", &old, &new).emit(event).run().await {
                Err(Error::Stale { .. }) => ctx.store().pause(&mut attempt).await?,
                other => {
                    other?;
                    break;
                }
            }
        }
    }
    follow_up::complete(&ctx, &visit).await
}

/// An appointment made for a follow-up is noted there.
pub async fn booked(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(SchedulingEvent::Booked { slot, follow_up: Some(id) }) = envelope.read() else { return Ok(()) };
    let mut attempt = 0;
    loop {
        let Some(old) = due::record::<FollowUp>(&ctx, id).await? else { return Ok(()) };
        if old.body.appointment_id.is_some() || old.body.patient_id != slot.patient {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        new.body.appointment_id = Some(slot.appointment);
        match ctx.commit().update("book", &old, &new).run().await {
            Err(Error::Stale { .. }) => ctx.store().pause(&mut attempt).await?,
            other => return other,
        }
    }
}
