//! Giving a command: read, judged, written in one commit; who comes second hears what the first one did.

use super::{
    Status, Task, finish,
    moves::{self, Move, Who},
};
use crate::assignee::{Assignee, Kind};
use events::WorkflowEvent;
use kernel::{Error, Result, TaskId};
use store::{Commit, Record};
use web::{Answer, Ctx, Noun, Reach};

/// The task, if the caller may know of it.
pub async fn known(ctx: &Ctx, id: TaskId) -> Result<Record<Task>> {
    let old = ctx.store().fresh::<Task>(id).await?;
    if old.deleted_at.is_some() {
        return Err(Error::Missing);
    }
    let reach = ctx.may("task.view");
    let near = Task::within(&old, reach, ctx.actor())
        || (old.body.assignee.kind == Kind::Team && reach > Reach::Own && old.body.assignee.has(ctx).await?);
    if !near {
        return Err(Error::Missing);
    }
    old.matches(ctx.if_match())?;
    Ok(old)
}

/// What a command changes, and what it says.
pub type Change<'a> = &'a (dyn Fn(&Record<Task>, &mut Task) -> Result<Said> + Send + Sync);

/// The event of a command; some have none.
#[derive(Clone, Copy)]
pub enum Said {
    Nothing,
    Event(fn(events::workflow::TaskSaid) -> WorkflowEvent),
}

/// One command of somebody: 403 if it is not theirs, 422 if it does not exist in this state.
pub async fn act(ctx: &Ctx, id: TaskId, command: &str, reason: Option<&str>, change: Change<'_>) -> Answer {
    let step = moves::step_of(command);
    let reason =
        if step.reason { Some(ctx.needs_reason(reason)?) } else { reason.map(Into::into).or(ctx.reason()) };
    // Judged again by what another one made of it.
    web::again(ctx.store(), || async {
        let old = known(ctx, id).await?;
        allowed(ctx, &old, step).await?;
        let mut new = old.next(ctx.now());
        let said = change(&old, &mut new.body)?;
        let commit = ctx.commit().because(reason.clone()).update(command, &old, &new);
        let commit = written(ctx, &old, &new, commit, said).await?;
        ctx.settle(commit, ctx.shown(200, &new)?).await
    })
    .await
}

async fn written(
    ctx: &Ctx,
    old: &Record<Task>,
    new: &Record<Task>,
    commit: Commit,
    said: Said,
) -> Result<Commit> {
    let commit = match said {
        Said::Event(event) => commit.emit(event(new.body.said(new.id))),
        Said::Nothing => commit,
    };
    if new.body.status == Status::Done && old.body.status != Status::Done {
        return finish::done(ctx, new, commit).await;
    }
    if old.body.status == Status::Done && new.body.status != Status::Done {
        return Ok(finish::undone(new, commit));
    }
    Ok(commit)
}

async fn allowed(ctx: &Ctx, old: &Record<Task>, step: &Move) -> Result<()> {
    if step.command == "claim"
        && let (Some(by), Some(at)) = (&old.body.claimed_by, old.body.claimed_at)
        && !old.body.status.is_final()
    {
        let detail = "somebody has taken this already";
        return Err(Error::conflict("already-claimed", detail).with("by", by).with("at", at));
    }
    let team = old.body.assignee.kind == Kind::Team
        && matches!(step.who, Who::Member | Who::Reviewer | Who::Addressed);
    let mine = moves::may(step.who, old, ctx)
        || (team && old.body.claimed_by.is_none_or_reviewed(step.who) && old.body.assignee.has(ctx).await?);
    if !mine {
        let detail = format!("{} is not yours to say here", step.command);
        return Err(Error::forbidden("not-yours", detail).with("assignee", old.body.assignee.to_string()));
    }
    if !step.from.contains(&old.body.status) {
        return Err(Error::State { command: step.command, state: old.body.status.to_string() });
    }
    Ok(())
}

/// A member speaks for their team while nobody has taken the task; reviewing is open to all of them.
trait Free {
    fn is_none_or_reviewed(&self, who: Who) -> bool;
}
impl Free for Option<String> {
    fn is_none_or_reviewed(&self, who: Who) -> bool {
        self.is_none() || who == Who::Reviewer
    }
}

/// What the product itself does to a task: read again and judged again until it holds or is not needed.
pub async fn by_system(
    ctx: &Ctx,
    id: TaskId,
    command: &str,
    once: Option<(&str, &str)>,
    change: &(dyn Fn(&Record<Task>, &mut Task) -> Option<Said> + Send + Sync),
) -> Result<()> {
    web::again(ctx.store(), || async {
        let Some(old) = web::live::<Task>(ctx, id).await? else { return Ok(()) };
        let mut new = old.next(ctx.now());
        let Some(said) = change(&old, &mut new.body) else { return Ok(()) };
        let commit = ctx.store().commit().update(command, &old, &new);
        let mut commit = written(ctx, &old, &new, commit, said).await?;
        if let Some((consumer, change)) = once {
            commit = ctx.once_for(commit, consumer, change);
        }
        web::done(commit.run().await)
    })
    .await
}

/// Closed by what happened elsewhere.
pub async fn end_by_system(ctx: &Ctx, id: TaskId, status: Status, outcome: &str) -> Result<()> {
    let now = ctx.now();
    let (by, outcome) = (ctx.actor().user.clone(), outcome.to_string());
    by_system(ctx, id, "close", None, &move |old, task| {
        if old.body.status.is_final() {
            return None;
        }
        task.status = status;
        task.outcome = Some(outcome.clone());
        (task.completed_by, task.completed_at) = (Some(by.clone()), Some(now));
        Some(match status {
            Status::Cancelled => Said::Event(WorkflowEvent::TaskCancelled),
            _ => Said::Event(WorkflowEvent::TaskCompleted),
        })
    })
    .await
}

/// Given to somebody else, since whoever had it is not there any more.
pub async fn reassign_by_system(ctx: &Ctx, id: TaskId, user: &str, to: &Assignee) -> Result<()> {
    by_system(ctx, id, "reassign", None, &move |old, task| {
        if old.body.status.is_final() || !old.body.is_held_by(user) {
            return None;
        }
        // Taken from a queue: it goes back there.
        if task.claimed_by.is_none() || task.assignee.is_user(user) {
            task.assignee = to.clone();
        }
        (task.claimed_by, task.claimed_at) = (None, None);
        if task.status == Status::InProgress {
            task.status = Status::Open;
        }
        Some(Said::Event(WorkflowEvent::TaskReassigned))
    })
    .await
}
