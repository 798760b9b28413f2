//! Leave, logins that end, clearances that are lost: whoever may not or will not work is not booked, and what
//! they have is given to the desk.

use super::named;
use crate::{
    block::{self, Block, Policy},
    due,
    practitioner::Practitioner,
};
use events::{Envelope, SchedulingEvent};
use jiff::{Timestamp, ToSpan, civil::Date};
use kernel::{BlockId, Error, PractitionerId, Result};
use serde_json::Value;
use web::{App, Ctx, Task};

/// The sweep that follows a block a minute later.
pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.blk.sweep", sweep_again)]
}

async fn sweep_again(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<BlockId>(&app, &row).await? else { return Ok(()) };
    let Some(old) = due::record::<Block>(&ctx, id).await? else { return Ok(()) };
    if old.body.sweep_at.is_none_or(|at| at > ctx.now()) {
        return Ok(());
    }
    block::sweep(&ctx, &old.body).await?;
    let mut new = old.next(ctx.now());
    new.body.sweep_at = None;
    ctx.commit().update("sweep", &old, &new).run().await
}

pub async fn block_created(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(SchedulingEvent::BlockCreated(said)) = envelope.read() else { return Ok(()) };
    match due::record::<Block>(&ctx, said.block).await? {
        Some(block) if block.body.policy != Policy::Keep => block::sweep(&ctx, &block.body).await,
        _ => Ok(()),
    }
}

/// The practitioner whom an event names by login or by employee.
async fn practitioner(ctx: &Ctx, data: &Value) -> Result<Option<PractitionerId>> {
    let store = ctx.store();
    if let Some(user) = named::<String>(data, &["user", "user_id"])
        && let Some(id) = store.guarded::<Practitioner>("user_id", &user).await?
    {
        return Ok(Some(id));
    }
    for name in ["employee", "employee_id", "person"] {
        let Some(person) = named::<String>(data, &[name]) else { continue };
        for field in ["employee_id", "user_id"] {
            if let Some(id) = store.guarded::<Practitioner>(field, &person).await? {
                return Ok(Some(id));
            }
        }
    }
    Ok(None)
}

/// From the beginning of one day (or instant) to the end of another, in the organisation's zone.
fn span(ctx: &Ctx, data: &Value) -> Option<(Timestamp, Timestamp)> {
    let edge = |name: &str, end: bool| -> Option<Timestamp> {
        if let Some(at) = named::<Timestamp>(data, &[name]) {
            return Some(at);
        }
        let day: Date = named(data, &[name])?;
        let day = if end { day.checked_add(1.day()).ok()? } else { day };
        day.to_zoned(ctx.zone()).ok().map(|z| z.timestamp())
    };
    Some((edge("from", false)?, edge("to", true)?))
}

/// The leave's own id; the record of the event, unless it says another.
fn leave_of(envelope: &Envelope) -> String {
    named(&envelope.data, &["leave", "leave_request"]).unwrap_or_else(|| envelope.record.clone())
}

pub async fn leave_approved(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(id) = practitioner(&ctx, &envelope.data).await? else { return Ok(()) };
    let Some(span) = span(&ctx, &envelope.data) else {
        return Err(Error::internal(format!("{}: a leave without its days", envelope.id)));
    };
    block::block_for_leave(&ctx, id, span, &leave_of(&envelope), &envelope.id).await
}

pub async fn leave_cancelled(ctx: Ctx, envelope: Envelope) -> Result<()> {
    block::end_leave(&ctx, &leave_of(&envelope)).await
}

pub async fn user_disabled(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let user = named(&envelope.data, &["user", "user_id"]).unwrap_or_else(|| envelope.record.clone());
    let Some(id) = ctx.store().guarded::<Practitioner>("user_id", &user).await? else { return Ok(()) };
    web::update::<Practitioner>(&ctx, id, |old| {
        old.body.active.then(|| {
            let mut new = old.next(ctx.now());
            new.body.active = false;
            let (practitioner, user) = (id, new.body.user_id);
            let event = SchedulingEvent::PractitionerUpdated { practitioner, user, active: false };
            ctx.commit().update("disable", old, &new).emit(event)
        })
    })
    .await?;
    block::sweep_practitioner(&ctx, id, ctx.now()).await
}

/// Bookings are refused by the fact from now on; what is there is swept from the given date.
pub async fn clearance_lost(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(id) = practitioner(&ctx, &envelope.data).await? else { return Ok(()) };
    let from = named::<Timestamp>(&envelope.data, &["from"]).or_else(|| {
        let day: Date = named(&envelope.data, &["from"])?;
        day.to_zoned(ctx.zone()).ok().map(|z| z.timestamp())
    });
    block::sweep_practitioner(&ctx, id, from.unwrap_or_else(|| ctx.now()).max(ctx.now())).await
}
