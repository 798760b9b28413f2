//! What keeps rules from running away: how deep, how often per root, per record, per hour; and what happens to a rule
//! that keeps running into it.

use super::{Rule, Status, desk};
use crate::due;
use events::{Envelope, WorkflowEvent};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, RuleId};
use serde_json::Value;
use store::{Commit, Key, Record, When, is, segment};
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

/// Where firings are counted, and how many there may be.
struct Limit {
    guard: Guard,
    place: Key,
    most: u64,
    until: Timestamp,
}

fn limits(ctx: &Ctx, rule: &Record<Rule>, event: &Envelope) -> [Limit; 3] {
    let day = ctx.now() + SignedDuration::from_hours(24);
    let every = i64::from(rule.body.max_per_record.seconds.max(1));
    let window = ctx.now().as_second() / every;
    let of_record = format!("{}~{}~{window}", rule.id, segment(&event.record));
    let (in_hour, hour) = hourly(ctx, "rule_fired", rule.id);
    [
        Limit {
            guard: Guard::Root,
            place: Key::item("metric", "rule_root", segment(root(event))),
            most: ROOT,
            until: day,
        },
        Limit {
            guard: Guard::Record,
            place: Key::item("metric", "rule_record", of_record),
            most: rule.body.max_per_record.count.into(),
            until: ctx.now() + SignedDuration::from_secs(2 * every),
        },
        Limit { guard: Guard::Hour, place: in_hour, most: rule.body.max_per_hour.into(), until: hour },
    ]
}

/// The guard that stops this firing, if one does, and the how-manieth it would be.
pub async fn stops(ctx: &Ctx, rule: &Record<Rule>, event: &Envelope) -> Result<Option<(Guard, u64)>> {
    if chain(event).len() >= DEPTH {
        return Ok(Some((Guard::Depth, chain(event).len() as u64)));
    }
    let limits = limits(ctx, rule, event);
    let counted = ctx.store().read_many(&limits.each_ref().map(|limit| limit.place.clone())).await?;
    let so_far = |item: Option<Value>| item.and_then(|i| i["value"].as_u64()).unwrap_or_default();
    let mut all = limits.iter().zip(counted).map(|(limit, item)| (limit, so_far(item)));
    Ok(all.find(|(limit, n)| *n >= limit.most).map(|(limit, n)| (limit.guard, n + 1)))
}

/// Counts a firing in its own commit, so that who is interrupted and comes again counts once; and on the condition
/// that there is room, so that of two at the same moment one comes again and finds the guard.
pub fn counted(ctx: &Ctx, rule: &Record<Rule>, event: &Envelope, commit: Commit) -> Commit {
    limits(ctx, rule, event).into_iter().fold(commit, |commit, limit| {
        let most = i64::try_from(limit.most).unwrap_or(i64::MAX);
        let room = When::Without("value").or(When::Below("value", most));
        commit.count_if(&limit.place, "value", 1, limit.until, room, |_| Error::Busy)
    })
}

/// Where something of a rule is counted in this hour, and until when.
fn hourly(ctx: &Ctx, what: &str, rule: RuleId) -> (Key, Timestamp) {
    let hour = ctx.now().strftime("%Y-%m-%dT%H").to_string();
    let until = ctx.now() + SignedDuration::from_hours(2);
    (Key::item("metric", what, format!("{rule}~{hour}")), until)
}

/// Why a firing did nothing.
#[derive(Clone, Copy)]
pub enum Strike {
    Suppressed(Guard),
    Failed,
}

/// Runs the commit of a firing that did nothing, and counts it there; the third suppression in an hour trips the rule
/// and the 25th error pauses it, in the same commit: whoever is interrupted leaves all of it or nothing. The hour's
/// own limit trips nothing: it is the limit that an import runs into, and holds by itself.
pub async fn strike(
    ctx: &Ctx,
    rule: &Record<Rule>,
    event: &Envelope,
    strike: Strike,
    firing: impl Fn() -> Commit,
) -> Result<()> {
    let (what, most, to, why) = match strike {
        Strike::Suppressed(Guard::Hour) => {
            let [.., hour] = limits(ctx, rule, event);
            return firing().tally(&hour.place, &[("value", 1)], hour.until).run().await;
        }
        Strike::Suppressed(guard) => ("rule_suppressed", TRIPS, Status::Tripped, format!("guard-{guard}")),
        Strike::Failed => ("rule_error", ERRORS, Status::Paused, "errors".to_string()),
    };
    let (place, until) = hourly(ctx, what, rule.id);
    let counter: Option<Value> = ctx.store().read(&place).await?;
    let before = counter.and_then(|c| c["value"].as_u64()).unwrap_or_default();
    let same = if before == 0 { When::Without("value") } else { is("value", before) };
    let commit = || firing().count_if(&place, "value", 1, until, same.clone(), |_| Error::Busy);
    match before + 1 < most {
        true => commit().run().await,
        false => halt(ctx, rule.id, to, &why, commit).await,
    }
}

/// Stops a rule that is active, in this commit; its owner is told by the event.
pub async fn halt(ctx: &Ctx, id: RuleId, to: Status, why: &str, commit: impl Fn() -> Commit) -> Result<()> {
    let halted = web::again(ctx.store(), || async {
        let active = due::record::<Rule>(ctx, id).await?.filter(|old| old.body.status == Status::Active);
        let Some(old) = active else { return commit().run().await };
        let mut new = old.next(ctx.now());
        (new.body.status, new.body.halted) = (to, Some(why.into()));
        let (action, event): (_, fn(_) -> _) = match to {
            Status::Tripped => {
                new.body.tripped_at = Some(ctx.now());
                ("trip", WorkflowEvent::RuleTripped)
            }
            _ => ("pause", WorkflowEvent::RulePaused),
        };
        commit().update(action, &old, &new).emit(event(new.body.said(id))).run().await
    });
    let halted = halted.await;
    desk::forget(ctx.scope());
    halted
}
