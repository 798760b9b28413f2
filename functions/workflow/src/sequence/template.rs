//! A template: steps, who does them, when, and what has to be done before.

use super::graph;
use crate::{
    assignee::{self, Assignee},
    task::{Category, Requires},
};
use kernel::{Error, Fault, Lifecycle, Result, SequenceId, Step as Move};
use rules::{Condition, Known};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! {
    pub enum Kind {
        Onboarding = "onboarding", Offboarding = "offboarding", Vetting = "vetting", Audit = "audit",
        Custom = "custom",
    }
}
kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Draft = "draft", Published = "published", Retired = "retired" }
}
kernel::words! {
    pub enum Anchor { FirstDay = "first_day", LastDay = "last_day", OfferAccepted = "offer_accepted" }
}

/// Who does a step: somebody by name, role or team, or one found when it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doer {
    /// The person whom the run is about.
    Subject,
    /// The subject's manager.
    Manager,
    Hr,
    #[serde(untagged)]
    Named(Assignee),
}

/// What a step's days count from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// The day on which the run began.
    Start,
    #[default]
    Anchor,
    /// The day on which this step is done.
    Step(String),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"))]
    pub key: String,
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    pub category: Category,
    pub assignee: Doer,
    #[serde(default)]
    pub from: From,
    /// Days from there; before it, if negative.
    #[serde(default)]
    #[schemars(range(min = -365, max = 365))]
    pub offset_days: i64,
    /// Days after that by which it is done.
    #[serde(default)]
    #[schemars(range(min = 0, max = 365))]
    pub due_days: i64,
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub depends_on: Vec<String>,
    #[serde(default)]
    #[schemars(length(max = 30), inner(length(min = 1, max = 300)))]
    pub checklist: Vec<String>,
    #[serde(default)]
    pub requires: Requires,
    #[serde(default)]
    pub optional: bool,
    /// What is shut for the subject until it is done: `gate#<subject>~<key>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"))]
    pub blocks: Option<String>,
    /// Events about the subject that close it.
    #[serde(default)]
    #[schemars(length(max = 5), inner(regex(pattern = r"^[a-z_]+\.[a-z_]+$")))]
    pub close_on: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{2,59}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    pub kind: Kind,
    /// Events that start it by themselves.
    #[serde(default)]
    #[schemars(length(max = 5), inner(regex(pattern = r"^[a-z_]+\.[a-z_]+$")))]
    pub starts_on: Vec<String>,
    /// CEL over the event; always, if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10000))]
    pub applies_when: Option<String>,
    pub anchor: Anchor,
    #[schemars(length(min = 1, max = 60))]
    pub steps: Vec<Step>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
}

impl Entity for Template {
    type Id = SequenceId;
    const NOUN: &'static str = "sequence_template";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.code, &r.id])]
        })
        .oldest_first(),
        List::<Self>::by("all", &[], |r| vec![Row::new(&[], &[&r.body.code, &r.id])]).oldest_first(),
        List::<Self>::by("starts", &["event"], |r| {
            let live = r.body.status == Status::Published;
            r.body.starts_on.iter().filter(|_| live).map(|e| Row::new(&[e], &[&r.id])).collect()
        })
        .oldest_first(),
    ];
    /// A published template stands; its successor has the same code once it is retired.
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "duplicate", |t| {
        if t.status == Status::Retired { vec![] } else { vec![t.code.clone()] }
    })];
}

fn sound(template: &Template, _: jiff::civil::Date) -> Result<()> {
    template.sound()
}

impl Lifecycle for Template {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Move<Self>] = &[
        Move {
            command: "publish",
            permission: "sequence_template.edit",
            from: &[Status::Draft],
            to: Status::Published,
            reason: false,
            guard: sound,
        },
        Move {
            command: "retire",
            permission: "sequence_template.edit",
            from: &[Status::Draft, Status::Published],
            to: Status::Retired,
            reason: true,
            guard: kernel::always,
        },
    ];
}

impl Template {
    /// 422 for a step that is not there and for a circle, with the way round it.
    pub fn sound(&self) -> Result<()> {
        graph::sound(&self.steps)?;
        if let Some(when) = &self.applies_when {
            Condition::compile(when, &Known::events())
                .map_err(|f| crate::rule::invalid("/applies_when", &f))?;
        }
        Ok(())
    }
}

impl Noun for Template {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn check(&self) -> Vec<Fault> {
        let site = |s: &&Step| matches!(&s.assignee, Doer::Named(a) if a.kind == assignee::Kind::RoleAtSite && a.site.is_none());
        let all = self.steps.iter().filter(site);
        all.map(|s| Fault::new("/steps", "required", format!("{}: a role at a site needs the site", s.key)))
            .collect()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        web::noun::possible(record, ctx)
    }
}

impl Hooks for Template {
    fn before(_: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if action == "create" {
            new.body.status = Status::Draft;
        }
        if matches!(action, "update" | "delete") && old.is_some_and(|o| o.body.status != Status::Draft) {
            let detail = "a published template stays as it is: retire it and publish another";
            return Err(Error::conflict("frozen", detail));
        }
        if matches!(action, "create" | "update") { new.body.sound() } else { Ok(()) }
    }
}
