//! What a module did of what a rule asked of it: the answer is a record of its own, so that its event is lost as little
//! as any other.

use crate::Ctx;
use events::{WorkflowEvent, workflow::RuleAsked};
use kernel::{FiringId, RuleActionId, RuleAnswerId, RuleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, List, Record};

/// What became of a rule's wish: its event travels with it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleAnswer {
    pub rule: RuleId,
    pub firing: FiringId,
    pub action: RuleActionId,
    pub record: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Entity for RuleAnswer {
    type Id = RuleAnswerId;
    const NOUN: &'static str = "rule_answer";
    const LISTS: &'static [List<Self>] = &[];
}

impl RuleAnswer {
    pub(crate) fn record(
        ctx: &Ctx,
        (rule, firing, action): (RuleId, FiringId, RuleActionId),
        record: &str,
        problem: Option<String>,
    ) -> Record<Self> {
        Record::new(ctx.now(), Self { rule, firing, action, record: record.into(), problem })
    }

    /// Into the commit that settles the wish: what was done, by an id of it, or why it was not, in words without
    /// anything personal.
    pub fn to(ctx: &Ctx, asked: &RuleAsked, outcome: Result<String, String>, commit: Commit) -> Commit {
        let of = (asked.rule, asked.firing, asked.action);
        let record = Self::record(ctx, of, &asked.record, outcome.clone().err());
        let action = asked.action;
        commit.create(&record).emit(match outcome {
            Ok(done) => WorkflowEvent::RuleActionDone { action, done },
            Err(problem) => WorkflowEvent::RuleActionFailed { action, problem },
        })
    }
}
