//! Reports for client organisations (EAP-6): what a programme did in a span of quarters, in fixed breakdowns, without
//! ever showing a person. Only what may be shown is kept; a report never changes, and there is one a span.

mod answers;
mod api;
pub mod attack;
mod build;
pub mod frame;
mod people;
mod period;
mod print;
pub mod suppress;
#[cfg(test)]
mod suppress_tests;

pub use answers::satisfied;
pub use api::routes;
pub use people::{Uses, uses};
pub use period::Period;

use crate::place::{self, OfClient, Outward};
use events::EapEvent;
use frame::Label;
use jiff::Timestamp;
use kernel::{ClientOrgId, ClientReportId, Lifecycle, Result, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, List, Record, Row, Unique};
use suppress::Release;
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Draft = "draft", Released = "released", Discarded = "discarded" }
}

/// A number as the client sees it. Whether it is withheld because few are behind it, or because it would give such a
/// one away, is not told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ClientReportNumber")]
pub enum Shown {
    Number(#[serde(serialize_with = "whole")] f64),
    Withheld {
        suppressed: bool,
    },
    /// Without a denominator there is no rate.
    Unknown(()),
}

/// People are counted in whole numbers, and rates to a decimal: 40 is not 40.0.
fn whole<S: serde::Serializer>(number: &f64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match number.fract() == 0.0 {
        true => serializer.serialize_i64(*number as i64),
        false => serializer.serialize_f64(*number),
    }
}

impl Shown {
    pub const WITHHELD: Shown = Shown::Withheld { suppressed: true };

    /// Of people: what was not withheld.
    pub fn of(count: Option<u32>) -> Self {
        count.map_or(Self::WITHHELD, |count| Self::Number(f64::from(count)))
    }
    pub fn rate(value: Option<f64>) -> Self {
        value.map_or(Self::Unknown(()), Self::Number)
    }
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::Withheld { .. })
    }
}

/// What stands at the top.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientReportHeadline")]
pub struct Headline {
    /// Different people with at least one completed session.
    pub people: Shown,
    /// Employees with a completed clinical session, of the average headcount, in a year: whole percent.
    pub utilisation: Shown,
    /// Completed sessions by person, to one decimal.
    pub sessions_per_person: Shown,
    /// Of sessions that took place or should have: whole percent.
    pub no_show: Shown,
    /// Answers of 4 and 5 in the mean, of all answers: whole percent.
    pub satisfaction: Shown,
}

/// People by one breakdown, or by two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientReportCell")]
pub struct Line {
    pub by: Label,
    pub people: Shown,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientReport")]
pub struct Report {
    pub client: ClientOrgId,
    pub period: Period,
    pub status: Status,
    /// Fewer people than this are never shown, and never can be worked out.
    pub minimum: u32,
    /// Average of the months, rounded down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headcount: Option<u64>,
    pub headline: Headline,
    /// None where the average headcount is below 50.
    pub breakdowns: Vec<Line>,
    /// How many numbers are withheld.
    pub suppressed: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
}

impl Report {
    /// As later reports of the year have to respect it.
    fn release(&self) -> Release {
        let number = |shown: &Shown| match shown {
            Shown::Number(people) => Some(*people as u32),
            _ => None,
        };
        let all = (Label::default(), number(&self.headline.people));
        let numbers = self.breakdowns.iter().map(|line| (line.by.clone(), number(&line.people))).chain([all]);
        Release { span: self.period.span(), numbers: numbers.collect() }
    }
}

impl Entity for Report {
    type Id = ClientReportId;
    const NOUN: &'static str = "client_report";
    const LISTS: &'static [List<Self>] = &[
        List::by("client", &["client"], |r| vec![Row::new(&[&r.body.client], &[&r.body.period, &r.id])]),
        List::newest(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("period", "report-exists", |report| match report.status {
            Status::Discarded => vec![],
            _ => vec![format!("{}|{}", report.client, report.period)],
        })];
}

impl Lifecycle for Report {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("release", "client_report.release", &[Status::Draft], Status::Released),
        Step::<Self>::of("discard", "client_report.release", &[Status::Draft], Status::Discarded).reason(),
    ];
}

impl Noun for Report {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        Ok(record.body.is_out() && place::near(ctx, record.body.client).await?)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        web::noun::possible(record, ctx)
    }
}

impl Hooks for Report {
    fn before(ctx: &Ctx, command: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if command == "release" {
            new.body.released_at = Some(ctx.now());
        }
        Ok(())
    }
    async fn on_write(
        _: &Ctx,
        Written { action, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let Report { client, period, .. } = &new.body;
        let event = EapEvent::ReportReleased { report: new.id, client: *client, period: period.to_string() };
        Ok(if action == "release" { commit.emit(event) } else { commit })
    }
}

impl Outward for Report {
    fn outward(&mut self) {}
}

impl OfClient for Report {
    const EDIT: &'static str = "client_report.release";
    fn is_out(&self) -> bool {
        self.status == Status::Released
    }
}
