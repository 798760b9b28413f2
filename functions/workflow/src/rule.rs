//! Rules: what makes work by itself. On an event, when a condition holds, do these things, with the rights of the
//! rule's owner and never more.

mod action;
mod api;
mod catalogue;
mod check;
mod cycle;
mod desk;
mod dry;
mod fire;
mod guards;
mod input;
mod text;

pub use action::Action;
pub use api::routes;
pub use check::invalid;
pub use fire::{answered, fire};

use jiff::Timestamp;
use kernel::{Fault, Lifecycle, Result, RuleId, SiteId, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        #[default] Draft = "draft", Active = "active", Paused = "paused", Tripped = "tripped", Retired = "retired",
    }
}
kernel::words! {
    /// Shadow rules log what they would do, and do nothing.
    #[derive(Default)]
    pub enum Mode { #[default] Live = "live", Shadow = "shadow" }
}

/// So often about one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PerRecord {
    #[schemars(range(min = 1, max = 100))]
    pub count: u32,
    #[schemars(range(min = 1, max = 86400))]
    pub seconds: u32,
}

impl Default for PerRecord {
    fn default() -> Self {
        Self { count: 1, seconds: 60 }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// Only what happens at these sites.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub sites: Vec<SiteId>,
}

fn hourly() -> u32 {
    500
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{2,59}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub description: Option<String>,
    /// Names of events: `incident.reported`.
    #[schemars(length(min = 1, max = 5), inner(length(max = 60)))]
    pub on: Vec<String>,
    /// CEL over `event`, `change`, `actor`, `tenant`, `now`, of 2,000 bytes at most.
    #[schemars(length(min = 1, max = 10000))]
    pub when: String,
    #[schemars(length(min = 1, max = 5))]
    pub then: Vec<Action>,
    #[serde(default)]
    pub scope: Scope,
    /// The lower the earlier.
    #[serde(default)]
    #[schemars(range(max = 99))]
    pub priority: u8,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub max_per_record: PerRecord,
    #[serde(default = "hourly")]
    #[schemars(range(min = 1, max = 10000))]
    pub max_per_hour: u32,
    /// It may lead back to itself; each rule still fires once per chain.
    #[serde(default)]
    pub allow_cycle: bool,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub owner: String,
    /// Roles that its owner had when the rule was last activated; their rights are looked at again at each firing.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub owner_roles: Vec<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_since: Option<Timestamp>,
    /// Why it is paused or tripped.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tripped_at: Option<Timestamp>,
}

impl Entity for Rule {
    type Id = RuleId;
    const NOUN: &'static str = "rule";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.code, &r.id])]
        })
        .oldest_first(),
        List::<Self>::by("all", &[], |r| vec![Row::new(&[], &[&r.body.code, &r.id])]).oldest_first(),
        List::<Self>::by("event", &["event"], |r| {
            let active = r.body.status == Status::Active;
            let sort = format!("{:02}", r.body.priority);
            r.body.on.iter().filter(|_| active).map(|e| Row::new(&[e], &[&sort, &r.id])).collect()
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "duplicate", |r| vec![r.code.clone()])];
}

impl Lifecycle for Rule {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("activate", "rule.edit", &[Status::Draft, Status::Paused, Status::Tripped], Status::Active),
        Step::<Self>::of("pause", "rule.edit", &[Status::Active], Status::Paused).reason(),
        Step::<Self>::of(
            "retire",
            "rule.edit",
            &[Status::Draft, Status::Paused, Status::Tripped],
            Status::Retired,
        )
        .reason(),
    ];
}

impl Noun for Rule {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn check(&self) -> Vec<Fault> {
        let mut seen = vec![];
        let twice = self.on.iter().filter(|e| {
            let known = seen.contains(e);
            seen.push(e);
            known
        });
        twice.map(|e| Fault::new("/on", "repeated", format!("{e} stands there twice"))).collect()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        web::noun::possible(record, ctx)
    }
}

impl Hooks for Rule {
    /// A rule that fires is not edited under its own feet: what is changed is a draft or paused.
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        match (action, old) {
            ("create", _) => {
                (new.body.status, new.body.owner) = (Status::Draft, ctx.actor().user.clone());
                new.body.owner_roles = ctx.actor().roles.clone();
            }
            ("update" | "delete", Some(old))
                if matches!(old.body.status, Status::Active | Status::Retired) =>
            {
                let state = old.body.status.to_string();
                return Err(kernel::Error::State { command: "update", state });
            }
            _ => {}
        }
        if matches!(action, "create" | "update") {
            check::readable(&new.body)?;
        }
        Ok(())
    }
}

/// What a condition is told of an event that no record stands behind.
pub fn input_of(ctx: &Ctx, event: &events::Envelope) -> serde_json::Value {
    input::build(ctx, event, None, None)
}

impl Rule {
    pub fn said(&self, id: RuleId) -> events::workflow::RuleSaid {
        events::workflow::RuleSaid { rule: id, owner: self.owner.clone(), why: self.halted.clone() }
    }
}
