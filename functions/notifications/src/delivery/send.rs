//! Sending one delivery: look again, take it, send it, write what became of it. Whoever hears of the same delivery
//! at the same time finds it taken; whoever hears of it later finds it done.

use super::{Delivery, LEASE, Skip, Status, settle};
use crate::{
    cap,
    carrier::{Outgoing, Receipt, Trouble},
    delivery::settle::Outcome,
    desk::Desk,
    due, fan_out,
    fan_out::{
        plan::{self, Fate, Urgency},
        write,
    },
    notification::Notification,
    people::{self, Person},
    push_endpoint, suppression,
    words::Channel,
};
use events::NotificationEvent;
use kernel::{DeliveryId, Error, Result};
use serde_json::Value;
use store::{Commit, Key, Record, When, is};
use web::Ctx;

mod letter;

/// Everything that a try needs to know.
pub(super) struct Look {
    pub told: Vec<Record<Notification>>,
    pub person: Person,
    pub about: Option<Person>,
    moved: Option<u64>,
}

pub async fn send(desk: &Desk, ctx: &Ctx, id: DeliveryId) -> Result<()> {
    let Some(old) = due::record::<Delivery>(ctx, id).await? else { return Ok(()) };
    // Done, taken by somebody, or too early: the clock comes again.
    if old.body.status != Status::Queued || old.body.held_until.is_some_and(|at| at > ctx.now()) {
        return Ok(());
    }
    let Some(look) = look(ctx, &old).await? else {
        // Whoever has left has no contact any more.
        return settle::skip(desk, ctx, &old, Skip::NoAccess).await;
    };
    if let Some(why) = refused(desk, ctx, &old.body, &look).await? {
        return settle::skip(desk, ctx, &old, why).await;
    }
    if let Fate::Hold(why, until) = hour(ctx, &old.body, &look) {
        return settle::hold(ctx, &old, why, until).await;
    }
    if let Some(until) = desk.circuit.open_until(ctx.scope(), old.body.channel, ctx.now()) {
        return settle::wait(ctx, &old, until).await;
    }
    let messages = match letter::write(desk, ctx, &old, &look).await? {
        Ok(messages) => messages,
        Err(code) => return settle::failed(desk, ctx, &old, None, &code).await,
    };
    if messages.is_empty() {
        return settle::skip(desk, ctx, &old, Skip::NoAddress).await;
    }
    carry(desk, ctx, &old, messages).await
}

async fn look(ctx: &Ctx, old: &Record<Delivery>) -> Result<Option<Look>> {
    let told = ctx.store().get_many::<Notification>(&old.body.notifications()).await?;
    let Some(first) = told.first() else { return Ok(None) };
    let asked: Vec<String> =
        [Some(old.body.recipient.clone()), first.body.subject.clone()].into_iter().flatten().collect();
    let moved = async {
        let mark: Option<Value> = ctx.store().read(&write::moved(&first.body.record)).await?;
        Ok(mark.and_then(|m| m["moved"].as_u64()))
    };
    let (people, moved) = futures::try_join!(people::read(ctx, &asked), moved)?;
    let find = |id: &str| people.iter().find(|p| p.asked.iter().any(|a| a == id) || p.id == id).cloned();
    let Some(person) = find(&old.body.recipient) else { return Ok(None) };
    let about = first.body.subject.as_deref().and_then(find);
    Ok(Some(Look { told, person, about, moved }))
}

/// What has changed since it was queued: wishes, addresses, deaths, the record itself.
async fn refused(desk: &Desk, ctx: &Ctx, delivery: &Delivery, look: &Look) -> Result<Option<Skip>> {
    if !fan_out::open(ctx.tenant()?, delivery.category) {
        return Ok(Some(Skip::Closed));
    }
    let first = &look.told[0].body;
    let known = desk.known(ctx).await?;
    let superseded = known.rule(&first.rule).is_some_and(|rule| rule.superseded);
    if superseded && look.moved.is_some_and(|moved| moved > first.record_version) {
        return Ok(Some(Skip::Superseded));
    }
    Ok(plan::refusal(&look.person, urgency(delivery, ""), delivery.channel, ctx.now()))
}

fn hour(ctx: &Ctx, delivery: &Delivery, look: &Look) -> Fate {
    let key = delivery.notification.to_string();
    plan::hour(&look.person, urgency(delivery, &key), delivery.channel, ctx.now())
}

fn urgency<'a>(delivery: &Delivery, key: &'a str) -> Urgency<'a> {
    let Delivery { category, priority, expires_at, .. } = delivery;
    Urgency { category: *category, priority: *priority, expires_at: *expires_at, key }
}

/// A message to one address, and the device it goes to.
pub(super) struct Message {
    pub out: Outgoing,
    pub endpoint: Option<Record<push_endpoint::PushEndpoint>>,
    pub parts: u32,
    pub template: String,
    pub template_version: Option<u64>,
    pub language: String,
}

async fn carry(desk: &Desk, ctx: &Ctx, old: &Record<Delivery>, messages: Vec<Message>) -> Result<()> {
    // A provider that can tell has it already: a worker died after its yes.
    if old.body.tries > 0
        && let Some(receipt) = desk.carrier(old.body.channel).knows(&old.id.to_string()).await
    {
        return settle::settle(desk, ctx, old.id, Outcome::Sent(receipt)).await;
    }
    match claim(ctx, old, &messages).await? {
        Claim::Taken => {}
        Claim::Gone => return Ok(()),
        Claim::Suppressed => return settle::skip(desk, ctx, old, Skip::Suppressed).await,
        Claim::Full { until, window } => return settle::defer(ctx, old, until, window).await,
    }
    let mut last = Err(Trouble::Never { provider: "none".into(), code: "no-address".into() });
    for message in &messages {
        let sent = desk.carrier(old.body.channel).send(&message.out).await;
        if let (Err(Trouble::Gone { .. }), Some(endpoint)) = (&sent, &message.endpoint) {
            push_endpoint::forget(ctx, endpoint).await?;
        }
        // One device of several is enough.
        last = if last.is_ok() { last } else { sent };
    }
    match last {
        Ok(receipt) => sent(desk, ctx, old, receipt).await,
        Err(trouble) => settle::settle(desk, ctx, old.id, Outcome::Trouble(trouble)).await,
    }
}

async fn sent(desk: &Desk, ctx: &Ctx, old: &Record<Delivery>, receipt: Receipt) -> Result<()> {
    desk.circuit.worked(ctx.scope(), old.body.channel);
    settle::settle(desk, ctx, old.id, Outcome::Sent(receipt)).await
}

enum Claim {
    Taken,
    /// Somebody else has it.
    Gone,
    Suppressed,
    Full {
        until: jiff::Timestamp,
        window: cap::Window,
    },
}

/// Takes the delivery for a minute, counts it, and makes sure that its address is not suppressed: all or nothing.
async fn claim(ctx: &Ctx, old: &Record<Delivery>, messages: &[Message]) -> Result<Claim> {
    let mut new = old.next(ctx.now());
    let first = &messages[0];
    let channel = old.body.channel;
    let blind = suppression::blind(ctx.store(), channel, &first.out.to);
    let d = &mut new.body;
    (d.status, d.held, d.held_until) = (Status::Sending, None, None);
    d.lease_until = Some(ctx.now() + LEASE);
    d.tries += 1;
    d.address = Some(suppression::masked(channel, &first.out.to).into());
    d.blind = Some(blind.clone());
    (d.template, d.template_version) = (Some(first.template.clone()), first.template_version);
    d.language = Some(first.language.clone());
    if channel == Channel::Sms {
        d.segments = Some(first.parts);
        d.cost = cap::price(&ctx.tenant()?.country).times(i64::from(first.parts)).ok();
    }
    let free = When::Absent.or(is("active", false));
    let key = Key::record(suppression::id(channel, &blind));
    let suppressed = |_: Option<Value>| Error::conflict("suppressed", "nothing is sent to this address");
    let commit = ctx.store().commit().update("claim", old, &new).check(&key, free, suppressed);
    // What was counted once is not counted again for a second try.
    let commit = match old.body.tries {
        0 => cap::count(commit, ctx.tenant()?, &new.body, &old.id.to_string(), first.parts, ctx.now()),
        _ => commit,
    };
    let commit = neared(ctx, commit, &new, first.parts).await?;
    match commit.run().await {
        Ok(()) => Ok(Claim::Taken),
        Err(Error::Stale { .. } | Error::Missing) => Ok(Claim::Gone),
        Err(Error::Refused(r)) if r.code == "suppressed" => Ok(Claim::Suppressed),
        Err(Error::Refused(r)) if r.code == cap::REACHED => {
            let until = r.extra["until"].as_str().and_then(|t| t.parse().ok());
            let window = r.extra["window"].as_str().and_then(|w| w.parse().ok());
            match (until, window) {
                (Some(until), Some(window)) => Ok(Claim::Full { until, window }),
                _ => Err(Error::Refused(r)),
            }
        }
        Err(e) => Err(e),
    }
}

/// Four fifths of a day or a month are told of in the commit that takes them.
async fn neared(ctx: &Ctx, commit: Commit, new: &Record<Delivery>, parts: u32) -> Result<Commit> {
    let (gate, channel) = (ctx.tenant()?, new.body.channel);
    let (windows, keys): (Vec<cap::Window>, Vec<Key>) =
        cap::windows(gate, channel, ctx.now()).into_iter().unzip();
    if keys.is_empty() || new.body.tries > 1 {
        return Ok(commit);
    }
    let counters = ctx.store().read_many(&keys).await?;
    let counted = |window: cap::Window| {
        let at = windows.iter().position(|w| *w == window)?;
        let counter = counters.get(at)?.as_ref();
        Some(counter.and_then(|item| item["count"].as_u64()).unwrap_or_default())
    };
    let Some(window) = cap::neared(gate, channel, parts, counted) else { return Ok(commit) };
    Ok(commit.emit(NotificationEvent::CapReached {
        channel: channel.to_string(),
        window: window.to_string(),
        percent: 80,
    }))
}
