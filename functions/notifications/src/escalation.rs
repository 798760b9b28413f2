//! What nobody has acknowledged climbs: to the next of the rule's steps, at most three, until somebody of those who
//! were told takes it up.

use crate::{
    desk::Desk,
    due,
    fan_out::{self, Occasion},
    notification::Notification,
    rule::NotificationRule,
};
use events::NotificationEvent;
use kernel::{Error, NotificationId, Result};
use serde_json::Value;
use store::{Record, When};
use web::Ctx;

/// The time of an acknowledgement is over.
pub async fn climb(desk: &Desk, ctx: &Ctx, id: NotificationId) -> Result<()> {
    let Some(old) = due::record::<Notification>(ctx, id).await? else { return Ok(()) };
    let n = &old.body;
    let late = n.needs_ack && n.ack_at.is_none() && n.escalated_at.is_none();
    if !late || n.ack_by.is_none_or(|by| by > ctx.now()) {
        return Ok(());
    }
    let known = desk.known(ctx).await?;
    let taken: Option<Value> = ctx.store().read(&n.taken()).await?;
    let rule = known.rule(&n.rule).filter(|_| taken.is_none());
    if let Some(rule) = rule {
        // First the next ones are told, then it is noted: what dies in between tells them again, and finds them told.
        next(desk, ctx, rule, &old).await?;
    }
    let mut new = old.next(ctx.now());
    new.body.escalated_at = Some(ctx.now());
    let commit = ctx.store().commit().update("escalate", &old, &new);
    let commit = match rule {
        Some(_) => commit.emit(NotificationEvent::Escalated {
            notification: id,
            recipient: n.recipient.clone(),
            level: n.level + 1,
            of: n.event.clone(),
            record: n.record.clone(),
        }),
        None => commit,
    };
    // Acknowledged at this very moment: then it is not late.
    match commit.check(&old.body.taken(), When::Absent, |_| Error::conflict("taken", "taken up")).run().await
    {
        Err(Error::Refused(r)) if r.code == "taken" => quiet(ctx, id).await,
        Err(Error::Stale { .. }) => Err(Error::Busy),
        other => other,
    }
}

/// Somebody else has taken it up: nothing is waited for any more.
async fn quiet(ctx: &Ctx, id: NotificationId) -> Result<()> {
    let Some(old) = due::record::<Notification>(ctx, id).await? else { return Ok(()) };
    let mut new = old.next(ctx.now());
    new.body.ack_by = None;
    ctx.store().commit().update("taken_up", &old, &new).run().await
}

async fn next(desk: &Desk, ctx: &Ctx, rule: &NotificationRule, late: &Record<Notification>) -> Result<()> {
    let n = &late.body;
    let occasion = Occasion {
        change: n.change.clone(),
        at: occasion_time(late),
        event: n.event.clone(),
        by: String::new(),
        record: n.record.clone(),
        version: n.record_version,
        data: n.data.clone(),
    };
    fan_out::tell(desk, ctx, rule, &occasion, n.level + 1).await.map(drop)
}

/// The id of a notification carries the time of its occasion.
fn occasion_time(of: &Record<Notification>) -> jiff::Timestamp {
    let millis = i64::try_from(kernel::Id::ulid(of.id).timestamp_ms()).unwrap_or_default();
    jiff::Timestamp::from_millisecond(millis).unwrap_or(of.created_at)
}
