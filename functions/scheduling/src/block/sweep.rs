//! What is booked in a blocked time is marked for the desk to move.

use super::{Block, Of};
use crate::{
    appointment::{self, Appointment, Attention},
    practitioner::Practitioner,
};
use events::SchedulingEvent;
use jiff::Timestamp;
use kernel::{PractitionerId, Result};
use store::{Entity, Record, Wanted};
use web::Ctx;

/// Live appointments that a block covers.
pub async fn booked(ctx: &Ctx, block: &Block) -> Result<Vec<Record<Appointment>>> {
    let mut found = vec![];
    match block.of() {
        Some(Of::Host(host)) => found = appointment::between(ctx, host, block.from, block.to).await?,
        Some(Of::Site(site)) => {
            let wanted = Wanted::by(&[&site], 100);
            for p in ctx.store().list_all(&Practitioner::LISTS[1], wanted).await? {
                let host = crate::host::Host::Practitioner(p.id);
                found.extend(appointment::between(ctx, host, block.from, block.to).await?);
            }
            found.retain(|a| a.body.site == site);
        }
        None => {}
    }
    Ok(found)
}

/// Marks what is booked in a block.
pub async fn sweep(ctx: &Ctx, block: &Block) -> Result<()> {
    for record in booked(ctx, block).await? {
        attend(ctx, record, Attention::PractitionerAway).await?;
    }
    Ok(())
}

/// Marks everything that a practitioner has from a moment on: they left, or may not work any more.
pub async fn sweep_practitioner(ctx: &Ctx, id: PractitionerId, from: Timestamp) -> Result<()> {
    let host = crate::host::Host::Practitioner(id);
    for record in appointment::between(ctx, host, from, Timestamp::MAX).await? {
        attend(ctx, record, Attention::PractitionerAway).await?;
    }
    Ok(())
}

/// Marks one appointment, if it is not marked so yet; one that changed meanwhile is looked at again.
async fn attend(ctx: &Ctx, listed: Record<Appointment>, why: Attention) -> Result<()> {
    web::update::<Appointment>(ctx, listed.id, |old| {
        (old.body.is_upcoming() && old.body.needs_attention != Some(why)).then(|| {
            let mut new = old.next(ctx.now());
            new.body.needs_attention = Some(why);
            let event = SchedulingEvent::NeedsAttention { slot: new.body.slot(new.id), why: why.to_string() };
            ctx.commit().update("needs_attention", old, &new).emit(event)
        })
    })
    .await
}
