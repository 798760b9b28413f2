//! A run: one template for one person, and how far it is. Its record knows every step's state, so that whoever comes
//! last sees that all of them are done.

use super::template::Kind;
use crate::{
    due::record,
    task::{self, Task},
};
use events::{
    Envelope, WorkflowEvent,
    workflow::{SequenceSaid, TaskWish},
};
use jiff::civil::Date;
use kernel::{Result, SequenceId, SequenceRunId, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique, Wanted};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! {
    pub enum Status {
        Starting = "starting", Running = "running", Suspended = "suspended", Completed = "completed",
        Cancelled = "cancelled",
    }
}

impl Status {
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunStep {
    pub key: String,
    /// Named before it is made, so that a second try makes the same one.
    pub task: TaskId,
    pub status: task::Status,
    #[serde(default)]
    pub depends_on: Vec<String>,
    #[serde(default)]
    pub optional: bool,
    /// Its days count from the run's anchor, and move with it.
    #[serde(default)]
    pub anchored: bool,
    #[serde(default)]
    pub overdue: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    pub template: SequenceId,
    pub code: String,
    pub template_version: u64,
    pub kind: Kind,
    pub subject: String,
    /// The subject's login, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub anchor_on: Date,
    pub started_on: Date,
    pub started_by: String,
    pub status: Status,
    pub steps: Vec<RunStep>,
    /// Steps that are done, and steps that count: optional ones that were left out do not.
    pub done: u32,
    pub total: u32,
    pub overdue: u32,
    pub percent: u8,
}

impl RunStep {
    fn is_done(&self) -> bool {
        self.status == task::Status::Done
    }
    fn is_skipped(&self) -> bool {
        self.optional && matches!(self.status, task::Status::Cancelled | task::Status::Dismissed)
    }
    fn is_over(&self) -> bool {
        self.is_done() || self.is_skipped()
    }
}

impl Run {
    pub fn count(&mut self) {
        let of = |f: fn(&RunStep) -> bool| self.steps.iter().filter(|s| f(s)).count() as u32;
        let (done, skipped) = (of(RunStep::is_done), of(RunStep::is_skipped));
        self.total = self.steps.len() as u32 - skipped;
        self.done = done;
        self.overdue = of(|s| s.overdue && !s.is_over());
        self.percent = (done * 100).checked_div(self.total).map_or(100, |p| p as u8);
    }
    pub fn said(&self, id: SequenceRunId, step: Option<&str>) -> SequenceSaid {
        SequenceSaid {
            run: id,
            template: self.code.clone(),
            kind: self.kind.to_string(),
            subject: self.subject.clone(),
            step: step.map(Into::into),
            done: self.done,
            total: self.total,
            why: None,
        }
    }
    /// Steps that wait for nothing any more.
    fn free(&self) -> Vec<TaskId> {
        let over = |key: &String| self.steps.iter().find(|s| s.key == *key).is_none_or(RunStep::is_over);
        let waits = |s: &&RunStep| !s.depends_on.is_empty() && !s.is_over() && s.depends_on.iter().all(over);
        self.steps.iter().filter(waits).map(|s| s.task).collect()
    }
}

impl Entity for Run {
    type Id = SequenceRunId;
    const NOUN: &'static str = "sequence_run";
    const LISTS: &'static [List<Self>] = &[
        List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        List::by("subject", &["subject"], |r| vec![Row::new(&[&r.body.subject], &[&r.id])]),
        List::by("template", &["template"], |r| vec![Row::new(&[&r.body.template], &[&r.id])]),
    ];
    /// One run of a template at a time for a person.
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("subject", "run-exists", |r| {
        if r.status.is_over() { vec![] } else { vec![format!("{}~{}", r.template, r.subject)] }
    })];
}

impl Noun for Run {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach >= Reach::Site
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        if ctx.may("sequence_run.edit") == Reach::None {
            return vec![];
        }
        match record.body.status {
            Status::Running | Status::Starting => vec!["shift", "suspend", "cancel"],
            Status::Suspended => vec!["resume", "cancel"],
            _ => vec![],
        }
    }
}

impl Hooks for Run {}

/// A step's task has changed: the run says so, and lets go what waited for it alone.
pub async fn progress(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let run = event.data["run"].as_str().and_then(|r| r.parse::<SequenceRunId>().ok());
    let (Some(run), Ok(task)) = (run, event.record.parse::<TaskId>()) else { return Ok(()) };
    let Some(run) = told(ctx, run, task).await? else { return Ok(()) };
    if run.body.status == Status::Running {
        release(ctx, &run).await?;
    }
    Ok(())
}

/// The run with the task as it is now.
async fn told(ctx: &Ctx, id: SequenceRunId, task: TaskId) -> Result<Option<Record<Run>>> {
    web::again(ctx.store(), || async {
        let Some(old) = record::<Run>(ctx, id).await? else { return Ok(None) };
        let Some(now) = record::<Task>(ctx, task).await? else { return Ok(None) };
        let mut new = old.next(ctx.now());
        let Some(step) = new.body.steps.iter_mut().find(|s| s.task == task) else { return Ok(None) };
        let (was, key) = (step.is_over(), step.key.clone());
        let late = now.body.overdue && !step.overdue;
        if step.status == now.body.status && !late {
            return Ok(Some(old));
        }
        (step.status, step.overdue) = (now.body.status, now.body.overdue);
        let ended = step.is_over() && !was;
        new.body.count();
        let all = new.body.steps.iter().all(RunStep::is_over);
        let complete = all && !old.body.status.is_over();
        if complete {
            new.body.status = Status::Completed;
        } else if !all && old.body.status == Status::Completed {
            new.body.status = Status::Running;
        }
        let said = new.body.said(id, Some(&key));
        let commit = ctx.store().commit().update("progress", &old, &new);
        let commit = match (complete, ended, late) {
            (true, ..) => commit.emit(WorkflowEvent::SequenceCompleted(said)),
            (_, true, _) => commit.emit(WorkflowEvent::SequenceStepCompleted(said)),
            (.., true) => commit.emit(WorkflowEvent::SequenceDelayed(said)),
            _ => commit,
        };
        commit.run().await.map(|()| Some(new))
    })
    .await
}

/// A run was cancelled or goes on again: whoever said so has told its tasks too, unless they were interrupted.
pub async fn settled(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let Ok(id) = event.record.parse::<SequenceRunId>() else { return Ok(()) };
    let Some(run) = record::<Run>(ctx, id).await? else { return Ok(()) };
    match run.body.status {
        Status::Cancelled => end_steps(ctx, &run).await,
        Status::Running => release(ctx, &run).await,
        _ => Ok(()),
    }
}

/// What is still to be done for a cancelled run is not done any more.
pub async fn end_steps(ctx: &Ctx, run: &Record<Run>) -> Result<()> {
    for step in &run.body.steps {
        task::end_by_system(ctx, step.task, task::Status::Cancelled, "run_cancelled").await?;
    }
    Ok(())
}

/// Opens what is free; what is open already is left alone.
pub async fn release(ctx: &Ctx, run: &Record<Run>) -> Result<()> {
    for task in run.body.free() {
        task::release(ctx, task).await?;
    }
    Ok(())
}

/// Runs of somebody that are not over.
pub async fn of_subject(ctx: &Ctx, subject: &str) -> Result<Vec<Record<Run>>> {
    let wanted = Wanted::by(&[&subject], 100);
    let page = ctx.store().list(&Run::LISTS[1], &wanted).await?;
    Ok(page.data.into_iter().filter(|r| !r.body.status.is_over()).collect())
}

/// Somebody has left in the middle of it: what is not about leaving waits, and HR is told.
pub async fn of_disabled(ctx: &Ctx, user: &str) -> Result<()> {
    for run in of_subject(ctx, user).await? {
        if run.body.kind == Kind::Offboarding {
            continue;
        }
        turn(ctx, run.id, "suspend", None, |r| {
            let open = matches!(r.status, Status::Running | Status::Starting);
            open.then(|| r.status = Status::Suspended).map(|()| WorkflowEvent::SequenceSuspended as Said)
        })
        .await?;
        let wish = TaskWish {
            title_code: "run_suspended".into(),
            category: "hr".into(),
            assignee: "role~hr".into(),
            priority: None,
            due_at: None,
            record: Some(run.id.to_string()),
            subject: Some(user.into()),
            site: None,
            close_on: vec![],
            key: format!("suspended~{}", run.id),
        };
        web::done(task::make(ctx, &wish, ctx.actor().user.clone()).await)?;
    }
    Ok(())
}

pub type Said = fn(SequenceSaid) -> WorkflowEvent;

/// Changes a run, as often as it takes; nothing, if there is nothing to change.
pub async fn turn(
    ctx: &Ctx,
    id: SequenceRunId,
    action: &str,
    reason: Option<String>,
    change: impl Fn(&mut Run) -> Option<Said>,
) -> Result<Option<Record<Run>>> {
    web::again(ctx.store(), || async {
        let Some(old) = record::<Run>(ctx, id).await? else { return Ok(None) };
        let mut new = old.next(ctx.now());
        let Some(said) = change(&mut new.body) else { return Ok(None) };
        let event = said(new.body.said(id, None));
        let commit = ctx.store().commit().because(reason.clone()).update(action, &old, &new).emit(event);
        commit.run().await.map(|()| Some(new))
    })
    .await
}
