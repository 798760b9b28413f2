//! Sending again: one delivery, or all that happened in a window of time, also what happened while the endpoint was
//! disabled. The message ids are those of the first time. And catching up: whoever is enabled again hears of what it
//! missed, and of nothing that it was told.

use super::{Delivery, Status, attempt::wake, dispatch::wants, named};
use crate::{due, webhook::Webhook};
use events::Envelope;
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use kernel::{Error, Id, Result, Ulid, WebhookDeliveryId, WebhookId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{ChangeAt, Logged, Record, Store};
use web::{Answer, App, At, Body, Ctx, Queue, Shown, Task};

/// What one message of the queue goes through.
const PAGE: i32 = 200;
/// The longest window, and how far back it may begin.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

#[derive(Deserialize, JsonSchema)]
pub struct Window {
    since: Timestamp,
    /// Now, if nothing is said.
    until: Option<Timestamp>,
    /// Only these of the endpoint's events.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 3, max = 80)))]
    types: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Accepted {
    pub webhook: WebhookId,
    /// Names this replay in the log.
    pub replay: String,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// A replay on its way through the days, as the queue carries it.
#[derive(Clone, Serialize, Deserialize)]
struct Walk {
    #[serde(rename = "type")]
    kind: String,
    tenant: String,
    /// The endpoint.
    id: WebhookId,
    replay: String,
    since: Timestamp,
    until: Timestamp,
    types: Vec<String>,
    /// `2026-11-23`
    day: String,
    shard: u32,
    after: Option<ChangeAt>,
    /// Only what was never delivered and waits for no attempt.
    #[serde(default)]
    missed: bool,
}

/// How far back somebody who was disabled catches up: as long as a delivery is tried.
const CAUGHT_UP: SignedDuration = SignedDuration::from_hours(3 * 24);
/// What happened so long before an endpoint was disabled may have been under way then.
const UNDER_WAY: SignedDuration = SignedDuration::from_hours(1);

const WALK: &str = "webhook.replay";

pub async fn window(ctx: Ctx, At(id): At<WebhookId>, Body(asked): Body<Window>) -> Answer {
    let hook = ctx.get::<Webhook>(id).await?;
    let (since, until) = (asked.since, asked.until.unwrap_or(ctx.now()).min(ctx.now()));
    if since >= until || ctx.now().duration_since(since) > LONGEST {
        let detail = "a window begins before it ends, and at most 31 days ago";
        return Err(Error::invalid("/since", "range", detail).into());
    }
    // The same request again is the same replay.
    let name =
        ctx.once().map_or_else(Ulid::new, |once| named(id, &format!("{}|{}", once.by, once.key), since));
    let replay = format!("rpl_{name}");
    let walk = Walk { types: asked.types, ..Walk::of(&ctx, hook.id, replay.clone(), (since, until)) };
    send(&ctx, &walk).await?;
    ctx.settle(ctx.commit(), Shown::of(202, &Accepted { webhook: id, replay, since, until })?).await
}

impl Walk {
    fn of(ctx: &Ctx, id: WebhookId, replay: String, (since, until): (Timestamp, Timestamp)) -> Self {
        Self {
            kind: WALK.into(),
            tenant: ctx.scope().to_string(),
            id,
            replay,
            since,
            until,
            types: vec![],
            day: day(since),
            shard: 0,
            after: None,
            missed: false,
        }
    }
}

/// An endpoint that was enabled again goes through what happened meanwhile.
pub fn catching_up() -> Task {
    Task::on("due.whe.catch_up", |app, row| async move { catch_up(app, row).await })
}

async fn catch_up(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<WebhookId>(&app, &row).await? else { return Ok(()) };
    let Some(hook) = due::record::<Webhook>(&ctx, id).await? else { return Ok(()) };
    let (true, Some(missed)) =
        (hook.body.catches_up_at.is_some_and(|at| at <= ctx.now()), hook.body.missed_since)
    else {
        return Ok(());
    };
    let since = (missed - UNDER_WAY).max(hook.created_at).max(ctx.now() - CAUGHT_UP);
    let replay = format!("rpl_{}", named(id, "missed", missed));
    let walk = Walk { missed: true, ..Walk::of(&ctx, id, replay, (since, ctx.now())) };
    send(&ctx, &walk).await?;
    web::update::<Webhook>(&ctx, id, |old| {
        (old.body.catches_up_at == hook.body.catches_up_at).then(|| {
            let mut new = old.next(ctx.now());
            (new.body.missed_since, new.body.catches_up_at) = (None, None);
            ctx.commit().update("catch_up", old, &new)
        })
    })
    .await
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

async fn send(ctx: &Ctx, walk: &Walk) -> Result<()> {
    let body = serde_json::to_string(walk).map_err(Error::internal)?;
    ctx.app().post().send(Queue::Integrations, body).await
}

pub fn walking() -> Task {
    Task::on(WALK, |app, message| async move { step(app, message).await })
}

/// One page of one shard of one day; then the next one is put into the queue.
async fn step(app: App, message: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<WebhookId>(&app, &message).await? else { return Ok(()) };
    let walk: Walk = serde_json::from_value(message).map_err(Error::internal)?;
    let Some(hook) = due::record::<Webhook>(&ctx, id).await? else { return Ok(()) };
    let bounds = (store::stamp(walk.since), format!("{}~", store::stamp(walk.until)));
    let bounds = (bounds.0.as_str(), bounds.1.as_str());
    let page = ctx.store().changes_of_day((&walk.day, walk.shard), bounds, walk.after.as_ref(), PAGE).await?;
    for change in ctx.store().logged(&page).await? {
        again(&ctx, &hook, &walk, &change).await?;
    }
    match next(walk, page)? {
        Some(walk) => send(&ctx, &walk).await,
        None => Ok(()),
    }
}

fn next(mut walk: Walk, page: Vec<ChangeAt>) -> Result<Option<Walk>> {
    if page.len() == PAGE as usize {
        walk.after = page.into_iter().next_back();
        return Ok(Some(walk));
    }
    (walk.after, walk.shard) = (None, walk.shard + 1);
    if walk.shard < Store::DAY_SHARDS {
        return Ok(Some(walk));
    }
    let today: jiff::civil::Date = walk.day.parse().map_err(Error::internal)?;
    (walk.shard, walk.day) = (0, today.saturating_add(1.day()).to_string());
    Ok((walk.day <= day(walk.until)).then_some(walk))
}

async fn again(ctx: &Ctx, hook: &Record<Webhook>, walk: &Walk, change: &Logged) -> Result<()> {
    let id = format!("{}#{}#{}", change.kind, change.id, change.version);
    let event = Envelope {
        id: id.clone(),
        tenant: ctx.scope().to_string(),
        kind: change.event["type"].as_str().unwrap_or_default().into(),
        at: change.at.clone(),
        by: change.by.clone(),
        record: change.id.clone(),
        version: change.version,
        cause: vec![],
        data: change.event["data"].clone(),
    };
    let chosen =
        walk.types.is_empty() || walk.types.iter().any(|t| crate::webhook::pattern::hears(t, &event.kind));
    if event.kind.is_empty() || !chosen || !wants(hook, &event) {
        return Ok(());
    }
    let at: Timestamp = change.at.parse().map_err(Error::internal)?;
    let mut body = Delivery::first(hook, &event.kind, &id, at);
    let first = WebhookDeliveryId::of(named(hook.id, &id, at));
    let told = match walk.missed {
        true => due::record::<Delivery>(ctx, first).await?,
        false => None,
    };
    if told.as_ref().is_some_and(|d| matches!(d.body.status, Status::Pending | Status::Delivered)) {
        return Ok(());
    }
    let new = if walk.missed && told.is_none() {
        // Never told of: this is its first delivery, should the event come once more.
        Record::with_id(first, ctx.now(), pending(ctx, body).body)
    } else {
        body.replay_of = Some(first);
        pending(ctx, body)
    };
    let commit = ctx.once_for(ctx.commit().create(&new), &format!("webhook.replay~{}", walk.replay), &id);
    match web::done_now(commit.run().await) {
        Ok(true) => wake(ctx, &new).await,
        // This page came before, or it was told of meanwhile.
        Ok(false) | Err(Error::Stale { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn pending(ctx: &Ctx, mut body: Delivery) -> Record<Delivery> {
    body.status = Status::Pending;
    body.attempts = vec![];
    body.next_at = Some(ctx.now());
    Record::new(ctx.now(), body)
}

/// One delivery that is over, once more.
pub async fn one(ctx: Ctx, At(id): At<WebhookDeliveryId>) -> Answer {
    let old = ctx.get::<Delivery>(id).await?;
    if old.body.status == Status::Pending {
        return Err(Error::State { command: "replay", state: old.body.status.to_string() }.into());
    }
    let replay_of = Some(old.body.replay_of.unwrap_or(id));
    let new = pending(&ctx, Delivery { replay_of, ..old.body });
    let answer = ctx.settle(ctx.commit().create(&new), ctx.shown(201, &new)?).await?;
    wake(&ctx, &new).await?;
    Ok(answer)
}
