//! A message to many, written by a person: counted and priced before it is sent, approved by a second one where it
//! reaches more than 500 people or costs money.

pub mod api;
mod audience;
mod sending;

pub use sending::tasks;

use crate::words::{Channel, Priority};
use jiff::{SignedDuration, Timestamp};
use kernel::{BroadcastId, Fault, SiteId, TeamId, money::Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum State {
        #[default] Draft = "draft", Approved = "approved", Sending = "sending", Sent = "sent", Cancelled = "cancelled",
    }
}

/// Everybody who holds one of the roles or belongs to one of the teams, at one of the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audience {
    #[schemars(length(max = 30), inner(length(min = 1, max = 60)), extend("uniqueItems" = true))]
    #[serde(default)]
    pub roles: Vec<String>,
    #[schemars(length(max = 20), extend("uniqueItems" = true))]
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// None = all.
    #[schemars(length(max = 30), extend("uniqueItems" = true))]
    #[serde(default)]
    pub sites: Vec<SiteId>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Broadcast {
    pub audience: Audience,
    #[schemars(length(min = 1, max = 120))]
    pub title: String,
    #[schemars(length(min = 1, max = 1000))]
    pub body: String,
    /// Beside the inbox.
    #[schemars(length(max = 3), extend("uniqueItems" = true))]
    #[serde(default)]
    pub channels: Vec<Channel>,
    #[serde(default = "normal")]
    pub priority: Priority,
    #[serde(default)]
    pub needs_ack: bool,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub state: State,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub author: String,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// How many people it was to reach when it was written.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub recipients: u64,
    /// What its SMS cost at most.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// How many have been told.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub told: u64,
    /// The last of them: what continues begins behind.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

fn normal() -> Priority {
    Priority::Normal
}

/// People that one person may write to alone.
const ALONE: u64 = 500;
/// A page that was lost is begun again after so long.
const LOST: SignedDuration = SignedDuration::from_secs(120);

impl Broadcast {
    pub fn needs_second(&self) -> bool {
        self.recipients > ALONE || self.channels.contains(&Channel::Sms)
    }
}

impl Entity for Broadcast {
    type Id = BroadcastId;
    const NOUN: &'static str = "broadcast";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("state", &["state"], |r| vec![Row::new(&[&r.body.state], &[&r.id])])];
    fn due(record: &Record<Self>) -> Vec<Due> {
        match record.body.state {
            State::Sending => vec![Due { at: record.updated_at + LOST, what: "page" }],
            _ => vec![],
        }
    }
}

impl Noun for Broadcast {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        reach == Reach::All || record.body.author == actor.user
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        if self.audience.roles.is_empty() && self.audience.teams.is_empty() {
            faults.push(Fault::new("/audience", "required", "name roles or teams"));
        }
        if self.priority == Priority::Critical {
            let detail = "critical is kept for what the product itself has to say";
            faults.push(Fault::new("/priority", "range", detail));
        }
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let b = &record.body;
        let write = ctx.may("broadcast.create") > Reach::None;
        let second = ctx.may("broadcast.approve") > Reach::None && b.author != ctx.actor().user;
        let mut actions = vec![];
        if b.state == State::Draft && second {
            actions.push("approve");
        }
        if write && (b.state == State::Approved || (b.state == State::Draft && !b.needs_second())) {
            actions.push("send");
        }
        if write && matches!(b.state, State::Draft | State::Approved | State::Sending) {
            actions.push("cancel");
        }
        actions
    }
}
