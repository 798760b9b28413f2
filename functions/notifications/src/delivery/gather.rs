//! Digests: what a person is told of one kind within an hour or a day is one message. The delivery's id follows from
//! person, way and window, so that everything of the window finds the same one.

use super::{Delivery, GATHERED, Hold, Status};
use crate::{
    fan_out::Told,
    ids,
    notification::Notification,
    people::Person,
    preferences::quiet,
    rule::{Digest, NotificationRule},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{DeliveryId, Error, Result, error::found};
use store::Record;
use web::Ctx;

/// When the window ends that this moment is in.
fn end(person: &Person, digest: Digest, now: Timestamp) -> Timestamp {
    match digest {
        Digest::Daily => quiet::next_hour(now, &person.zone, person.wants.digest_hour),
        _ => None,
    }
    .unwrap_or(now + SignedDuration::from_secs(3600 - now.as_second().rem_euclid(3600)))
}

/// One occasion of a rule whose messages are gathered.
pub async fn told(ctx: &Ctx, rule: &NotificationRule, person: &Person, told: Told) -> Result<()> {
    let until = end(person, rule.digest, ctx.now());
    let mut attempt = 0;
    loop {
        match gather(ctx, rule, until, &told).await {
            Err(Error::Stale { .. }) => {}
            other => return other,
        }
        // Written before by this very occasion, or somebody else added to the same digest meanwhile.
        if ctx.store().get::<Notification>(told.notification.id).await.is_ok() {
            return Ok(());
        }
        ctx.store().pause(&mut attempt).await?;
    }
}

async fn gather(ctx: &Ctx, rule: &NotificationRule, until: Timestamp, told: &Told) -> Result<()> {
    let kept: Vec<&Record<Delivery>> = told.deliveries.iter().collect();
    let item = Told { notification: told.notification.clone(), deliveries: vec![] };
    let mut commit = item.add_to(ctx.store().commit());
    for one in kept {
        // What is skipped anyway is noted beside its item.
        if one.body.status == Status::Skipped {
            commit = commit.create(one);
            continue;
        }
        match open(ctx, one, until).await? {
            Slot::Open(old) => {
                let mut new = old.next(ctx.now());
                new.body.also.push(told.notification.id);
                commit = commit.update("gather", &old, &new);
            }
            Slot::New(id) => {
                let mut new = Record::with_id(id, ctx.now(), one.body.clone());
                new.body.digest = rule.digest;
                new.body.status = Status::Held;
                (new.body.held, new.body.held_until) = (Some(Hold::Digest), Some(until));
                commit = commit.create(&new);
            }
        }
    }
    commit.run().await
}

enum Slot {
    Open(Box<Record<Delivery>>),
    New(DeliveryId),
}

/// The window's delivery that still takes something, or the id of the next one.
async fn open(ctx: &Ctx, one: &Record<Delivery>, until: Timestamp) -> Result<Slot> {
    for n in 0u32.. {
        let (to, channel, category) = (&one.body.recipient, one.body.channel, one.body.category);
        let id = ids::at(until, &[to, channel.as_str(), category.as_str(), &n.to_string()]);
        let Some(old) = found(ctx.store().fresh::<Delivery>(id).await)? else { return Ok(Slot::New(id)) };
        if old.body.status == Status::Held && old.body.also.len() + 1 < GATHERED {
            return Ok(Slot::Open(Box::new(old)));
        }
    }
    Err(Error::Busy)
}
