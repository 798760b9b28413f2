//! Commands that wait for a second person. A route says that it may have to (`Route::approvable`); a policy of the
//! organisation, or the command's own rule (`Ctx::needs_second_person`), says when. The request is kept as it came
//! and runs through the module's own handler once somebody else has approved it, so that the second person gets the
//! command's real answer; the approval ends in the transaction of the command's effect.

mod ask;
mod decide;
pub mod policy;

pub(crate) use decide::execute;
pub use policy::{Approvers, Policies, Policy};

use crate::{Actor, Answer, Ctx, Noun, Reach, Route, noun::Hooks};
use events::{WorkflowEvent, workflow::ApprovalSaid};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use kernel::{ApprovalId, Error, Kind, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, atomic::AtomicBool};
use store::{Due, Entity, List, Record, Row, Unique};

/// What a route brings that may have to wait. By pointers, so that a function without such a route has neither the
/// decisions nor the engine of conditions in it.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    /// The routes of a module where its waiting commands are decided.
    pub routes: fn(&'static str, Vec<Route>) -> Vec<Route>,
    pub ask: for<'a> fn(&'a Ctx, &'static str) -> Asked<'a>,
}

pub(crate) type Asked<'a> = BoxFuture<'a, Result<Option<Answer>>>;

impl Waiting {
    pub fn new() -> Self {
        fn ask<'a>(ctx: &'a Ctx, command: &'static str) -> Asked<'a> {
            Box::pin(ask::ask(ctx, command))
        }
        Self { routes: decide::routes, ask }
    }
}

kernel::words! {
    pub enum Status {
        Pending = "pending", Executed = "executed", Failed = "failed", Rejected = "rejected",
        Withdrawn = "withdrawn", Expired = "expired", Superseded = "superseded",
    }
}
kernel::words! { pub enum Verdict { Approve = "approve", Reject = "reject" } }

/// A request that waits for others.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// `patient.merge`
    pub command: String,
    /// Where it is decided: `POST /v1/<module>/approvals/{id}/approve`.
    pub module: String,
    pub operation: String,
    /// What the command itself needs; whoever approves holds it too.
    pub permission: String,
    pub method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_version: Option<u64>,
    pub body: Sealed<String>,
    pub body_sha256: String,
    pub requester: String,
    #[serde(default)]
    pub requester_roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<String>>,
    /// The policy that asked for it; none where the command itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    pub approvers: Approvers,
    /// The record's site, where approvers have to work there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<kernel::SiteId>,
    /// Approvals that are needed.
    pub needed: u8,
    #[serde(default)]
    pub decisions: Vec<Decision>,
    pub status: Status,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    /// How many of the two reminders were sent.
    #[serde(default)]
    pub reminded: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Outcome>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    pub user: String,
    pub decision: Verdict,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Of the command's answer.
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The request that a context came with, for commands that may have to wait.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub module: &'static str,
    pub method: String,
    pub path: String,
    pub body: bytes::Bytes,
}

/// An approval whose command runs now.
pub(crate) struct Approving {
    pub old: Record<Approval>,
    pub note: Option<Sealed<String>>,
    /// The command's transaction went through, with the approval in it.
    pub done: AtomicBool,
}

impl Approval {
    pub fn said(&self, id: ApprovalId) -> ApprovalSaid {
        ApprovalSaid {
            approval: id,
            command: self.command.clone(),
            module: self.module.clone(),
            record: self.record.clone(),
            requester: self.requester.clone(),
            roles: self.approvers.roles.clone(),
            users: self.approvers.users.clone(),
            needed: self.needed,
            by: self.decisions.last().map(|d| d.user.clone()),
            problem: self.result.as_ref().and_then(|r| r.problem.clone()),
            expires_at: self.expires_at,
        }
    }

    /// When somebody has to be told next: half of the time, a day before the end, the end.
    pub fn next_due(&self) -> Timestamp {
        let all = self.expires_at.duration_since(self.asked_at);
        let half = self.asked_at + all / 2;
        let day = self.expires_at - SignedDuration::from_hours(24);
        let mut before: Vec<Timestamp> = vec![half];
        if day > half {
            before.push(day);
        }
        before.get(usize::from(self.reminded)).copied().unwrap_or(self.expires_at)
    }

    fn is_approver(&self, actor: &Actor) -> bool {
        let Approvers { roles, users, .. } = &self.approvers;
        let named = users.contains(&actor.user) || actor.roles.iter().any(|r| roles.contains(r));
        (roles.is_empty() && users.is_empty()) || named
    }

    /// 404 for what is over, in words: what became of it.
    fn over(&self) -> Option<Error> {
        let last = self.decisions.last();
        match self.status {
            Status::Pending => None,
            Status::Expired => Some(expired()),
            Status::Superseded => Some(superseded()),
            Status::Failed => {
                let code = self.result.as_ref().and_then(|r| r.problem.clone()).unwrap_or_default();
                let detail = format!("it was approved and could not be done ({code}): ask for it again");
                Some(Error::conflict("approval-failed", detail))
            }
            _ => {
                let detail = format!("this was {} already", self.status);
                let by = last.map(|d| d.user.clone());
                let at = last.map(|d| d.at);
                Some(Error::conflict("already-decided", detail).with("by", by).with("at", at))
            }
        }
    }
}

pub(crate) fn expired() -> Error {
    Error::refuse(Kind::Gone, "approval-expired", "nobody approved this in time: ask for it again")
}
pub(crate) fn superseded() -> Error {
    let detail = "the record was changed since this was asked for: nothing was done; ask for it again";
    Error::conflict("superseded", detail)
}

impl Entity for Approval {
    type Id = ApprovalId;
    const NOUN: &'static str = "approval";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        List::by("requester", &["requester"], |r| vec![Row::new(&[&r.body.requester], &[&r.id])]),
        List::by("role", &["role"], |r| {
            let waits = r.body.status == Status::Pending;
            r.body.approvers.roles.iter().filter(|_| waits).map(|x| Row::new(&[x], &[&r.id])).collect()
        }),
    ];
    /// The same wish again is the same approval.
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("request", "approval-pending", |a| match a.status {
            Status::Pending => vec![format!("{}~{}~{}~{}", a.command, a.path, a.requester, a.body_sha256)],
            _ => vec![],
        })];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let waits = record.body.status == Status::Pending;
        waits.then(|| Due { at: record.body.next_due(), what: "next" }).into_iter().collect()
    }
}

impl Noun for Approval {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let a = &record.body;
        let named = a.approvers.users.contains(&actor.user)
            || actor.roles.iter().any(|r| a.approvers.roles.contains(r));
        reach == Reach::All || (reach > Reach::None && (a.requester == actor.user || named))
    }
    /// Where a policy names nobody, whoever holds the command's permission may decide, and so see it.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        let open = record.body.approvers.roles.is_empty() && record.body.approvers.users.is_empty();
        Ok(open && ctx.reach() > Reach::None && may(ctx, &record.body.permission) > Reach::None)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let a = &record.body;
        if a.status != Status::Pending || a.expires_at <= ctx.now() {
            return vec![];
        }
        let me = &ctx.actor().user;
        if a.requester == *me {
            return vec!["withdraw"];
        }
        let decided = a.decisions.iter().any(|d| d.user == *me);
        let may = a.is_approver(ctx.actor()) && may(ctx, &a.permission) > Reach::None && !decided;
        if may { vec!["approve", "reject"] } else { vec![] }
    }
}

impl Hooks for Approval {}

/// How far a permission reaches for the caller, by the name that is kept with an approval.
pub(crate) fn may(ctx: &Ctx, permission: &str) -> Reach {
    authz::rule(permission).map_or(Reach::None, |rule| ctx.may(rule.permission))
}

impl Ctx {
    /// The command itself asks for a second person, whatever the organisation's policies say. What it settles next
    /// waits for one, unless one has agreed already.
    pub fn needs_second_person(&self) {
        self.demand_second_person();
    }
    /// Where a policy names people of whom nobody but the caller is there, nobody could decide: this command goes on
    /// then, instead of waiting for ever.
    pub fn waits_unless_alone(&self) {
        self.go_on_if_alone();
    }
    /// Whether this command runs because a second person has agreed.
    pub fn has_second_person(&self) -> bool {
        self.approving().is_some()
    }
    /// Who stands behind this command, and since when: whoever asked for it, whoever has agreed, and the caller. The
    /// caller alone, where nobody else has to.
    pub fn agreed(&self) -> Vec<(String, Timestamp)> {
        let mut all = vec![];
        if let Some(approving) = self.approving() {
            let a = &approving.old.body;
            let before = a.decisions.iter().filter(|d| d.decision == Verdict::Approve);
            all.push((a.requester.clone(), a.asked_at));
            all.extend(before.map(|d| (d.user.clone(), d.at)));
        }
        all.push((self.actor().user.clone(), self.now()));
        all
    }
}

/// What the executed command says of its approval, in the same transaction.
pub(crate) fn executed(ctx: &Ctx, approving: &Arc<Approving>, status: u16) -> Record<Approval> {
    let mut new = approving.old.next(ctx.now());
    new.body.decisions.push(Decision {
        user: ctx.actor().user.clone(),
        decision: Verdict::Approve,
        at: ctx.now(),
        note: approving.note.clone(),
    });
    new.body.status = Status::Executed;
    new.body.result = Some(Outcome { status, problem: None });
    new
}

pub(crate) fn event_of(record: &Record<Approval>) -> WorkflowEvent {
    let said = record.body.said(record.id);
    match record.body.status {
        Status::Pending => WorkflowEvent::ApprovalGranted(said),
        Status::Executed => WorkflowEvent::ApprovalExecuted(said),
        Status::Rejected => WorkflowEvent::ApprovalRejected(said),
        Status::Withdrawn => WorkflowEvent::ApprovalWithdrawn(said),
        Status::Expired => WorkflowEvent::ApprovalExpired(said),
        Status::Failed | Status::Superseded => WorkflowEvent::ApprovalFailed(said),
    }
}
