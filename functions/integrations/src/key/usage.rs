//! How much a key is used, and what is left of its limits.

use super::{
    PartnerKey,
    metering::{SHARDS, of_month, utc},
};
use crate::tier::Environment;
use jiff::{Timestamp, ToSpan, civil::Date};
use kernel::{Error, PartnerKeyId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Key;
use web::{
    Answer, At, Ctx, Query,
    gate::{MONTHLY, month_of, next_month},
    ok,
};

/// Days that one answer shows.
const MOST: i32 = 92;

#[derive(Deserialize, JsonSchema)]
pub struct Asked {
    /// The last 30 days, if nothing is said.
    from: Option<Date>,
    to: Option<Date>,
}

/// Numbers of one day, UTC. Calls that were refused for a limit, by the gateway or here, are not among them.
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
    /// Of a sandbox there is none: its calls are not counted there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<Month>,
}

/// This month's calls of all live keys of the organisation together, UTC.
#[derive(Serialize, JsonSchema)]
pub struct Month {
    /// `2026-11`
    pub month: String,
    pub used: u64,
    /// What the subscription gives; null = unlimited.
    pub allowed: Option<u64>,
    pub remaining: Option<u64>,
    /// When they begin anew.
    pub opens_at: Timestamp,
}

impl Day {
    pub(super) fn note(&mut self, status: u16, ms: i64) {
        let (client, server) = ((400..500).contains(&status), status >= 500);
        self.add(&Self {
            calls: 1,
            errors_4xx: client.into(),
            errors_5xx: server.into(),
            throttled: (status == 429).into(),
            ms_sum: ms.max(0).unsigned_abs(),
        });
    }
    /// What is to be added to the table's numbers.
    pub(super) fn amounts(&self) -> Vec<(&'static str, i64)> {
        let Self { calls, errors_4xx, errors_5xx, throttled, ms_sum } = *self;
        let all = [
            ("calls", calls),
            ("errors_4xx", errors_4xx),
            ("errors_5xx", errors_5xx),
            ("throttled", throttled),
            ("ms_sum", ms_sum),
        ];
        let some = all.into_iter().filter(|(_, amount)| *amount > 0);
        some.map(|(name, amount)| (name, i64::try_from(amount).unwrap_or(i64::MAX))).collect()
    }
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors_4xx += other.errors_4xx;
        self.errors_5xx += other.errors_5xx;
        self.throttled += other.throttled;
        self.ms_sum += other.ms_sum;
    }
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
    let this = month_of(ctx.now());
    let (record, days, month) =
        futures::join!(ctx.get::<PartnerKey>(id), between(&ctx, id, from, to), of_month(&ctx, &this));
    let (record, days) = (record?, days?);
    let mut total = Day::default();
    days.values().for_each(|day| total.add(day));
    let used = match days.get(&today.to_string()) {
        Some(day) => day.calls,
        None => between(&ctx, id, today, today).await?.values().map(|day| day.calls).sum(),
    };
    let quota = record.body.tier.allowed(record.body.environment).per_day;
    let month = match record.body.environment {
        Environment::Live => Some(standing(&ctx, this, month?)),
        Environment::Sandbox => None,
    };
    ok(&Usage { from, to, quota, remaining: quota.saturating_sub(used), total, days, month })
}

fn standing(ctx: &Ctx, month: String, used: u64) -> Month {
    let allowed = ctx.gate().tenant.as_ref().and_then(|t| t.limits.get(MONTHLY)).copied();
    let remaining = allowed.map(|allowed| allowed.saturating_sub(used));
    Month { month, used, allowed, remaining, opens_at: next_month(ctx.now()) }
}

pub(super) async fn between(
    ctx: &Ctx,
    id: PartnerKeyId,
    from: Date,
    to: Date,
) -> Result<BTreeMap<String, Day>> {
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
