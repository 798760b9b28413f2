//! Rules: which event is told to whom, by which ways, how urgently. The product ships a set of them as data
//! (`data/rules.json`); an organisation changes those or adds its own, and neither needs a new release.

pub mod api;
mod check;
mod condition;
mod shipped;
mod when;

pub use condition::{compile, input};
pub use shipped::{all as shipped, id as shipped_id};
pub use when::Condition;

use crate::words::{Category, Channel, Priority};
use kernel::{Fault, NotificationRuleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Unique};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    /// How a recipient is found.
    pub enum Kind {
        /// `value` is a user.
        User = "user",
        /// Holders of the role `value`.
        Role = "role",
        /// Those of them who work at the event's site.
        RoleAtSite = "role_at_site",
        /// Members of the team `value`.
        Team = "team",
        /// Whom the event is about: the person in its field `value`, or in the first of the usual ones.
        Subject = "subject",
        /// The person in the event's field `value` (`assignee`).
        Assignee = "assignee",
        /// The subject's manager.
        Manager = "manager",
        /// Guardians among those who are linked to the subject.
        Guardian = "guardian",
        /// Everybody linked to the subject.
        CareCircle = "care_circle",
        /// Whoever did it.
        Actor = "actor",
        /// Somebody outside of the organisation: `value` is an outside address (`nad_…`).
        Address = "address",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipient {
    pub kind: Kind,
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

kernel::words! {
    /// Every way at once, or the next one only when the one before did not reach.
    #[derive(Default)]
    pub enum Mode { #[default] All = "all", FirstDelivered = "first_delivered" }
}

kernel::words! {
    /// Gathered into one message at the full hour, or at the recipient's hour of the day.
    #[derive(Default)]
    pub enum Digest { #[default] None = "none", Hourly = "hourly", Daily = "daily" }
}

/// Who hears of it when nobody has acknowledged it so many minutes after it was first told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    #[schemars(range(min = 1, max = 10080))]
    pub after_minutes: u32,
    #[schemars(length(min = 1, max = 10))]
    pub recipients: Vec<Recipient>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationRule {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{2,59}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// The exact name of an event: `document.expiring`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*\.[a-z0-9_]+$"), length(max = 60))]
    pub event: String,
    /// All of them have to hold.
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub when: Vec<Condition>,
    /// And this, in CEL, of `event`, `actor`, `tenant` and `now`.
    #[schemars(length(min = 1, max = 2000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    #[schemars(length(min = 1, max = 10))]
    pub recipients: Vec<Recipient>,
    /// Whoever did it is not told of it.
    #[serde(default = "yes")]
    pub exclude_actor: bool,
    /// Beside the inbox, in this order.
    #[schemars(length(max = 3), extend("uniqueItems" = true))]
    #[serde(default)]
    pub channels: Vec<Channel>,
    #[serde(default)]
    pub mode: Mode,
    pub category: Category,
    pub priority: Priority,
    /// The code of the texts; the rule's own code where nothing else is said.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{2,59}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The same about the same record to the same person within these seconds is told once, with its count.
    #[schemars(range(min = 60, max = 2592000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle_seconds: Option<u32>,
    #[serde(default)]
    pub digest: Digest,
    /// Somebody has to acknowledge it, or it climbs.
    #[serde(default)]
    pub needs_ack: bool,
    /// At most three steps, each later than the one before.
    #[schemars(length(max = 3))]
    #[serde(default)]
    pub escalate_to: Vec<Level>,
    /// Nothing is sent later than this many hours after the event.
    #[schemars(range(min = 1, max = 720))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_hours: Option<u32>,
    /// What was told of the record before and still waits is out of date.
    #[serde(default)]
    pub supersedes: bool,
    /// Waits, or is told only while the record has not moved on.
    #[serde(default)]
    pub superseded: bool,
    #[serde(default = "yes")]
    pub active: bool,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub built_in: bool,
    /// Security and critical clinical messages: neither paused nor narrowed.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub protected: bool,
}

fn yes() -> bool {
    true
}

impl NotificationRule {
    pub fn template(&self) -> &str {
        self.template.as_deref().unwrap_or(&self.code)
    }
    /// Whom each step climbs to; the first is the rule's own recipients.
    pub fn recipients_at(&self, level: u8) -> &[Recipient] {
        match level.checked_sub(1) {
            None => &self.recipients,
            Some(step) => self.escalate_to.get(usize::from(step)).map_or(&[], |l| &l.recipients),
        }
    }
    /// Minutes from one step to the next; none at the last.
    pub fn patience(&self, level: u8) -> Option<u32> {
        let next = self.escalate_to.get(usize::from(level))?.after_minutes;
        let before = match level {
            0 => 0,
            n => self.escalate_to.get(usize::from(n) - 1)?.after_minutes,
        };
        Some(next.saturating_sub(before).max(1))
    }
}

impl Entity for NotificationRule {
    type Id = NotificationRuleId;
    const NOUN: &'static str = "notification_rule";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "duplicate", |r| vec![r.code.clone()])];
}

impl Noun for NotificationRule {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn check(&self) -> Vec<Fault> {
        check::faults(self)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let may = ctx.may("notification_rule.edit") > Reach::None && !record.body.protected;
        match (may, record.body.active) {
            (false, _) => vec![],
            (true, true) => vec!["pause"],
            (true, false) => vec!["resume"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_an_escalation_count_from_the_first_telling() {
        let mut rule = shipped().iter().find(|r| r.code == "critical_value_stat").unwrap().clone();
        assert_eq!((rule.patience(0), rule.patience(1), rule.patience(2)), (Some(10), Some(10), None));
        rule.escalate_to.clear();
        assert_eq!(rule.patience(0), None);
    }
}
