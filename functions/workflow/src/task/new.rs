//! A task in the making: what a person, a rule, a sequence or another module says of it.

use super::{
    Category, Check, Escalation, Priority, RecurOn, Requires, Source, SourceKind, Status, Task, mark_closers,
    next_number, time::REMIND,
};
use crate::assignee::Assignee;
use events::WorkflowEvent;
use jiff::{Timestamp, civil::Date};
use kernel::{Id, Result, SequenceRunId, SiteId, TaskId, UserId, error::faultless};
use seal::Sealed;
use store::{Commit, Record};
use web::{Ctx, Noun};

/// What is said of a new task; the rest follows.
#[derive(Clone, Debug)]
pub struct Draft {
    pub id: Option<TaskId>,
    pub title: Sealed<String>,
    pub description: Option<Sealed<String>>,
    pub category: Category,
    pub priority: Priority,
    pub assignee: Assignee,
    pub watchers: Vec<UserId>,
    pub site: Option<SiteId>,
    pub subject: Option<String>,
    pub record: Option<String>,
    pub start_on: Option<Date>,
    pub due_at: Option<Timestamp>,
    pub remind: Option<Vec<u32>>,
    pub escalation: Vec<Escalation>,
    pub checklist: Vec<Check>,
    pub requires: Requires,
    pub depends_on: Vec<TaskId>,
    pub recurrence: Option<String>,
    pub recur_on: RecurOn,
    pub source: Source,
    pub created_by: String,
    pub close_on: Vec<String>,
    pub run: Option<SequenceRunId>,
    pub step: Option<String>,
    pub optional: bool,
    pub gate: Option<String>,
    pub due_days: Option<i64>,
}

impl Draft {
    pub fn new(title: Sealed<String>, category: Category, assignee: Assignee, source: SourceKind) -> Self {
        Self {
            id: None,
            title,
            description: None,
            category,
            priority: Priority::Normal,
            assignee,
            watchers: vec![],
            site: None,
            subject: None,
            record: None,
            start_on: None,
            due_at: None,
            remind: None,
            escalation: vec![],
            checklist: vec![],
            requires: Requires::default(),
            depends_on: vec![],
            recurrence: None,
            recur_on: RecurOn::Completion,
            source: Source { kind: source, of: None, proposed: false },
            created_by: "system:workflow".into(),
            close_on: vec![],
            run: None,
            step: None,
            optional: false,
            gate: None,
            due_days: None,
        }
    }
}

/// The record and its place in a commit. Whoever it is given to was checked before.
pub async fn drafted(ctx: &Ctx, draft: Draft, commit: Commit) -> Result<(Record<Task>, Commit)> {
    let now = ctx.now();
    let number = next_number(ctx).await?;
    let proposed = draft.source.proposed;
    let mut task = Task {
        number,
        title: draft.title,
        description: draft.description,
        category: draft.category,
        priority: draft.priority,
        assignee: draft.assignee.at(draft.site),
        claimed_by: None,
        claimed_at: None,
        watchers: draft.watchers,
        site: draft.site,
        subject: draft.subject,
        record: draft.record,
        start_on: draft.start_on,
        due_at: draft.due_at,
        remind: draft.remind.unwrap_or_else(|| REMIND.to_vec()),
        escalation: draft
            .escalation
            .into_iter()
            .map(|e| Escalation { to: e.to.at(draft.site), ..e })
            .collect(),
        checklist: draft.checklist,
        requires: draft.requires,
        outcome: None,
        outcome_note: None,
        evidence: vec![],
        signature: None,
        depends_on: draft.depends_on,
        recurrence: draft.recurrence,
        recur_on: draft.recur_on,
        source: draft.source,
        status: Status::Open,
        created_by: draft.created_by,
        completed_by: None,
        completed_at: None,
        confirmed_by: None,
        snoozed_until: None,
        close_on: draft.close_on,
        run: draft.run,
        step: draft.step,
        optional: draft.optional,
        gate: draft.gate,
        zone: ctx.zone().iana_name().unwrap_or("UTC").into(),
        reminded: 0,
        overdue: false,
        escalated: 0,
        escalated_to: vec![],
        notes: 0,
        due_days: draft.due_days,
    };
    task.tidy();
    let waits = !task.depends_on.is_empty() || task.starts_at().is_some_and(|at| at > now);
    task.status = match (proposed, waits) {
        (true, _) => Status::Proposed,
        (_, true) => Status::Waiting,
        _ => Status::Open,
    };
    task.skip_past(now);
    faultless(task.check())?;
    let record = Record::with_id(draft.id.unwrap_or_else(|| TaskId::at(now)), now, task);
    let said = record.body.said(record.id);
    let event = match record.body.status {
        Status::Open => WorkflowEvent::TaskAssigned(said),
        _ => WorkflowEvent::TaskCreated(said),
    };
    mark_closers(ctx, &record.body.close_on).await?;
    Ok((record.clone(), commit.create(&record).emit(event)))
}
