//! Commands of tasks, one handler each.

use super::{Check, Status, Task, act::Said, act::act, api::PATH};
use crate::assignee::{Assignee, Kind};
use axum::{http::Method, routing::post};
use events::WorkflowEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{DocumentId, Error, Fault, Result, SignatureId, TaskId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use std::collections::BTreeSet;
use store::Record;
use web::{Answer, At, Body, Ctx, Route, noun::View, route};

fn command<T: JsonSchema>(
    name: &'static str,
    permission: &'static str,
    handler: axum::routing::MethodRouter<web::App>,
    says: &'static str,
) -> Route {
    let path = format!("{PATH}/{{id}}/{name}");
    route(Method::POST, path, permission, format!("task.{name}"), handler)
        .takes::<T>()
        .gives::<View<'static, Task>>(200)
        .trips(4)
        .refuses(&["not-yours", "state"])
        .says(says)
}

pub fn routes() -> Vec<Route> {
    let (own, edit) = ("task.complete", "task.edit");
    vec![
        command::<Why>("accept", own, post(accept), "proposed → open"),
        command::<Why>("dismiss", own, post(dismiss), "proposed → dismissed"),
        command::<Why>("claim", own, post(claim), "open → in_progress: whoever is first of its role or team")
            .refuses(&["already-claimed"]),
        command::<Why>("start", own, post(start), "open → in_progress"),
        command::<Why>("release", own, post(release), "in_progress → open, back to where it was taken from"),
        command::<Ticked>("check", own, post(check), "Ticks off one thing of its list"),
        command::<Ticked>("uncheck", own, post(uncheck), "Takes back what was ticked off"),
        command::<Completed>("complete", own, post(complete), "open, in_progress → done, or in_review")
            .refuses(&["checklist-open", "requirement-open"]),
        command::<Why>("confirm", own, post(confirm), "in_review → done, by a second person")
            .refuses(&["second-person-needed"]),
        command::<Why>("return", own, post(back), "in_review → in_progress")
            .refuses(&["second-person-needed"]),
        command::<To>("reassign", own, post(reassign), "open, in_progress, waiting → open, of somebody else")
            .refuses(&["assignee-invalid", "reason-required"]),
        command::<Why>("block", own, post(block), "open, waiting, in_progress → blocked"),
        command::<Why>("unblock", own, post(unblock), "blocked → open"),
        command::<Snooze>("snooze", own, post(snooze), "Not now: reminders come later, at most 7 days"),
        command::<Why>("cancel", edit, post(cancel), "any that is not final → cancelled")
            .refuses(&["step-needed", "reason-required"]),
        command::<Why>("reopen", edit, post(reopen), "done → open, within 7 days").refuses(&["too-late"]),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Why {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn accept(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    let now = ctx.now();
    act(&ctx, id, "accept", why.reason.as_deref(), &move |_, task| {
        task.status = Status::Open;
        task.begin_again(now);
        Ok(Said::Event(WorkflowEvent::TaskAssigned))
    })
    .await
}

async fn dismiss(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    act(&ctx, id, "dismiss", why.reason.as_deref(), &|_, task| {
        task.status = Status::Dismissed;
        Ok(Said::Event(WorkflowEvent::TaskDismissed))
    })
    .await
}

async fn claim(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    let (me, now) = (ctx.actor().user.clone(), ctx.now());
    act(&ctx, id, "claim", why.reason.as_deref(), &move |_, task| {
        (task.claimed_by, task.claimed_at) = (Some(me.clone()), Some(now));
        task.status = Status::InProgress;
        Ok(Said::Event(WorkflowEvent::TaskClaimed))
    })
    .await
}

async fn start(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    act(&ctx, id, "start", why.reason.as_deref(), &|_, task| {
        task.status = Status::InProgress;
        Ok(Said::Event(WorkflowEvent::TaskStarted))
    })
    .await
}

async fn release(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    act(&ctx, id, "release", why.reason.as_deref(), &|_, task| {
        (task.claimed_by, task.claimed_at) = (None, None);
        task.status = Status::Open;
        Ok(Said::Event(WorkflowEvent::TaskReleased))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
struct Ticked {
    /// Its place in the list, from 0.
    n: usize,
    evidence: Option<DocumentId>,
}

async fn check(ctx: Ctx, At(id): At<TaskId>, Body(ticked): Body<Ticked>) -> Answer {
    let (me, now) = (ctx.actor().user.clone(), ctx.now());
    act(&ctx, id, "check", None, &move |_, task| {
        let check = task.checklist.get_mut(ticked.n).ok_or_else(no_check)?;
        (check.done_by, check.done_at) = (Some(me.clone()), Some(now));
        check.evidence = ticked.evidence.or(check.evidence);
        Ok(Said::Nothing)
    })
    .await
}

async fn uncheck(ctx: Ctx, At(id): At<TaskId>, Body(ticked): Body<Ticked>) -> Answer {
    act(&ctx, id, "uncheck", None, &move |_, task| {
        let check = task.checklist.get_mut(ticked.n).ok_or_else(no_check)?;
        (check.done_by, check.done_at) = (None, None);
        Ok(Said::Nothing)
    })
    .await
}

fn no_check() -> Error {
    Error::field("no-such-check", "/n", "the list has no such entry; it counts from 0")
}

#[derive(Deserialize, JsonSchema)]
struct Completed {
    /// `done`, `not_applicable`, `failed`, or a word of the organisation's own.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    outcome: Option<String>,
    #[schemars(length(min = 1, max = 2000))]
    note: Option<Sealed<String>>,
    #[serde(default)]
    #[schemars(length(max = 10))]
    evidence: Vec<DocumentId>,
    signature: Option<SignatureId>,
}

/// Everything that is still missing, at once.
fn missing(task: &Task, given: &Completed) -> Option<Error> {
    if given.outcome.as_deref().is_some_and(|o| o != "done") {
        return None;
    }
    let open = |(n, c): (usize, &Check)| {
        let left = c.required && c.done_at.is_none();
        left.then(|| Fault::new(format!("/checklist/{n}"), "open", c.text.0.clone()))
    };
    let checks: Vec<Fault> = task.checklist.iter().enumerate().filter_map(open).collect();
    let evidence = !given.evidence.is_empty() || !task.evidence.is_empty();
    let wanted = [
        (task.requires.evidence && !evidence, "/evidence", "attach what shows that it is done"),
        (task.requires.signature && given.signature.is_none(), "/signature", "sign it"),
        (task.requires.note && given.note.is_none(), "/note", "say how it went"),
    ];
    let missing =
        wanted.into_iter().filter(|(m, ..)| *m).map(|(_, at, says)| Fault::new(at, "required", says));
    let code = if checks.is_empty() { "requirement-open" } else { "checklist-open" };
    let all: Vec<Fault> = checks.into_iter().chain(missing).collect();
    let error = Error::unprocessable(code, "this is still open; all of it is listed in errors");
    (!all.is_empty()).then(|| all.into_iter().fold(error, Error::at))
}

async fn complete(ctx: Ctx, At(id): At<TaskId>, Body(given): Body<Completed>) -> Answer {
    let (me, now) = (ctx.actor().user.clone(), ctx.now());
    act(&ctx, id, "complete", None, &move |_, task| {
        if let Some(error) = missing(task, &given) {
            return Err(error);
        }
        task.status = if task.requires.second_person { Status::InReview } else { Status::Done };
        task.outcome = Some(given.outcome.clone().unwrap_or_else(|| "done".into()));
        task.outcome_note = given.note.clone();
        let all: BTreeSet<DocumentId> = task.evidence.iter().chain(&given.evidence).copied().collect();
        task.evidence = all.into_iter().collect();
        task.signature = given.signature.or(task.signature);
        (task.completed_by, task.completed_at) = (Some(me.clone()), Some(now));
        Ok(Said::Event(WorkflowEvent::TaskCompleted))
    })
    .await
}

/// Nobody looks over their own shoulder.
fn second(old: &Record<Task>, me: &str) -> Result<()> {
    if old.body.completed_by.as_deref() == Some(me) {
        let detail = "you completed this yourself: somebody else looks at it";
        return Err(Error::forbidden("second-person-needed", detail));
    }
    Ok(())
}

async fn confirm(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    let me = ctx.actor().user.clone();
    act(&ctx, id, "confirm", why.reason.as_deref(), &move |old, task| {
        second(old, &me)?;
        (task.status, task.confirmed_by) = (Status::Done, Some(me.clone()));
        Ok(Said::Event(WorkflowEvent::TaskConfirmed))
    })
    .await
}

async fn back(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    let me = ctx.actor().user.clone();
    act(&ctx, id, "return", why.reason.as_deref(), &move |old, task| {
        second(old, &me)?;
        task.status = Status::InProgress;
        (task.completed_by, task.completed_at, task.outcome) = (None, None, None);
        Ok(Said::Event(WorkflowEvent::TaskReturned))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
struct To {
    to: Assignee,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn reassign(ctx: Ctx, At(id): At<TaskId>, Body(asked): Body<To>) -> Answer {
    let old = super::act::known(&ctx, id).await?;
    let to = asked.to.at(old.body.site);
    to.check(&ctx).await?;
    let free = super::moves::leads(&old, &ctx) || old.body.created_by == ctx.actor().user;
    if !free && !to.has(&ctx).await? {
        let detail = "you pass it on to your own role or team; its maker or a lead may give it to anybody";
        return Err(Error::forbidden("assignee-not-yours", detail).into());
    }
    if to.kind == Kind::User
        && ctx.store().fact::<serde_json::Value>(store::facts::ACTIVE_USER, &to.value).await?.is_none()
    {
        return Err(Error::field("assignee-invalid", "/to", "this user is not active").into());
    }
    let late = old.body.due_at.is_some_and(|due| due < ctx.now());
    let reason = if late { Some(ctx.needs_reason(asked.reason.as_deref())?) } else { asked.reason };
    act(&ctx, id, "reassign", reason.as_deref(), &move |old, task| {
        task.assignee = to.clone();
        (task.claimed_by, task.claimed_at) = (None, None);
        let waits = old.body.status == Status::Waiting;
        task.status = if waits { Status::Waiting } else { Status::Open };
        Ok(Said::Event(WorkflowEvent::TaskReassigned))
    })
    .await
}

async fn block(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    act(&ctx, id, "block", why.reason.as_deref(), &|_, task| {
        task.status = Status::Blocked;
        Ok(Said::Event(WorkflowEvent::TaskBlocked))
    })
    .await
}

async fn unblock(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    act(&ctx, id, "unblock", why.reason.as_deref(), &|_, task| {
        task.status = Status::Open;
        (task.claimed_by, task.claimed_at) = (None, None);
        Ok(Said::Event(WorkflowEvent::TaskReleased))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
struct Snooze {
    until: Timestamp,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// Days that something may be put off.
const SNOOZE: i64 = 7;

async fn snooze(ctx: Ctx, At(id): At<TaskId>, Body(asked): Body<Snooze>) -> Answer {
    let now = ctx.now();
    let given = asked.reason.clone().or(ctx.reason());
    act(&ctx, id, "snooze", asked.reason.as_deref(), &move |old, task| {
        if asked.until <= now || asked.until > now + SignedDuration::from_hours(24 * SNOOZE) {
            return Err(Error::field("snooze-range", "/until", "between now and 7 days from now"));
        }
        if old.body.due_at.is_some_and(|due| asked.until > due) && given.is_none() {
            return Err(Error::field("reason-required", "/reason", "past its due time only with a reason"));
        }
        task.snoozed_until = Some(asked.until);
        task.skip_past(now);
        Ok(Said::Nothing)
    })
    .await
}

async fn cancel(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    act(&ctx, id, "cancel", why.reason.as_deref(), &|old, task| {
        if old.body.run.is_some() && !old.body.optional {
            let detail = "this step belongs to a run and is not optional: cancel the run, or complete it as not_applicable";
            return Err(Error::conflict("step-needed", detail));
        }
        task.status = Status::Cancelled;
        Ok(Said::Event(WorkflowEvent::TaskCancelled))
    })
    .await
}

/// Days after which what is done stays done.
const REOPEN: i64 = 7;

async fn reopen(ctx: Ctx, At(id): At<TaskId>, Body(why): Body<Why>) -> Answer {
    let now = ctx.now();
    act(&ctx, id, "reopen", why.reason.as_deref(), &move |old, task| {
        let limit = SignedDuration::from_hours(24 * REOPEN);
        if old.body.completed_at.is_none_or(|at| now.duration_since(at) > limit) {
            return Err(Error::conflict("too-late", "what was done more than 7 days ago is not reopened"));
        }
        task.status = Status::Open;
        (task.completed_by, task.completed_at, task.confirmed_by) = (None, None, None);
        (task.outcome, task.claimed_by, task.claimed_at) = (None, None, None);
        Ok(Said::Event(WorkflowEvent::TaskReopened))
    })
    .await
}
