//! Written in few transactions: each person's item with its deliveries, as many people at once as fit.

use super::{Occasion, make::Told};
use crate::{
    delivery::{self, Delivery},
    ids,
    notification::Notification,
};
use events::NotificationEvent;
use jiff::SignedDuration;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use store::{Commit, Key, Record, When};
use web::{Ctx, Queue};

/// Items of one transaction, of the 100 there may be.
const ITEMS: usize = 90;

impl Told {
    /// Items it takes: record and change of each, and a second due row where an acknowledgement is waited for.
    fn items(&self) -> usize {
        3 + 3 * self.deliveries.len()
    }
    pub(crate) fn add_to(&self, commit: Commit) -> Commit {
        let commit = commit.create(&self.notification).emit(created(&self.notification));
        self.deliveries.iter().fold(commit, |commit, delivery| commit.create(delivery))
    }
}

fn created(record: &Record<Notification>) -> NotificationEvent {
    let n = &record.body;
    NotificationEvent::Created {
        notification: record.id,
        recipient: n.recipient.clone(),
        category: n.category.to_string(),
        priority: n.priority.to_string(),
        needs_ack: n.needs_ack,
        of: n.event.clone(),
    }
}

pub async fn all(ctx: &Ctx, told: Vec<Told>) -> Result<()> {
    let mut page: Vec<Told> = vec![];
    let mut size = 0;
    for one in told {
        if size + one.items() > ITEMS {
            write(ctx, std::mem::take(&mut page)).await?;
            size = 0;
        }
        size += one.items();
        page.push(one);
    }
    write(ctx, page).await
}

async fn write(ctx: &Ctx, page: Vec<Told>) -> Result<()> {
    if page.is_empty() {
        return Ok(());
    }
    let commit = page.iter().fold(ctx.store().commit(), |commit, told| told.add_to(commit));
    match commit.run().await {
        Ok(()) => {}
        // Somebody of them was told before: each for themselves.
        Err(Error::Stale { .. }) => {
            for told in &page {
                unless_there(told.add_to(ctx.store().commit()).run().await)?;
            }
        }
        Err(e) => return Err(e),
    }
    for told in &page {
        post(ctx, &told.deliveries).await;
    }
    Ok(())
}

/// What is there already was written by the same occasion: its id follows from it.
pub fn unless_there(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

/// Tells our own queue. A message that gets lost is sent again by the clock, so it never fails what it follows.
pub async fn post(ctx: &Ctx, deliveries: &[Record<Delivery>]) {
    for delivery in deliveries.iter().filter(|d| d.body.status == delivery::Status::Queued) {
        let wait = delivery.body.held_until.map(|at| at.duration_since(ctx.now()));
        // What waits longer than a queue keeps messages back is the clock's.
        let wait = wait.unwrap_or(SignedDuration::ZERO);
        if wait > SignedDuration::from_mins(15) {
            continue;
        }
        let body = json!({"type": "send", "tenant": ctx.scope().to_string(), "id": delivery.id}).to_string();
        let wait = Duration::try_from(wait).unwrap_or_default();
        if let Err(error) = ctx.app().post().send_after(Queue::Notifications, body, wait).await {
            tracing::warn!(%error, "the queue did not take a delivery; the clock will send it");
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Lately {
    notification: kernel::NotificationId,
}

/// The same about the same record within the rule's time is one item, with its count.
pub async fn throttled(ctx: &Ctx, told: Told, seconds: u32) -> Result<()> {
    let n = &told.notification.body;
    let place = ids::digest(&[&n.rule, &n.recipient, &n.record]);
    let key = Key::item("nrl", format!("lately~{}", data_encoding::HEXLOWER.encode(&place)), ".");
    let mut attempt = 0;
    loop {
        let lately: Option<Lately> = ctx.store().read(&key).await?;
        let result = match &lately {
            // Told by this very occasion.
            Some(lately) if lately.notification == told.notification.id => return Ok(()),
            Some(lately) => merge(ctx, lately, &told).await,
            None => first(ctx, &key, &told, seconds).await,
        };
        match result {
            Err(Error::Stale { .. }) if attempt < 8 => ctx.store().pause(&mut attempt).await?,
            Err(Error::Stale { .. }) => return Err(Error::Busy),
            other => return other,
        }
    }
}

async fn first(ctx: &Ctx, key: &Key, told: &Told, seconds: u32) -> Result<()> {
    let until = ctx.now() + SignedDuration::from_secs(i64::from(seconds));
    let free = When::Absent.or(When::Below("ttl", ctx.now().as_second() + 1));
    let mark = Lately { notification: told.notification.id };
    let taken = |_: Option<serde_json::Value>| Error::meanwhile();
    let commit = told.add_to(ctx.store().commit()).put_until(key, &mark, until, free, taken);
    match commit.run().await {
        Ok(()) => post(ctx, &told.deliveries).await,
        // Told before, and the time of the first telling is over.
        Err(Error::Stale { .. }) if ctx.store().get::<Notification>(told.notification.id).await.is_ok() => {}
        Err(e) => return Err(e),
    }
    Ok(())
}

async fn merge(ctx: &Ctx, lately: &Lately, told: &Told) -> Result<()> {
    let Some(old) = web::live::<Notification>(ctx, lately.notification).await? else { return Ok(()) };
    let mut new = old.next(ctx.now());
    new.body.times += 1;
    let commit = ctx.store().commit().update("merge", &old, &new);
    // Counted once for each occasion.
    let once = ctx.once_for(commit, "notify.merge", &told.notification.id.to_string());
    web::done(once.run().await)
}

/// What was told of this record and still waits is out of date from this version on.
pub async fn supersede(ctx: &Ctx, occasion: &Occasion) -> Result<()> {
    let version = i64::try_from(occasion.version).unwrap_or(i64::MAX);
    let ttl = ctx.now() + SignedDuration::from_hours(60 * 24);
    let newer = When::Absent.or(When::Below("moved", version));
    let later = |_: Option<serde_json::Value>| Error::meanwhile();
    let commit = ctx.store().commit();
    let mark = json!({"moved": version});
    unless_there(commit.put_until(&moved(&occasion.record), &mark, ttl, newer, later).run().await)
}

/// Where it stands that a record has moved on.
pub fn moved(record: &str) -> Key {
    Key::item("ntf", format!("moved~{record}"), ".")
}
