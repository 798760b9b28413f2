//! What rules did: one record per firing, and one per thing that another module was asked for.

use jiff::{SignedDuration, Timestamp};
use kernel::{FiringId, RuleActionId, RuleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Entity, List, Record, Row, stamp};
use web::{Actor, Noun, Reach};

kernel::words! {
    pub enum Outcome {
        Matched = "matched", NotMatched = "not_matched", Error = "error", Suppressed = "suppressed",
    }
}
kernel::words! {
    pub enum Did { Done = "done", Pending = "pending", Failed = "failed", Skipped = "skipped" }
}

/// One action of a firing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Acted {
    pub kind: String,
    pub status: Did,
    /// The task that was made, or the wish that left.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it would have done, of shadow rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Firing {
    pub rule: RuleId,
    pub rule_version: u64,
    /// The event's id: `<kind>#<record>#<version>`.
    pub change: String,
    pub event: String,
    pub record: String,
    pub at: Timestamp,
    pub result: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default)]
    pub acted: Vec<Acted>,
    /// Rules behind it.
    #[serde(default)]
    pub chain: Vec<String>,
    pub ms: u32,
    /// Kept until then: 13 months what matched, 90 days the rest.
    pub keep_until: Timestamp,
}

impl Firing {
    /// How long it is kept.
    pub fn until(at: Timestamp, result: Outcome) -> Timestamp {
        let days = if result == Outcome::Matched { 395 } else { 90 };
        at + SignedDuration::from_hours(24 * days)
    }
}

impl Entity for Firing {
    type Id = FiringId;
    const NOUN: &'static str = "firing";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("rule", &["rule"], |r| vec![Row::new(&[&r.body.rule], &[&stamp(r.body.at), &r.id])])
            .range(),
        List::<Self>::by("record", &["record"], |r| {
            vec![Row::new(&[&r.body.record], &[&stamp(r.body.at), &r.id])]
        })
        .range(),
    ];
    fn expires(record: &Record<Self>) -> Option<Timestamp> {
        Some(record.body.keep_until)
    }
}

impl Noun for Firing {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
}

/// What left: a wish of a rule, until its module says what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleAction {
    pub rule: RuleId,
    pub firing: FiringId,
    pub kind: String,
    pub status: Did,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Entity for RuleAction {
    type Id = RuleActionId;
    const NOUN: &'static str = "rule_action";
    const LISTS: &'static [List<Self>] = &[];
}
