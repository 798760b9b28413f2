//! What the steps of a visit change, by people and by reactions alike.

use super::{SetBy, Status, Visit, event};
use crate::queue::{estimate::Pace, order::Class};
use jiff::Timestamp;
use kernel::{Error, Lifecycle, Result, VisitId};
use store::{Commit, Record};
use web::Ctx;

/// The fields that follow from a command.
pub fn apply(body: &mut Visit, action: &str, now: Timestamp, by: &str) {
    match action {
        "start" => {
            body.started_at = Some(now);
            body.seen_by = Some(by.into());
        }
        "return" => {
            body.class = better(body.class);
            body.class_by = body.class_by.max(SetBy::Rule);
            body.eligible_at = now;
            body.called_at = None;
            body.called_to = None;
        }
        "complete" => {
            body.ended_at = Some(now);
            body.consultation_duration_minutes = body.started_at.map(|from| minutes(from, now));
        }
        "no_show" | "left" | "cancel" => body.ended_at = Some(now),
        _ => {}
    }
}

/// Who comes back from the laboratory stands one class better than before; only triage makes anybody urgent.
fn better(class: Class) -> Class {
    match class {
        Class::WalkIn => Class::Appointment,
        Class::Appointment => Class::Priority,
        other => other,
    }
}

/// Whole minutes, half up.
fn minutes(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from((to.duration_since(from).as_secs().max(0) + 30) / 60).unwrap_or(u32::MAX)
}

/// Event and, with a completion, the practitioner's pace.
pub async fn effects(ctx: &Ctx, action: &str, new: &Record<Visit>, commit: Commit) -> Result<Commit> {
    let commit = match event(action, new) {
        Some(event) => commit.emit(event),
        None => commit,
    };
    match new.body.consultation_duration_minutes {
        Some(minutes) if action == "complete" => {
            let key = Pace::key(new.body.host()?);
            let mut pace: Pace = ctx.store().read(&key).await?.unwrap_or_default();
            pace.add(minutes);
            // Two completions at once may lose one value of twenty; no booking waits for that.
            Ok(commit.put(&key, &pace))
        }
        _ => Ok(commit),
    }
}

/// A step that the product takes itself. A visit that is not in its state any more is left alone.
pub async fn advance_by_system(
    ctx: &Ctx,
    id: VisitId,
    command: &'static str,
    change: impl Fn(&mut Visit) + Send + Sync,
) -> Result<()> {
    let step =
        Visit::STEPS.iter().find(|s| s.command == command).ok_or_else(|| Error::internal("no such step"))?;
    web::again(ctx.store(), || async {
        let Some(old) = web::live::<Visit>(ctx, id).await? else { return Ok(()) };
        if !step.from.contains(&old.body.status) {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        new.body.advance(step, ctx.today())?;
        apply(&mut new.body, command, ctx.now(), &ctx.actor().user);
        change(&mut new.body);
        effects(ctx, command, &new, ctx.commit().update(command, &old, &new)).await?.run().await
    })
    .await
}

/// A consultation that began and ended at these times, as the encounter tells it.
pub fn consulted(body: &mut Visit, ended: Timestamp) {
    if body.status == Status::Completed {
        body.ended_at = Some(ended);
        body.consultation_duration_minutes = body.started_at.map(|from| minutes(from, ended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_whole_and_half_a_minute_counts() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        assert_eq!([0, 29, 30, 89, 90, 17 * 60 + 12].map(|s| minutes(at(0), at(s))), [0, 0, 1, 1, 2, 17]);
    }

    #[test]
    fn coming_back_betters_a_place_but_makes_nobody_urgent() {
        assert_eq!(
            Class::ALL.iter().map(|c| better(*c)).collect::<Vec<_>>(),
            [Class::Emergency, Class::Urgent, Class::Priority, Class::Priority, Class::Appointment]
        );
    }
}
