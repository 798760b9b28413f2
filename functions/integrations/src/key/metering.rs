//! Counting machines' calls: each request leaves a line behind, and each line is counted once, by key and day and by
//! month of the organisation. What the guard holds machines to is published of it (`web::gate::Calls`).

use super::{
    PartnerKey, Status,
    usage::{Day, between},
};
use crate::{due, tier::Environment};
use events::TenantEvent;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, PartnerKeyId, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{Commit, Key, Record, Scope, facts};
use web::{
    App, Ctx, Task,
    gate::{Calls, MONTHLY, Today, month_of},
};

/// Shards of a day's and of a month's numbers: one item takes 1,000 additions a second.
pub(super) const SHARDS: u64 = 4;
/// How long numbers are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// Lines of one transaction: each is an item of it, and so may its key's day be.
const TOGETHER: usize = 40;
/// Numbers are published when they have moved by this part of what is allowed.
const PARTS: u64 = 100;
/// Days for which a silent key stays among what is published.
const SILENT: i32 = 35;
/// Percent of the month's limit at which the organisation is told.
const NEARED: [u64; 2] = [80, 95];

/// What the guard tells of a call.
#[derive(Deserialize)]
struct Line {
    tenant: String,
    key: PartnerKeyId,
    request: String,
    status: u16,
    ms: i64,
    at: Timestamp,
}

pub fn counting() -> Task {
    Task::gathering("partner.called", |app, lines| async move { count(app, lines).await })
}

pub(super) fn utc(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

async fn count(app: App, lines: Vec<Value>) -> Result<()> {
    let mut tenants: BTreeMap<String, BTreeMap<String, Line>> = BTreeMap::new();
    for line in lines {
        match serde_json::from_value::<Line>(line) {
            // The same line may be there twice.
            Ok(line) => {
                drop(tenants.entry(line.tenant.clone()).or_default().insert(line.request.clone(), line))
            }
            Err(error) => tracing::warn!(%error, "a line of a machine's use cannot be read"),
        }
    }
    for (tenant, lines) in tenants {
        let Some(scope) = Scope::from_claim(&tenant) else { continue };
        match Ctx::system(&app, scope, "integrations", "partner.called").await {
            Ok(ctx) => count_all(&ctx, lines.into_values().collect()).await?,
            // Erased meanwhile.
            Err(Error::Missing) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn count_all(ctx: &Ctx, lines: Vec<Line>) -> Result<()> {
    let ids: BTreeSet<PartnerKeyId> = lines.iter().map(|line| line.key).collect();
    let keys = ctx.store().get_many::<PartnerKey>(&ids.into_iter().collect::<Vec<_>>()).await?;
    let keys: BTreeMap<PartnerKeyId, Record<PartnerKey>> =
        keys.into_iter().map(|key| (key.id, key)).collect();
    let lines: Vec<&Line> = lines.iter().filter(|line| keys.contains_key(&line.key)).collect();
    for some in lines.chunks(TOGETHER) {
        if !counted(ctx, &keys, some).await? {
            // Some of them came before: one by one.
            for line in some {
                counted(ctx, &keys, &[line]).await?;
            }
        }
    }
    for key in keys.values() {
        let last = lines.iter().filter(|line| line.key == key.id).map(|line| utc(line.at)).max();
        if let Some(day) = last.filter(|day| key.body.last_used_on.is_none_or(|known| known < *day)) {
            note_use(ctx, key.id, day).await?;
        }
    }
    publish(ctx, &keys).await
}

/// False: one of these lines was counted before, and now none was.
async fn counted(
    ctx: &Ctx,
    keys: &BTreeMap<PartnerKeyId, Record<PartnerKey>>,
    lines: &[&Line],
) -> Result<bool> {
    let Some(first) = lines.first() else { return Ok(true) };
    let shard = first.request.bytes().fold(0u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into())) % SHARDS;
    let (mut days, mut months) = (BTreeMap::<_, Day>::new(), BTreeMap::<String, i64>::new());
    let mut commit = ctx.commit();
    for line in lines {
        days.entry((line.key, utc(line.at))).or_default().note(line.status, line.ms);
        if keys.get(&line.key).is_some_and(|key| key.body.environment == Environment::Live) {
            *months.entry(month_of(line.at)).or_default() += 1;
        }
        commit = ctx.once_for(commit, "partner.called", &line.request);
    }
    let ttl = ctx.now() + KEPT;
    for ((key, day), numbers) in days {
        commit = commit.tally(&Key::part(key, "use", format!("{day}~{shard}")), &numbers.amounts(), ttl);
    }
    for (month, calls) in months {
        commit = commit.tally(
            &Key::item("metric", "api_calls", format!("{month}#{shard}")),
            &[("calls", calls)],
            ttl,
        );
    }
    web::done_now(commit.run().await)
}

async fn note_use(ctx: &Ctx, id: PartnerKeyId, day: Date) -> Result<()> {
    web::update::<PartnerKey>(ctx, id, |old| {
        let news = old.body.status != Status::Creating && old.body.last_used_on.is_none_or(|last| last < day);
        news.then(|| {
            let mut new = old.next(ctx.now());
            new.body.last_used_on = Some(day);
            ctx.commit().update("use", old, &new)
        })
    })
    .await
}

/// Calls of live keys in a month, exactly.
pub(super) async fn of_month(ctx: &Ctx, month: &str) -> Result<u64> {
    let place = Key::item("metric", "api_calls", month);
    let shards = ctx.store().under::<Day>(&place, &format!("{month}#"), SHARDS as i32).await?;
    Ok(shards.iter().map(|(_, shard)| shard.calls).sum())
}

/// What the guard reads, if it has moved enough; and the organisation is told when its month comes to an end.
async fn publish(ctx: &Ctx, keys: &BTreeMap<PartnerKeyId, Record<PartnerKey>>) -> Result<()> {
    let (now, mut attempt) = (ctx.now(), 0);
    let (today, month) = (utc(now), month_of(now));
    let allowed = ctx.gate().tenant.as_ref().and_then(|t| t.limits.get(MONTHLY)).copied();
    let day = |id: PartnerKeyId| async move {
        let used = between(ctx, id, today, today).await?.values().map(|day| day.calls).sum();
        Ok::<_, Error>((id, used))
    };
    loop {
        let days = try_join_all(keys.keys().copied().map(day));
        let fact = ctx.store().fact::<Calls>(facts::API_CALLS, "self");
        let (old, used, days) = futures::try_join!(fact, of_month(ctx, &month), days)?;
        let known = old.clone().unwrap_or_default();
        let mut new = Calls { rev: known.rev + 1, month: month.clone(), used, keys: known.keys.clone() };
        new.keys.retain(|_, t| t.day >= today.saturating_sub(SILENT.days()));
        for (id, used) in days {
            new.keys.insert(id.to_string(), day_of(&keys[&id].body, today, used));
        }
        if !moved(&known, &new, allowed) {
            return Ok(());
        }
        let commit = ctx.commit().put_over(&Key::fact(facts::API_CALLS, "self"), known.rev, &new);
        match told(ctx, commit, keys, reached(known.of_month(now), used, allowed)).await?.run().await {
            Err(Error::Stale { .. }) => ctx.store().pause(&mut attempt).await?,
            other => {
                ctx.app().gates().forget(ctx.scope());
                return other;
            }
        }
    }
}

fn day_of(key: &PartnerKey, day: Date, used: u64) -> Today {
    let allowed = key.tier.allowed(key.environment).per_day;
    Today { day, used, allowed, sandbox: key.environment == Environment::Sandbox }
}

fn moved(old: &Calls, new: &Calls, allowed: Option<u64>) -> bool {
    let step = |allowed: u64| (allowed / PARTS).max(1);
    let part = |used: u64, allowed: u64| (used / step(allowed), used >= allowed);
    let most = allowed.unwrap_or(u64::MAX);
    let day = |(id, today): (&String, &Today)| {
        let known = old.keys.get(id).filter(|known| known.day == today.day && known.allowed == today.allowed);
        known.is_none_or(|known| part(known.used, today.allowed) != part(today.used, today.allowed))
    };
    old.month != new.month || part(old.used, most) != part(new.used, most) || new.keys.iter().any(day)
}

/// What an organisation is told of as its calls go from one number to another.
fn reached(from: u64, to: u64, allowed: Option<u64>) -> Option<TenantEvent> {
    let allowed = allowed?;
    let passes = |percent: u64| {
        let at = allowed.saturating_mul(percent).div_ceil(100);
        from < at && at <= to
    };
    let limit = || MONTHLY.to_string();
    match NEARED.into_iter().rev().find(|percent| passes(*percent)) {
        _ if passes(100) => Some(TenantEvent::LimitReached { limit: limit() }),
        near => near.map(|percent| TenantEvent::LimitNeared { limit: limit(), percent: percent as u8 }),
    }
}

/// An event needs a record: the key whose call it was.
async fn told(
    ctx: &Ctx,
    commit: Commit,
    keys: &BTreeMap<PartnerKeyId, Record<PartnerKey>>,
    event: Option<TenantEvent>,
) -> Result<Commit> {
    let live = keys.values().find(|key| key.body.environment == Environment::Live);
    let (Some(event), Some(key)) = (event, live) else { return Ok(commit) };
    let Some(old) = due::record::<PartnerKey>(ctx, key.id).await? else { return Ok(commit) };
    Ok(commit.update("use", &old, &old.next(ctx.now())).emit(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(used: u64, day: u64) -> Calls {
        let today = Today { day: "2026-11-23".parse().unwrap(), used: day, allowed: 1000, sandbox: false };
        Calls { month: "2026-11".into(), used, keys: [("pky_1".into(), today)].into(), rev: 1 }
    }

    #[test]
    fn numbers_are_published_by_the_hundredth_and_at_the_limit() {
        let old = calls(1000, 10);
        assert!(!moved(&old, &calls(1999, 19), Some(100_000)));
        assert!(moved(&old, &calls(2000, 19), Some(100_000)));
        assert!(moved(&old, &calls(1999, 20), Some(100_000)));
        assert!(moved(&calls(5, 10), &calls(7, 10), Some(7)), "the last one");
        assert!(moved(&Calls::default(), &calls(1, 1), None), "the first of a month");
    }

    #[test]
    fn an_organisation_is_told_of_the_farthest_mark_that_it_passes_and_once() {
        let said = |from, to| reached(from, to, Some(1000)).map(|e| serde_json::to_value(e).unwrap());
        assert_eq!(said(0, 799), None);
        assert_eq!(said(799, 800).unwrap()["data"]["percent"], 80);
        assert_eq!(said(700, 960).unwrap()["data"]["percent"], 95);
        assert_eq!(said(960, 999), None);
        assert_eq!(said(700, 1000).unwrap()["type"], "limit.reached");
        assert_eq!(said(1000, 1400), None);
        assert!(reached(0, 1_000_000, None).is_none());
    }
}
