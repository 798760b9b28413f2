//! How much a key is used: lines that requests leave behind, added up per day.

use super::{PartnerKey, Status};
use crate::due;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, PartnerKeyId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::Key;
use web::{Answer, App, At, Ctx, Query, Task, ok};

/// Shards of a day's numbers: one item takes 1,000 additions a second.
const SHARDS: u64 = 4;
/// How long a day's numbers are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// Days that one answer shows.
const MOST: i32 = 92;

#[derive(Deserialize, JsonSchema)]
pub struct Asked {
    /// The last 30 days, if nothing is said.
    from: Option<Date>,
    to: Option<Date>,
}

/// Numbers of one day, UTC. Calls that the gateway refused never reached us and are not among them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    #[serde(default)]
    pub calls: u64,
    #[serde(default)]
    pub errors_4xx: u64,
    #[serde(default)]
    pub errors_5xx: u64,
    /// Answered 429.
    #[serde(default)]
    pub throttled: u64,
    /// Milliseconds over all calls.
    #[serde(default)]
    pub ms_sum: u64,
}

#[derive(Serialize, JsonSchema)]
pub struct Usage {
    pub from: Date,
    pub to: Date,
    /// Calls a day that the key's usage plan allows.
    pub quota: u64,
    /// What is left of it today, until midnight UTC.
    pub remaining: u64,
    pub total: Day,
    /// By date; days without a call are left out.
    pub days: BTreeMap<String, Day>,
}

impl Day {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors_4xx += other.errors_4xx;
        self.errors_5xx += other.errors_5xx;
        self.throttled += other.throttled;
        self.ms_sum += other.ms_sum;
    }
}

fn utc(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

pub async fn show(ctx: Ctx, At(id): At<PartnerKeyId>, Query(asked): Query<Asked>) -> Answer {
    let today = utc(ctx.now());
    let to = asked.to.unwrap_or(today);
    let from = asked.from.unwrap_or_else(|| to.saturating_sub(29.days()));
    if from > to || to.since(from).is_ok_and(|span| span.get_days() >= MOST) {
        return Err(
            Error::invalid("?from", "range", format!("not after to, and within {MOST} days of it")).into()
        );
    }
    let (record, days) = futures::join!(ctx.get::<PartnerKey>(id), between(&ctx, id, from, to));
    let (record, days) = (record?, days?);
    let mut total = Day::default();
    days.values().for_each(|day| total.add(day));
    let used = match days.get(&today.to_string()) {
        Some(day) => day.calls,
        None => between(&ctx, id, today, today).await?.values().map(|day| day.calls).sum(),
    };
    let quota = record.body.tier.allowed(record.body.environment).per_day;
    ok(&Usage { from, to, quota, remaining: quota.saturating_sub(used), total, days })
}

async fn between(ctx: &Ctx, id: PartnerKeyId, from: Date, to: Date) -> Result<BTreeMap<String, Day>> {
    let most = MOST * SHARDS as i32;
    let (first, last) = (format!("use#{from}"), format!("use#{to}~~"));
    let parts = ctx.store().latest::<Day>(&Key::record(id), &first, &last, most).await?;
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for (place, part) in parts {
        let day = place.trim_start_matches("use#").split('~').next().unwrap_or_default();
        days.entry(day.into()).or_default().add(&part);
    }
    Ok(days)
}

/// Adds one call, as the guard tells of it.
pub fn counting() -> Task {
    Task::on("partner.called", |app, line| async move { count(app, line).await })
}

async fn count(app: App, mut line: Value) -> Result<()> {
    line["id"] = line["key"].take();
    let Some((ctx, id)) = due::read::<PartnerKeyId>(&app, &line).await? else { return Ok(()) };
    let (status, ms) = (line["status"].as_u64().unwrap_or_default(), line["ms"].as_i64().unwrap_or_default());
    let at: Timestamp = line["at"].as_str().unwrap_or_default().parse().map_err(Error::internal)?;
    let request = line["request"].as_str().unwrap_or_default();
    let shard = request.bytes().fold(0u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into())) % SHARDS;
    let day = utc(at);
    let mut amounts = vec![("calls", 1), ("ms_sum", ms)];
    match status {
        429 => amounts.extend([("errors_4xx", 1), ("throttled", 1)]),
        400..500 => amounts.push(("errors_4xx", 1)),
        500.. => amounts.push(("errors_5xx", 1)),
        _ => {}
    }
    let place = Key::part(id, "use", format!("{day}~{shard}"));
    let calls = ctx.store().tally(&place, &amounts, at + KEPT).await?;
    // The first of a shard may be the first of the day.
    if calls == 1 { note_use(&ctx, id, day).await } else { Ok(()) }
}

async fn note_use(ctx: &Ctx, id: PartnerKeyId, day: Date) -> Result<()> {
    due::change::<PartnerKey>(ctx, id, |old| {
        let news = old.body.status != Status::Creating && old.body.last_used_on.is_none_or(|last| last < day);
        news.then(|| {
            let mut new = old.next(ctx.now());
            new.body.last_used_on = Some(day);
            ctx.commit().update("use", old, &new)
        })
    })
    .await
}
