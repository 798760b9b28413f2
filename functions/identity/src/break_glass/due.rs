//! The end of a break-glass access, and its review that nobody has done.

use super::{BreakGlass, Status, api::shut};
use crate::user::due::Rung;
use jiff::SignedDuration;
use kernel::{BreakGlassId, Error, Result};
use serde_json::Value;
use web::{App, Task};

pub fn tasks() -> Vec<Task> {
    vec![
        Task::on("due.brk.end", |app, value| async move { end(app, value).await }),
        Task::on("due.brk.review", |app, value| async move { escalate(app, value).await }),
    ]
}

async fn end(app: App, value: Value) -> Result<()> {
    let (ctx, id) = Rung::<BreakGlassId>::read(&app, value).await?;
    let old = ctx.store().fresh::<BreakGlass>(id).await?;
    if old.body.status != Status::Open || ctx.now() < old.body.expires_at {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Closed;
    let closed = shut(ctx.commit().update("end", &old, &new), &old).run().await;
    match closed {
        // A newer opening keeps its fact; only the record of this one ends.
        Err(Error::Refused(r)) if r.code == "opened-again" => {
            ctx.commit().update("end", &old, &new).run().await
        }
        other => other,
    }
}

/// Whoever has to review it is told again tomorrow: the version's number and date are what notifications reads.
async fn escalate(app: App, value: Value) -> Result<()> {
    let (ctx, id) = Rung::<BreakGlassId>::read(&app, value).await?;
    let old = ctx.store().fresh::<BreakGlass>(id).await?;
    if old.body.status == Status::Reviewed || ctx.now() < old.body.review_due {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.escalations += 1;
    new.body.review_due = ctx.now() + SignedDuration::from_hours(24);
    ctx.commit().update("escalate", &old, &new).run().await
}
