//! A report from the rows of its year, with what was told of the same year before.

use super::{
    Headline, Line, Period, Report, Shown, Status, answers,
    frame::{Dimension, Frame, Label},
    people::{self, EMPLOYEE_CLINICAL, EMPLOYEE_OTHER, MIXED, UNKNOWN, Uses},
    suppress::{self, Release},
};
use crate::{
    client::{self, Client},
    kpi::formula::{self, Measured},
    words::{AgeBand, IssueGroup, Mode, Referral, Relation},
};
use kernel::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Commit, Entity, Key, Record, Wanted};
use web::Ctx;

/// Below this average headcount a client sees the headline alone.
const DRILL_DOWN: u64 = 50;
/// Units that are crossed with issues; of more, the table could not be checked against every other table in time.
const UNITS: usize = 20;
/// Reports of one client's year; there are eight spans.
const YEAR: i32 = 50;

/// Raised with every report of a client's year: two that were made at once did not see one another.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Year {
    rev: u64,
}

fn year(client: &Record<Client>, period: Period) -> Key {
    Key::item("crp_year", client.id, period.year)
}

/// The draft, and the commit's part that keeps the year's reports one after the other.
pub async fn draft(ctx: &Ctx, client: &Record<Client>, period: Period) -> Result<(Report, Commit)> {
    let system = crate::case::by_itself(ctx).await?;
    let key = year(client, period);
    let seen = ctx.store().read::<Year>(&key).await?.unwrap_or_default();
    let earlier = earlier(ctx, client, period).await?;
    let clinical = crate::case::clinical(&system).await?;
    let uses = people::uses(&clinical, client.id, period.year_so_far()).await?;
    let headcounts = client::headcounts(ctx, client.id, &period.months()).await?;
    let satisfied = answers::satisfied(&system, client.id, &period.months()).await?;
    let least = earlier.iter().map(|report| report.minimum).max().unwrap_or(0);
    let minimum = smallest(client).max(least);
    let releases: Vec<Release> = earlier.iter().map(Report::release).collect();
    let measured = Measured { headcounts, satisfied, ..Measured::of(&uses, period) };
    let report = report(client, period, minimum, &uses, &measured, &releases);
    Ok((report, ctx.store().commit().put_over(&key, seen.rev, &json!({"rev": seen.rev + 1}))))
}

/// The policy's 10, raised where the client asked for it. (Below 5 nobody can go.)
fn smallest(client: &Record<Client>) -> u32 {
    let least = client.body.smallest_cell(i64::from(suppress::MINIMUM));
    u32::try_from(least).unwrap_or(suppress::MINIMUM).max(suppress::FLOOR)
}

/// What stands of the same year, drafts too: one of them may be released while this one is looked at.
async fn earlier(ctx: &Ctx, client: &Record<Client>, period: Period) -> Result<Vec<Report>> {
    let wanted = Wanted::by(&[&client.id], YEAR);
    let page = ctx.store().list(&Report::LISTS[0], &wanted).await?;
    let stands = |report: &Report| report.status != Status::Discarded && report.period.year == period.year;
    Ok(page.data.into_iter().map(|record: Record<Report>| record.body).filter(stands).collect())
}

fn report(
    client: &Record<Client>,
    period: Period,
    minimum: u32,
    uses: &Uses,
    measured: &Measured,
    earlier: &[Release],
) -> Report {
    let headcount = measured.headcount();
    let frame = if headcount.is_some_and(|heads| heads >= DRILL_DOWN) {
        frame(&client.body.reporting_units.iter().map(|unit| unit.code.clone()).collect::<Vec<_>>())
    } else {
        Frame::new(BTreeMap::from([(Dimension::Relation, relations())]), None)
    };
    let told = suppress::release(&frame, &people::people(uses), period.span(), minimum, earlier);
    let mut numbers = told.numbers;
    let everybody = numbers.remove(&Label::default()).flatten();
    let clinical = Label(BTreeMap::from([(Dimension::Relation, EMPLOYEE_CLINICAL.into())]));
    let headline = headline(measured, everybody, numbers.get(&clinical).copied().flatten(), minimum);
    let suppressed = numbers.values().filter(|number| number.is_none()).count();
    let lines = numbers.into_iter().map(|(by, people)| Line { by, people: Shown::of(people) });
    Report {
        client: client.id,
        period,
        status: Status::Draft,
        minimum,
        headcount,
        headline,
        breakdowns: if headcount.is_some_and(|heads| heads >= DRILL_DOWN) { lines.collect() } else { vec![] },
        suppressed,
        released_at: None,
    }
}

/// Rates stand on counts: where the count is withheld, so is the rate.
fn headline(measured: &Measured, everybody: Option<u32>, clinical: Option<u32>, minimum: u32) -> Headline {
    let enough = |on: Option<u32>| on.is_some_and(|people| people == 0 || people >= minimum);
    let rate = |shown: bool, code: &str, decimals: u32| match shown {
        true => {
            Shown::rate(formula::named(code).and_then(|formula| formula.measure(measured).rounded(decimals)))
        }
        false => Shown::WITHHELD,
    };
    let answered = measured.satisfied.answers == 0 || measured.satisfied.answers >= u64::from(minimum);
    Headline {
        people: Shown::of(everybody),
        utilisation: rate(enough(clinical), "utilisation", 0),
        sessions_per_person: rate(enough(everybody), "sessions_per_person", 1),
        no_show: rate(enough(everybody), "no_show", 0),
        satisfaction: rate(answered, "satisfaction", 0),
    }
}

fn frame(units: &[String]) -> Frame {
    let units: Vec<String> = units.iter().cloned().chain([UNKNOWN.into()]).collect();
    let crossed = units.len() <= UNITS;
    let mut breakdowns = BTreeMap::from([
        (Dimension::AgeBand, words(AgeBand::ALL, Some(UNKNOWN))),
        (Dimension::Relation, relations()),
        (Dimension::IssueGroup, words(IssueGroup::ALL, None)),
        (Dimension::Mode, [words(Mode::ALL, Some(MIXED)), vec![UNKNOWN.into()]].concat()),
        (Dimension::Referral, words(Referral::ALL, None)),
    ]);
    breakdowns.insert(Dimension::Unit, units);
    let rows = if crossed { Dimension::Unit } else { Dimension::AgeBand };
    Frame::new(breakdowns, Some((rows, Dimension::IssueGroup)))
}

fn relations() -> Vec<String> {
    let dependants = Relation::ALL.iter().filter(|relation| **relation != Relation::Employee);
    [EMPLOYEE_CLINICAL.into(), EMPLOYEE_OTHER.into()]
        .into_iter()
        .chain(dependants.map(ToString::to_string))
        .collect()
}

fn words<T: ToString>(all: &[T], more: Option<&str>) -> Vec<String> {
    all.iter().map(ToString::to_string).chain(more.map(String::from)).collect()
}
