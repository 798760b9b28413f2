//! Work that somebody must do: given to a person, a role or a team, watched by the clock until it is done.

mod act;
mod api;
mod clock;
mod close;
mod commands;
mod feed;
mod finish;
mod moves;
mod new;
mod note;
mod number;
mod recur;
mod time;
mod wish;

pub use act::{end_by_system, reassign_by_system};
pub use api::routes;
pub use clock::{shift, tasks};
pub use close::{close_on, mark_closers};
pub use finish::release;
pub use moves::actions;
pub use new::{Draft, drafted};
pub use number::next as next_number;
pub use recur::Recurrence;
pub use wish::{make, of_disabled, proposed, requested, settled, somebody, title_of};

use crate::assignee::{Assignee, Kind};
use events::workflow::TaskSaid;
use jiff::{Timestamp, civil::Date};
use kernel::{DocumentId, Fault, SequenceRunId, SiteId, TaskId, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row, stamp};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! {
    pub enum Category {
        Care = "care", Clinical = "clinical", Compliance = "compliance", Hr = "hr", Payroll = "payroll", It = "it",
        Training = "training", Finance = "finance", Quality = "quality", General = "general",
    }
}
kernel::words! { pub enum Priority { Low = "low", Normal = "normal", High = "high", Urgent = "urgent" } }
kernel::words! {
    pub enum Status {
        Proposed = "proposed", Dismissed = "dismissed", Waiting = "waiting", Open = "open",
        InProgress = "in_progress", Blocked = "blocked", InReview = "in_review", Done = "done",
        Cancelled = "cancelled",
    }
}
kernel::words! {
    pub enum SourceKind { Person = "person", Rule = "rule", Sequence = "sequence", Ai = "ai", System = "system" }
}
kernel::words! {
    #[derive(Default)]
    pub enum RecurOn { #[default] Completion = "completion", Due = "due" }
}

impl Status {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dismissed | Self::Cancelled)
    }
    /// Somebody has to do something now.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Proposed | Self::Open | Self::InProgress | Self::Blocked | Self::InReview)
    }
}

impl Priority {
    pub fn raised(self) -> Self {
        match self {
            Self::Low => Self::Normal,
            Self::Normal => Self::High,
            _ => Self::Urgent,
        }
    }
}

/// One thing to tick off.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    #[schemars(length(min = 1, max = 300))]
    pub text: Sealed<String>,
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub done_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub done_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub evidence: Option<DocumentId>,
}

/// What completing needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requires {
    #[serde(default)]
    pub evidence: bool,
    #[serde(default)]
    pub signature: bool,
    #[serde(default)]
    pub note: bool,
    /// Somebody else looks at it before it is done.
    #[serde(default)]
    pub second_person: bool,
}

/// Who hears of it so long after it was due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Escalation {
    #[schemars(range(min = 1, max = 43200))]
    pub after_minutes: u32,
    pub to: Assignee,
    #[serde(default)]
    pub raise_priority: bool,
    /// It becomes theirs.
    #[serde(default)]
    pub reassign: bool,
}

/// Where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    pub kind: SourceKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    #[serde(default)]
    pub proposed: bool,
}

fn normal() -> Priority {
    Priority::Normal
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// `T-2026-117`; numbers may have gaps.
    #[schemars(extend("readOnly" = true))]
    pub number: String,
    #[schemars(length(min = 1, max = 200))]
    pub title: Sealed<String>,
    #[schemars(length(max = 5000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Sealed<String>>,
    pub category: Category,
    #[serde(default = "normal")]
    pub priority: Priority,
    #[schemars(extend("readOnly" = true))]
    pub assignee: Assignee,
    /// Who has taken it, of those it was given to.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    #[schemars(length(max = 20), extend("uniqueItems" = true))]
    #[serde(default)]
    pub watchers: Vec<UserId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// The person concerned.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it is about.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Minutes before it is due, longest first.
    #[schemars(length(max = 5))]
    #[serde(default)]
    pub remind: Vec<u32>,
    #[schemars(length(max = 3))]
    #[serde(default)]
    pub escalation: Vec<Escalation>,
    #[schemars(length(max = 100))]
    #[serde(default)]
    pub checklist: Vec<Check>,
    #[serde(default)]
    pub requires: Requires,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_note: Option<Sealed<String>>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub evidence: Vec<DocumentId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<kernel::SignatureId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub depends_on: Vec<TaskId>,
    /// RFC 5545: `FREQ=WEEKLY;BYDAY=MO`.
    #[schemars(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    #[serde(default)]
    pub recur_on: RecurOn,
    #[schemars(extend("readOnly" = true))]
    pub source: Source,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[schemars(extend("readOnly" = true))]
    pub created_by: String,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_by: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Events that close it, if they name its record or its subject.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub close_on: Vec<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<SequenceRunId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// A step that may be left out.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub optional: bool,
    /// What it opens for its subject when it is done: `gate#<subject>~<key>`.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Days after it is released, where its due time counts from there.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_days: Option<i64>,
    /// IANA; days begin and end there.
    #[schemars(extend("readOnly" = true))]
    pub zone: String,
    /// Reminders that were sent or have passed, whether it was said to be overdue, escalations done.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub reminded: u8,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub overdue: bool,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub escalated: u8,
    /// Roles and teams that an escalation told.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub escalated_to: Vec<Assignee>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub notes: u32,
}

impl Task {
    /// Whose list it stands in.
    pub fn holder(&self) -> Assignee {
        self.claimed_by.as_ref().map_or_else(|| self.assignee.clone(), Assignee::user)
    }
    pub fn is_held_by(&self, user: &str) -> bool {
        match &self.claimed_by {
            Some(by) => by == user,
            None => self.assignee.is_user(user),
        }
    }
    pub fn said(&self, id: TaskId) -> TaskSaid {
        TaskSaid {
            task: id,
            number: self.number.clone(),
            category: self.category.to_string(),
            priority: self.priority.to_string(),
            status: self.status.to_string(),
            assignee: self.assignee.to_string(),
            claimed_by: self.claimed_by.clone(),
            watchers: self.watchers.iter().map(ToString::to_string).collect(),
            site: self.site,
            subject: self.subject.clone(),
            record: self.record.clone(),
            run: self.run,
            due_at: self.due_at,
            created_by: self.created_by.clone(),
            to: None,
            outcome: self.outcome.clone(),
        }
    }
    /// Where it stands among the others: by when it is wanted.
    fn sorted(&self) -> String {
        let at = self.due_at.into_iter().chain(self.snoozed_until).max();
        at.map_or_else(|| "9999".into(), stamp)
    }
    fn names(&self, actor: &Actor) -> bool {
        self.is_held_by(&actor.user)
            || self.created_by == actor.user
            || self.assignee.takes_in(actor)
            || self.watchers.iter().any(|w| w.to_string() == actor.user)
            || self.escalated_to.iter().any(|e| e.takes_in(actor))
    }
}

/// Categories that an office keeps, whoever has to do them.
pub fn kept_by(roles: &[String], category: Category) -> bool {
    use Category::*;
    roles.iter().any(|role| match role.as_str() {
        "hr" => matches!(category, Hr | It | Payroll | Training | Compliance),
        "quality" => matches!(category, Quality | Compliance),
        "finance" => matches!(category, Finance | Payroll),
        _ => false,
    })
}

macro_rules! list {
    ($name:literal, $by:expr, $rows:expr) => {
        List::<Self>::by($name, $by, $rows).range().oldest_first()
    };
}

impl Entity for Task {
    type Id = TaskId;
    const NOUN: &'static str = "task";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        list!("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.body.sorted(), &r.id])]),
        list!("todo", &["assignee"], |r| match r.body.status.is_live() {
            true => vec![Row::new(&[&r.body.holder()], &[&r.body.sorted(), &r.id])],
            false => vec![],
        }),
        list!("todo_status", &["assignee", "status"], |r| {
            vec![Row::new(&[&r.body.holder(), &r.body.status], &[&r.body.sorted(), &r.id])]
        }),
        list!("record", &["record"], |r| {
            r.body.record.iter().map(|x| Row::new(&[x], &[&r.body.sorted(), &r.id])).collect()
        }),
        list!("subject", &["subject"], |r| {
            r.body.subject.iter().map(|x| Row::new(&[x], &[&r.body.sorted(), &r.id])).collect()
        }),
        list!("run", &["run"], |r| r.body.run.iter().map(|x| Row::new(&[x], &[&r.id])).collect()),
        list!("closes", &["event", "of"], close::rows),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        record.body.next().map(|(at, _)| Due { at, what: "next" }).into_iter().collect()
    }
}

impl Noun for Task {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let task = &record.body;
        match reach {
            Reach::None => false,
            Reach::All => true,
            Reach::Own => task.is_held_by(&actor.user),
            Reach::Site => task.names(actor) || task.site.is_some_and(|s| actor.sites.has(&s)),
            Reach::Team => task.names(actor) || kept_by(&actor.roles, task.category),
            Reach::Assigned | Reach::Linked => task.names(actor),
        }
    }
    /// Teams are no claim of a token: their members are asked.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> kernel::Result<bool> {
        let team = record.body.assignee.kind == Kind::Team && ctx.reach() > Reach::Own;
        if team { record.body.assignee.has(ctx).await } else { Ok(false) }
    }
    fn subject(record: &Record<Self>) -> String {
        record.body.subject.clone().unwrap_or_else(|| record.id.to_string())
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        if let Some(rule) = &self.recurrence
            && let Err(detail) = rule.parse::<Recurrence>()
        {
            faults.push(Fault::new("/recurrence", "format", detail));
        }
        if self.recurrence.is_some() && self.due_at.is_none() {
            faults.push(Fault::new(
                "/due_at",
                "required",
                "what comes again needs a due time to come again from",
            ));
        }
        let start = self.start_on.and_then(|d| d.to_zoned(self.zoned()).ok()).map(|z| z.timestamp());
        if let (Some(start), Some(due)) = (start, self.due_at)
            && due < start
        {
            faults.push(Fault::new("/due_at", "range", "due before it starts"));
        }
        if self.remind.iter().any(|m| *m == 0 || *m > 60 * 24 * 90) {
            faults.push(Fault::new("/remind", "range", "1 minute to 90 days before"));
        }
        if !self.escalation.is_sorted_by_key(|e| e.after_minutes) {
            faults.push(Fault::new("/escalation", "order", "the first escalation comes first"));
        }
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        moves::actions(record, ctx)
    }
}

impl Hooks for Task {
    fn before(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> kernel::Result<()> {
        let Some(old) = old.filter(|_| action == "update") else { return Ok(()) };
        if old.body.status.is_final() {
            let state = old.body.status.to_string();
            return Err(kernel::Error::State { command: "update", state });
        }
        if old.body.due_at != new.body.due_at {
            let later = new.body.due_at.is_none_or(|at| old.body.due_at.is_some_and(|was| at > was));
            if later && old.body.due_at.is_some() {
                ctx.needs_reason(None)?;
            }
            new.body.begin_again(ctx.now());
        } else if old.body.remind != new.body.remind || old.body.escalation != new.body.escalation {
            new.body.tidy();
            new.body.skip_past(ctx.now());
        }
        Ok(())
    }
}
