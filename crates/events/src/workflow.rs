//! Events of the `workflow` module, and those that other modules share with it: wishes for tasks, approvals (made by
//! `crates/web` in every module) and what became of a rule's wishes.

use jiff::Timestamp;
use kernel::{
    ApprovalId, ApprovalPolicyId, FiringId, RuleActionId, RuleId, SequenceId, SequenceRunId, SiteId, TaskId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum WorkflowEvent {
    #[serde(rename = "task.requested")]
    TaskRequested(TaskWish),
    #[serde(rename = "task.created")]
    TaskCreated(TaskSaid),
    #[serde(rename = "task.assigned")]
    TaskAssigned(TaskSaid),
    #[serde(rename = "task.dismissed")]
    TaskDismissed(TaskSaid),
    #[serde(rename = "task.released")]
    TaskReleased(TaskSaid),
    #[serde(rename = "task.claimed")]
    TaskClaimed(TaskSaid),
    #[serde(rename = "task.started")]
    TaskStarted(TaskSaid),
    #[serde(rename = "task.completed")]
    TaskCompleted(TaskSaid),
    #[serde(rename = "task.confirmed")]
    TaskConfirmed(TaskSaid),
    #[serde(rename = "task.returned")]
    TaskReturned(TaskSaid),
    #[serde(rename = "task.reassigned")]
    TaskReassigned(TaskSaid),
    #[serde(rename = "task.blocked")]
    TaskBlocked(TaskSaid),
    #[serde(rename = "task.cancelled")]
    TaskCancelled(TaskSaid),
    #[serde(rename = "task.reopened")]
    TaskReopened(TaskSaid),
    #[serde(rename = "task.due_soon")]
    TaskDueSoon(TaskSaid),
    #[serde(rename = "task.overdue")]
    TaskOverdue(TaskSaid),
    #[serde(rename = "task.escalated")]
    TaskEscalated(TaskSaid),

    #[serde(rename = "rule.activated")]
    RuleActivated(RuleSaid),
    #[serde(rename = "rule.paused")]
    RulePaused(RuleSaid),
    #[serde(rename = "rule.tripped")]
    RuleTripped(RuleSaid),
    #[serde(rename = "rule.fired")]
    RuleFired { rule: RuleId, firing: FiringId, record: String, change: String },
    #[serde(rename = "rule.notify_requested")]
    RuleNotifyRequested(RuleAsked),
    #[serde(rename = "rule.webhook_requested")]
    RuleWebhookRequested(RuleAsked),
    /// A module has done what a rule asked of it, or could not.
    #[serde(rename = "rule.action_done")]
    RuleActionDone { action: RuleActionId, done: String },
    #[serde(rename = "rule.action_failed")]
    RuleActionFailed { action: RuleActionId, problem: String },
    #[serde(rename = "rule.field_requested")]
    RuleFieldRequested(FieldWish),
    #[serde(rename = "rule.field_applied")]
    RuleFieldApplied(FieldAnswer),
    #[serde(rename = "rule.field_refused")]
    RuleFieldRefused(FieldAnswer),

    #[serde(rename = "approval.requested")]
    ApprovalRequested(ApprovalSaid),
    #[serde(rename = "approval.granted")]
    ApprovalGranted(ApprovalSaid),
    #[serde(rename = "approval.rejected")]
    ApprovalRejected(ApprovalSaid),
    #[serde(rename = "approval.withdrawn")]
    ApprovalWithdrawn(ApprovalSaid),
    #[serde(rename = "approval.expired")]
    ApprovalExpired(ApprovalSaid),
    #[serde(rename = "approval.executed")]
    ApprovalExecuted(ApprovalSaid),
    #[serde(rename = "approval.failed")]
    ApprovalFailed(ApprovalSaid),
    /// Half of the time, or all but a day of it, is over.
    #[serde(rename = "approval.due_soon")]
    ApprovalDueSoon(ApprovalSaid),
    #[serde(rename = "approval_policy.changed")]
    ApprovalPolicyChanged { policy: ApprovalPolicyId, command: String },

    #[serde(rename = "sequence.requested")]
    SequenceRequested(SequenceWish),
    #[serde(rename = "sequence.started")]
    SequenceStarted(SequenceSaid),
    #[serde(rename = "sequence.step_completed")]
    SequenceStepCompleted(SequenceSaid),
    #[serde(rename = "sequence.completed")]
    SequenceCompleted(SequenceSaid),
    #[serde(rename = "sequence.cancelled")]
    SequenceCancelled(SequenceSaid),
    #[serde(rename = "sequence.delayed")]
    SequenceDelayed(SequenceSaid),
    #[serde(rename = "sequence.suspended")]
    SequenceSuspended(SequenceSaid),
    #[serde(rename = "sequence.resumed")]
    SequenceResumed(SequenceSaid),
}

/// A task that another module wants done. Once per key, however often it is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskWish {
    /// A code of `functions/workflow/data/titles.json`; events carry no text.
    pub title_code: String,
    pub category: String,
    /// `user~<usr>`, `role~<role>`, `role_at_site~<role>~<sit>`, `team~<tem>`
    pub assignee: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Events that close it, if they name its record or its subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub close_on: Vec<String>,
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSaid {
    pub task: TaskId,
    pub number: String,
    pub category: String,
    pub priority: String,
    pub status: String,
    /// As in [`TaskWish`].
    pub assignee: String,
    /// Who holds it, where it was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watchers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<SequenceRunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    /// Whom an escalation is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleSaid {
    pub rule: RuleId,
    pub owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a rule wants of notifications or integrations. The text was made of open fields alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleAsked {
    pub rule: RuleId,
    pub firing: FiringId,
    pub action: RuleActionId,
    pub owner: String,
    /// The event that the rule fired on, and its record.
    pub event: String,
    pub record: String,
    /// The action as its module reads it, beside the names above: `recipients`, `channels`, `template`, `title`, `body`,
    /// `priority`, the event's `data` and its `actor` for notifications; `endpoint` and `fields` for integrations.
    #[serde(flatten)]
    pub with: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldWish {
    pub rule: RuleId,
    pub firing: FiringId,
    pub action: RuleActionId,
    pub owner: String,
    pub noun: String,
    pub record: String,
    pub field: String,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldAnswer {
    pub rule: RuleId,
    pub firing: FiringId,
    pub action: RuleActionId,
    pub record: String,
    /// Nothing was written: the value was there already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same: bool,
    /// The refusal's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalSaid {
    pub approval: ApprovalId,
    pub command: String,
    pub module: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    pub requester: String,
    /// Roles and users who may decide; both empty: whoever holds the command's permission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    pub needed: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A refusal's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    pub expires_at: Timestamp,
}

/// A run of a sequence that a rule or a module wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequenceWish {
    pub sequence: SequenceId,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_on: Option<jiff::civil::Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleActionId>,
    /// Once per key.
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequenceSaid {
    pub run: SequenceRunId,
    pub template: String,
    pub kind: String,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub done: u32,
    pub total: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
