//! What follows from this module's own events, each in a commit of its own.

use crate::{
    appointment::{Appointment, Status},
    due,
    follow_up::{self, FollowUp},
    visit::Visit,
};
use events::{Envelope, SchedulingEvent};
use kernel::Result;
use web::Ctx;

/// A completed visit completes its appointment, and the follow-up the patient came for.
pub async fn completed(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(SchedulingEvent::VisitCompleted { place, .. }) = envelope.read() else { return Ok(()) };
    let Some(visit) = due::record::<Visit>(&ctx, place.visit).await? else { return Ok(()) };
    if let Some(id) = place.appointment {
        web::update::<Appointment>(&ctx, id, |old| {
            (old.body.status == Status::Arrived).then(|| {
                let mut new = old.next(ctx.now());
                new.body.status = Status::Completed;
                let (patient, visit) = (new.body.patient_id, Some(visit.id));
                let event = SchedulingEvent::Completed { appointment: id, patient, visit };
                ctx.commit().update("complete", old, &new).emit(event)
            })
        })
        .await?;
    }
    follow_up::complete(&ctx, &visit).await
}

/// An appointment made for a follow-up is noted there.
pub async fn booked(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(SchedulingEvent::Booked { slot, follow_up: Some(id) }) = envelope.read() else { return Ok(()) };
    web::update::<FollowUp>(&ctx, id, |old| {
        (old.body.appointment_id.is_none() && old.body.patient_id == slot.patient).then(|| {
            let mut new = old.next(ctx.now());
            new.body.appointment_id = Some(slot.appointment);
            ctx.commit().update("book", old, &new)
        })
    })
    .await
}
