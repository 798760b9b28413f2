//! Reminders, being overdue, escalations, first days: one due row per task, and one step per version, so that what
//! rings twice is said once.

use super::{Priority, RecurOn, Status, Task, act, act::Said, finish, time::Next};
use crate::{assignee::Kind, due};
use events::WorkflowEvent;
use kernel::{Error, Result, TaskId, UserId};
use serde_json::Value;
use store::{Commit, Record};
use web::{App, Ctx};

pub fn tasks() -> Vec<web::Task> {
    vec![web::Task::on("due.tsk.next", |app, row| async move { rung(app, row).await })]
}

async fn rung(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<TaskId>(&app, &row).await? else { return Ok(()) };
    let mut attempt = 0;
    loop {
        let Some(old) = due::record::<Task>(&ctx, id).await? else { return Ok(()) };
        let Some((_, next)) = old.body.next().filter(|(at, _)| *at <= ctx.now()) else { return Ok(()) };
        match step(&ctx, &old, next).await?.run().await {
            Err(Error::Stale { .. }) => ctx.store().pause(&mut attempt).await?,
            Err(e) => return Err(e),
            Ok(()) => {}
        }
    }
}

async fn step(ctx: &Ctx, old: &Record<Task>, next: Next) -> Result<Commit> {
    let mut new = old.next(ctx.now());
    let commit = ctx.store().commit();
    Ok(match next {
        Next::Start => {
            new.body.status = Status::Open;
            new.body.skip_past(ctx.now());
            commit.update("release", old, &new).emit(WorkflowEvent::TaskReleased(new.body.said(new.id)))
        }
        // A clock that comes late reminds nobody of what is over.
        Next::Remind if old.body.due_at.is_none_or(|due| due > ctx.now()) => {
            // Several that are due at once are one.
            new.body.skip_past(ctx.now());
            commit.update("remind", old, &new).emit(WorkflowEvent::TaskDueSoon(new.body.said(new.id)))
        }
        Next::Remind | Next::Overdue => {
            new.body.skip_past(ctx.now());
            new.body.overdue = true;
            let commit =
                commit.update("overdue", old, &new).emit(WorkflowEvent::TaskOverdue(new.body.said(new.id)));
            if new.body.recur_on == RecurOn::Due { finish::again(ctx, &new, commit).await? } else { commit }
        }
        Next::Escalate => {
            let to = escalate(&mut new.body);
            let said = events::workflow::TaskSaid { to, ..new.body.said(new.id) };
            commit.update("escalate", old, &new).emit(WorkflowEvent::TaskEscalated(said))
        }
    })
}

/// The next level hears of it; whom it concerns.
fn escalate(task: &mut Task) -> Option<String> {
    let level = task.escalation.get(usize::from(task.escalated)).cloned()?;
    task.escalated += 1;
    if level.raise_priority {
        task.priority = Priority::raised(task.priority);
    }
    match (level.to.kind, level.to.value.parse::<UserId>()) {
        (Kind::User, Ok(user)) if !task.watchers.contains(&user) => task.watchers.push(user),
        (Kind::User, _) => {}
        _ if !task.escalated_to.contains(&level.to) => task.escalated_to.push(level.to.clone()),
        _ => {}
    }
    if level.reassign {
        task.assignee = level.to.clone();
        (task.claimed_by, task.claimed_at) = (None, None);
        if task.status == Status::InProgress {
            task.status = Status::Open;
        }
    }
    Some(level.to.to_string())
}

/// A due time that moved because its run did.
pub async fn shift(ctx: &Ctx, id: TaskId, days: i64) -> Result<()> {
    use jiff::ToSpan;
    let now = ctx.now();
    act::by_system(ctx, id, "shift", None, &move |old, task| {
        if old.body.status.is_final() {
            return None;
        }
        let zone = task.zoned();
        let moved = |at: jiff::Timestamp| {
            let local = at.to_zoned(zone.clone()).checked_add(days.days());
            local.map_or(at, |z| z.timestamp())
        };
        task.due_at = task.due_at.map(moved);
        task.start_on = task.start_on.map(|d| d.checked_add(days.days()).unwrap_or(d));
        task.begin_again(now);
        Some(Said::Nothing)
    })
    .await
}
