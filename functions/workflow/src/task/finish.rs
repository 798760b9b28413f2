//! What a finished task brings with it, in its own commit: the gate it opens, the next one of its kind. What waits
//! for it is released when its event is heard.

use super::{Draft, RecurOn, Recurrence, Source, SourceKind, Status, Task, act, act::Said, drafted};
use crate::due::Calendar;
use events::WorkflowEvent;
use kernel::{Result, TaskId};
use serde_json::json;
use store::{Commit, Record, facts};
use web::Ctx;

pub async fn done(ctx: &Ctx, new: &Record<Task>, commit: Commit) -> Result<Commit> {
    let commit = match place(&new.body) {
        Some(place) => {
            let fact = json!({"at": ctx.now(), "task": new.id, "run": new.body.run});
            commit.fact(facts::GATE, place, &fact)
        }
        None => commit,
    };
    if new.body.recur_on == RecurOn::Completion { again(ctx, new, commit).await } else { Ok(commit) }
}

/// Reopened: its gate is shut again.
pub fn undone(new: &Record<Task>, commit: Commit) -> Commit {
    match place(&new.body) {
        Some(place) => commit.drop_fact(facts::GATE, place),
        None => commit,
    }
}

fn place(task: &Task) -> Option<String> {
    Some(format!("{}~{}", task.subject.as_ref()?, task.gate.as_ref()?))
}

/// The next one, if its rule says that there is one.
pub async fn again(ctx: &Ctx, of: &Record<Task>, commit: Commit) -> Result<Commit> {
    let task = &of.body;
    let (Some(rule), Some(due)) = (&task.recurrence, task.due_at) else { return Ok(commit) };
    let Ok(rule) = rule.parse::<Recurrence>() else { return Ok(commit) };
    let mut next = rule.after(&due.to_zoned(task.zoned()));
    // Late by several rounds: the missed ones are not made up for.
    while let Some(at) = next.as_ref().filter(|at| at.timestamp() <= ctx.now()) {
        next = rule.after(at);
    }
    let Some(at) = next else { return Ok(commit) };
    let mut checklist = task.checklist.clone();
    for check in &mut checklist {
        (check.done_by, check.done_at, check.evidence) = (None, None, None);
    }
    let draft = Draft {
        description: task.description.clone(),
        priority: task.priority,
        watchers: task.watchers.clone(),
        site: task.site,
        subject: task.subject.clone(),
        record: task.record.clone(),
        due_at: Some(at.timestamp()),
        remind: Some(task.remind.clone()),
        escalation: task.escalation.clone(),
        checklist,
        requires: task.requires,
        recurrence: task.recurrence.clone(),
        recur_on: task.recur_on,
        source: Source { kind: SourceKind::System, of: Some(of.id.to_string()), proposed: false },
        created_by: task.created_by.clone(),
        close_on: task.close_on.clone(),
        ..Draft::new(task.title.clone(), task.category, task.assignee.clone(), SourceKind::System)
    };
    Ok(drafted(ctx, draft, commit).await?.1)
}

/// What a step waited for is done: it is open, or waits for its day.
pub async fn release(ctx: &Ctx, id: TaskId) -> Result<()> {
    let (now, calendar) = (ctx.now(), Calendar::of(ctx));
    act::by_system(ctx, id, "release", None, &move |old, task| {
        if old.body.status != Status::Waiting {
            return None;
        }
        let waits = !task.depends_on.is_empty() || task.due_days.is_some();
        task.depends_on.clear();
        if let Some(days) = task.due_days.take() {
            task.due_at = calendar
                .plus(now.to_zoned(task.zoned()).date(), days)
                .and_then(|d| calendar.close_of(d))
                .ok();
            task.skip_past(now);
        }
        if task.starts_at().is_some_and(|at| at > now) {
            // Let go before, and its day is still to come: nothing is written twice.
            return waits.then_some(Said::Nothing);
        }
        task.status = Status::Open;
        Some(Said::Event(WorkflowEvent::TaskReleased))
    })
    .await
}
