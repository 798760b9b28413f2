//! One attempt: what is to be sent is read, signed, sent, and what came of it is written.

use super::{Attempt, Delivery, Status, asked, message::rebuilt, schedule};
use crate::{
    due,
    outgoing::{Call, Wire},
    webhook::{self, Webhook, health, secret::signatures},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, WebhookDeliveryId};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use store::{Commit, Record};
use web::{App, Ctx, Queue, Task, gate};

const WAKE: &str = "due.whd.attempt";
/// An organisation that is suspended is told nothing until it is open again; so long is the look in between, so that
/// all that it missed is told within an hour.
const PAUSE: SignedDuration = SignedDuration::from_mins(50);

pub fn tasks(wire: &Wire) -> Vec<Task> {
    let wire = wire.clone();
    vec![Task::on(WAKE, move |app, row| {
        let wire = wire.clone();
        async move { attempt(app, row, wire).await }
    })]
}

/// Puts the next attempt into the queue, if it is one of the next minutes. Should that fail, the clock has it.
pub async fn wake(ctx: &Ctx, delivery: &Record<Delivery>) -> Result<()> {
    let Some(wait) = delivery.body.next_at.map(|at| at.duration_since(ctx.now())) else { return Ok(()) };
    if wait > schedule::BY_QUEUE {
        return Ok(());
    }
    // Whole seconds, and never too early.
    let delay =
        Duration::from_secs(u64::try_from(wait.as_millis().max(0)).unwrap_or_default().div_ceil(1000));
    let row = json!({"type": WAKE, "tenant": ctx.scope().to_string(), "id": delivery.id, "at": ctx.now()});
    if let Err(error) = ctx.app().post().send_after(Queue::Integrations, row.to_string(), delay).await {
        tracing::warn!(%error, delivery = %delivery.id, "an attempt waits for the clock");
    }
    Ok(())
}

async fn attempt(app: App, row: Value, wire: Wire) -> Result<()> {
    let Some((ctx, id)) = due::read::<WebhookDeliveryId>(&app, &row).await? else { return Ok(()) };
    let Some(old) = due::record::<Delivery>(&ctx, id).await? else { return Ok(()) };
    let its_time = old.body.next_at.is_some_and(|at| at <= ctx.now());
    if old.body.status != Status::Pending || !its_time {
        return Ok(());
    }
    if ctx.gate().tenant.as_ref().is_some_and(|t| t.status == gate::Status::Suspended) {
        return put_off(&ctx, &old).await;
    }
    let (hook, parts) = match ctx.store().whole::<Webhook>(old.body.webhook).await {
        Ok((hook, parts)) if hook.deleted_at.is_none() => (hook, parts),
        Ok(_) | Err(Error::Missing) => return end(&ctx, &old, Status::Abandoned, "webhook-deleted").await,
        Err(error) => return Err(error),
    };
    if hook.body.status == webhook::Status::Disabled {
        return end(&ctx, &old, Status::Failed, "webhook-disabled").await;
    }
    let Some(body) = rebuilt(&ctx, &old.body).await? else {
        return end(&ctx, &old, Status::Abandoned, "change-gone").await;
    };
    let now = ctx.now();
    let signed = signatures(hook.body.scheme, &parts, now, (&old.body.message_id, &body))?;
    let call = call(&hook.body, &old.body.message_id, now, signed, body)?;
    let began = Instant::now();
    let answer = wire.post(&call).await;
    let mut new = old.next(ctx.now());
    let heard = schedule::settle(&mut new.body, &answer, began.elapsed().as_millis() as u64, now);
    if attempted(&ctx, (&old, &new), hook, heard).await? { wake(&ctx, &new).await } else { Ok(()) }
}

/// Writes the attempt and what it says of the endpoint, which many deliveries may say at once. False: somebody else
/// attempted the same at the same time, and what they wrote stands.
async fn attempted(
    ctx: &Ctx,
    (old, new): (&Record<Delivery>, &Record<Delivery>),
    hook: Record<Webhook>,
    heard: health::Heard,
) -> Result<bool> {
    let (mut hook, mut attempt) = (Some(hook), 0);
    loop {
        let said = hook.as_ref().and_then(|hook| health::noted(ctx, hook, heard));
        let commit = asked::answered(ctx, &new.body, ctx.commit().update("attempt", old, new)).await?;
        match said.into_iter().fold(commit, Commit::joined).run().await {
            Err(Error::Stale { .. }) => {}
            other => return other.map(|()| true),
        }
        if due::record::<Delivery>(ctx, old.id).await?.is_none_or(|now| now.version != old.version) {
            return Ok(false);
        }
        ctx.store().pause(&mut attempt).await?;
        hook = due::record::<Webhook>(ctx, new.body.webhook).await?;
    }
}

/// Somebody else attempted the same at the same time: what they wrote stands.
async fn written(commit: Commit) -> Result<()> {
    match commit.run().await {
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

async fn put_off(ctx: &Ctx, old: &Record<Delivery>) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.next_at = Some(ctx.now() + PAUSE);
    written(ctx.commit().update("pause", old, &new)).await
}

/// Nothing is sent, for this reason.
async fn end(ctx: &Ctx, old: &Record<Delivery>, status: Status, why: &str) -> Result<()> {
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.next_at) = (status, None);
    new.body.attempts.push(Attempt {
        at: ctx.now(),
        status: None,
        ms: 0,
        error: Some(why.into()),
        response: None,
    });
    let commit = ctx.commit().update("end", old, &new);
    written(asked::answered(ctx, &new.body, commit).await?).await
}

/// With the headers of the specification, after the endpoint's own.
pub fn call(hook: &Webhook, message_id: &str, now: Timestamp, signed: String, body: Vec<u8>) -> Result<Call> {
    let url = hook.url.parse().map_err(Error::internal)?;
    let own = hook.headers.iter().flat_map(|h| h.0.clone());
    let ours = [
        ("content-type", "application/json".to_string()),
        ("user-agent", "Lumina-Webhooks/1".into()),
        ("webhook-id", message_id.into()),
        ("webhook-timestamp", now.as_second().to_string()),
        ("webhook-signature", signed),
    ];
    let ours = ours.into_iter().map(|(name, value)| (name.to_string(), value));
    Ok(Call { url, headers: own.chain(ours).collect(), body })
}
