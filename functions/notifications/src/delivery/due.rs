//! What wakes a delivery: our own queue, and the clock for whatever the queue lost or a worker left behind.

use super::{Delivery, HEARING, Status, send, settle};
use crate::{desk::Desk, due, fan_out::write};
use kernel::{DeliveryId, Result};
use serde_json::Value;
use std::sync::Arc;
use web::{App, Ctx, Task};

pub fn tasks(desk: &Arc<Desk>) -> Vec<Task> {
    let on = |name: &'static str, step: Step| {
        let own = desk.clone();
        Task::on(name, move |app, row| {
            let desk = own.clone();
            async move { wake(&desk, &app, &row, step).await }
        })
    };
    vec![
        on("send", Step::Send),
        on("due.dlv.send", Step::Send),
        on("due.dlv.release", Step::Release),
        on("due.dlv.lease", Step::Lease),
        on("due.dlv.purge", Step::Purge),
    ]
}

#[derive(Clone, Copy)]
enum Step {
    Send,
    Release,
    Lease,
    Purge,
}

async fn wake(desk: &Desk, app: &App, row: &Value, step: Step) -> Result<()> {
    let Some((ctx, id)) = due::read::<DeliveryId>(app, row).await? else { return Ok(()) };
    match step {
        Step::Send => send::send(desk, &ctx, id).await,
        Step::Release => release(desk, &ctx, id).await,
        Step::Lease => lapse(desk, &ctx, id).await,
        Step::Purge => purge(&ctx, id).await,
    }
}

/// What was held or deferred may go now.
async fn release(desk: &Desk, ctx: &Ctx, id: DeliveryId) -> Result<()> {
    let Some(old) = due::record::<Delivery>(ctx, id).await? else { return Ok(()) };
    let waits = matches!(old.body.status, Status::Held | Status::Deferred);
    if !waits || old.body.held_until.is_some_and(|at| at > ctx.now()) {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.queue();
    new.body.held_until = None;
    // Time spent waiting is not time spent trying.
    new.body.wanted_at = ctx.now();
    write::unless_there(ctx.store().commit().update("release", &old, &new).run().await)?;
    send::send(desk, ctx, id).await
}

/// A worker took it and never came back, and the provider has said nothing for two minutes.
async fn lapse(desk: &Desk, ctx: &Ctx, id: DeliveryId) -> Result<()> {
    let Some(old) = due::record::<Delivery>(ctx, id).await? else { return Ok(()) };
    let over = old.body.lease_until.is_some_and(|at| at + HEARING <= ctx.now());
    if old.body.status != Status::Sending || !over {
        return Ok(());
    }
    if let Some(receipt) = desk.carrier(old.body.channel).knows(&id.to_string()).await {
        return settle::settle(desk, ctx, id, settle::Outcome::Sent(receipt)).await;
    }
    let mut new = old.next(ctx.now());
    new.body.queue();
    new.body.note(ctx.now(), None, "lapsed");
    write::unless_there(ctx.store().commit().update("lapse", &old, &new).run().await)?;
    send::send(desk, ctx, id).await
}

async fn purge(ctx: &Ctx, id: DeliveryId) -> Result<()> {
    let Some(old) = due::record::<Delivery>(ctx, id).await? else { return Ok(()) };
    let over = <Delivery as store::Entity>::due(&old).iter().any(|d| d.what == "purge" && d.at <= ctx.now());
    if !over {
        return Ok(());
    }
    due::purge(ctx, &old).await
}
