//! What keeps rules from running away: how deep, how often per root, per record, per hour; and what happens to a rule
//! that keeps running into it.

use super::{Rule, Status, desk};
use crate::due;
use events::{Envelope, WorkflowEvent};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, RuleId};
use store::{Key, Record, segment};
use web::Ctx;

/// Rules behind one another.
const DEPTH: usize = 5;
/// Firings that one first change may have.
const ROOT: u64 = 50;
/// Suppressions in an hour after which a rule is tripped.
const TRIPS: u64 = 3;
/// Errors in an hour after which it is paused.
const ERRORS: u64 = 25;

kernel::words! {
    pub enum Guard { Depth = "depth", Root = "root", Record = "record", Hour = "hour" }
}

/// The first change of the chain that an event belongs to.
pub fn root(event: &Envelope) -> &str {
    event.cause.first().unwrap_or(&event.id)
}

/// Rules behind an event.
pub fn chain(event: &Envelope) -> &[String] {
    event.cause.get(1..).unwrap_or_default()
}

/// The guard that stops this firing, if one does. Counts it.
pub async fn stops(ctx: &Ctx, rule: &Record<Rule>, event: &Envelope) -> Result<Option<(Guard, u64)>> {
    if chain(event).len() >= DEPTH {
        return Ok(Some((Guard::Depth, chain(event).len() as u64)));
    }
    let store = ctx.store();
    let day = ctx.now() + SignedDuration::from_hours(24);
    let of_root = store.count(&Key::item("metric", "rule_root", segment(root(event))), day).await?;
    if of_root > ROOT {
        return Ok(Some((Guard::Root, of_root)));
    }
    let every = i64::from(rule.body.max_per_record.seconds.max(1));
    let window = ctx.now().as_second() / every;
    let place = format!("{}~{}~{window}", rule.id, segment(&event.record));
    let ttl = ctx.now() + SignedDuration::from_secs(2 * every);
    let of_record = store.count(&Key::item("metric", "rule_record", place), ttl).await?;
    if of_record > u64::from(rule.body.max_per_record.count) {
        return Ok(Some((Guard::Record, of_record)));
    }
    let in_hour = hourly(ctx, "rule_fired", rule.id).await?;
    Ok((in_hour > u64::from(rule.body.max_per_hour)).then_some((Guard::Hour, in_hour)))
}

/// Counts something of a rule in this hour.
async fn hourly(ctx: &Ctx, what: &str, rule: RuleId) -> Result<u64> {
    let hour = ctx.now().strftime("%Y-%m-%dT%H").to_string();
    let ttl: Timestamp = ctx.now() + SignedDuration::from_hours(2);
    ctx.store().count(&Key::item("metric", what, format!("{rule}~{hour}")), ttl).await
}

/// A suppression more; the third in an hour trips the rule. The hour's own limit trips nothing: it is the limit that
/// an import runs into, and holds by itself.
pub async fn suppressed(ctx: &Ctx, rule: &Record<Rule>, guard: Guard) -> Result<()> {
    if guard != Guard::Hour && hourly(ctx, "rule_suppressed", rule.id).await? >= TRIPS {
        halt(ctx, rule.id, Status::Tripped, &format!("guard-{guard}")).await?;
    }
    Ok(())
}

/// An error more; the 25th in an hour pauses the rule.
pub async fn failed(ctx: &Ctx, rule: &Record<Rule>) -> Result<()> {
    if hourly(ctx, "rule_error", rule.id).await? >= ERRORS {
        halt(ctx, rule.id, Status::Paused, "errors").await?;
    }
    Ok(())
}

/// Stops a rule that is active; its owner is told by the event.
pub async fn halt(ctx: &Ctx, id: RuleId, to: Status, why: &str) -> Result<()> {
    let mut attempt = 0;
    loop {
        let Some(old) = due::record::<Rule>(ctx, id).await? else { return Ok(()) };
        if old.body.status != Status::Active {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        (new.body.status, new.body.halted) = (to, Some(why.into()));
        let (action, event): (_, fn(_) -> _) = match to {
            Status::Tripped => {
                new.body.tripped_at = Some(ctx.now());
                ("trip", WorkflowEvent::RuleTripped)
            }
            _ => ("pause", WorkflowEvent::RulePaused),
        };
        let commit = ctx.store().commit().update(action, &old, &new).emit(event(new.body.said(id)));
        match commit.run().await {
            Err(Error::Stale { .. }) => ctx.store().pause(&mut attempt).await?,
            other => {
                desk::forget(ctx.scope());
                return other;
            }
        }
    }
}
