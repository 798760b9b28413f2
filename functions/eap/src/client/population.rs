//! How many people the programme is for, month by month: the denominator of every rate.

use super::Client;
use jiff::civil::Date;
use kernel::{ClientOrgId, Error, Fault, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Key, Record};
use web::{Answer, At, Body, Ctx, check, noun::Pages, ok};

/// The eligible population of a month.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EligiblePopulation")]
pub struct Population {
    #[schemars(range(max = 10_000_000))]
    pub headcount: u64,
    /// By the code of a reporting unit; may leave some out.
    #[serde(default)]
    pub by_unit: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub source: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EligiblePopulationMonth")]
pub struct Month {
    month: String,
    #[serde(flatten)]
    population: Population,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EligiblePopulationMonths")]
pub struct Between {
    #[schemars(regex(pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$"))]
    from: Option<String>,
    #[schemars(regex(pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$"))]
    to: Option<String>,
}

fn part(client: ClientOrgId, month: &str) -> Key {
    Key::part(client, "pop", month)
}

/// `2026-11`, and nothing else.
fn month_of(word: &str) -> Result<Date> {
    let day = format!("{word}-01").parse().ok().filter(|_| word.len() == 7);
    day.ok_or(Error::Missing)
}

/// PUT: states the headcount of a month; a later statement replaces an earlier one, and both stay in the history.
pub async fn state(ctx: Ctx, Path(id, month): Path, Body(said): Body<Population>) -> Answer {
    let day = month_of(&month)?;
    if day > ctx.today() {
        return Err(
            Error::field("in-the-future", "month", "state the headcount of a month that has begun").into()
        );
    }
    let old = ctx.change::<Client>(id).await?;
    said_well(&old, &said)?;
    let mut new = old.next(ctx.now());
    new.body.population = Some(super::Stated { month: month.clone(), headcount: said.headcount });
    let shown = web::Shown::of(200, &Month { month: month.clone(), population: said.clone() })?;
    let commit = ctx.commit().update("population", &old, &new).put(&part(id, &month), &said);
    ctx.settle(commit, shown).await
}

fn said_well(client: &Record<Client>, said: &Population) -> Result<()> {
    let known = |code: &String| client.body.reporting_units.iter().any(|u| u.code == *code);
    let unknown = said.by_unit.keys().find(|code| !known(code));
    let too_many = said.by_unit.values().sum::<u64>() > said.headcount;
    let fault = match (unknown, too_many) {
        (Some(code), _) => Fault::new(format!("/by_unit/{code}"), "unknown", "not among reporting_units"),
        (None, true) => Fault::new("/by_unit", "range", "more than the headcount"),
        _ => return Ok(()),
    };
    Err(Error::Invalid(vec![fault]))
}

pub async fn list(
    ctx: Ctx,
    At(id): At<ClientOrgId>,
    axum::extract::RawQuery(query): axum::extract::RawQuery,
) -> Answer {
    let Between { from, to } = check::query(query.as_deref().unwrap_or_default())?;
    ctx.get::<Client>(id).await?;
    let months =
        read(&ctx, id, from.as_deref().unwrap_or("0000-01"), to.as_deref().unwrap_or("9999-12")).await?;
    let data = months.into_iter().map(|(month, population)| Month { month, population }).collect();
    ok(&Pages { data, next: None })
}

/// What was stated for the months from one to another, both included, in their order.
pub async fn read(ctx: &Ctx, id: ClientOrgId, from: &str, to: &str) -> Result<Vec<(String, Population)>> {
    let months = ctx.store().under::<Value>(&Key::record(id), "pop#", 1000).await?;
    let within = |(place, body): (String, Value)| {
        let month = place.strip_prefix("pop#")?.to_string();
        (from <= month.as_str() && month.as_str() <= to)
            .then(|| serde_json::from_value(body).ok().map(|p| (month, p)))
            .flatten()
    };
    Ok(months.into_iter().filter_map(within).collect())
}

/// The headcount of each month between two days; of a month without one, the last that was known before it. None
/// where nothing was ever stated.
pub async fn headcounts(ctx: &Ctx, id: ClientOrgId, months: &[String]) -> Result<Option<Vec<u64>>> {
    let (Some(_), Some(last)) = (months.first(), months.last()) else { return Ok(Some(vec![])) };
    let known = read(ctx, id, "0000-01", last).await?;
    let of = |month: &String| known.iter().rev().find(|(m, _)| m <= month).map(|(_, p)| p.headcount);
    Ok(months.iter().map(of).collect())
}

/// The client and the month in the path.
pub struct Path(pub ClientOrgId, pub String);

impl<S: Sync + Send> axum::extract::FromRequestParts<S> for Path {
    type Rejection = web::Refused;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> std::result::Result<Self, web::Refused> {
        let path = axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await;
        let axum::extract::Path((id, month)) = path.map_err(|_| Error::Missing)?;
        Ok(Self(id.parse()?, month))
    }
}
