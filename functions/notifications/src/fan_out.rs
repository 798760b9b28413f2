//! From an event to what each person is told: rules, conditions, recipients, texts, ways. Every part can be done
//! again from its beginning: ids follow from the occasion, so what is there already is found there.

mod make;
pub mod plan;
pub mod recipients;
pub mod write;

pub use make::{Told, fresh, id_of, surroundings as make_surroundings};

use crate::{
    catalogue,
    delivery::gather,
    desk::Desk,
    people::{self, Person},
    rule::{self, Digest, NotificationRule},
    words::Category,
};
use events::Envelope;
use jiff::Timestamp;
use kernel::{Error, NotificationId, Result};
use serde_json::{Map, Value};
use store::Scope;
use web::{
    Ctx,
    gate::{Status, TenantGate},
};

/// What happened, as the texts hear of it.
#[derive(Clone, Debug)]
pub struct Occasion {
    pub change: String,
    pub at: Timestamp,
    pub event: String,
    pub by: String,
    pub record: String,
    pub version: u64,
    pub data: Map<String, Value>,
}

impl Occasion {
    pub fn of(event: &Envelope) -> Result<Self> {
        let Envelope { id, tenant: _, kind, at, by, record, version, cause: _, data } = event.clone();
        let at = at.parse().map_err(Error::internal)?;
        let data = data.as_object().cloned().unwrap_or_default();
        Ok(Self { change: id, at, event: kind, by, record, version, data })
    }
    /// Whom it is about.
    pub fn subject(&self) -> Option<&str> {
        events::subject(&self.data)
    }
}

/// Every rule of the event.
pub async fn hear(desk: &Desk, ctx: &Ctx, event: &Envelope) -> Result<()> {
    // A cap is told of in the inbox alone, so that no message ever causes another.
    if ctx.scope() == Scope::Platform || (catalogue::is_our_own(&event.kind) && event.kind != "cap.reached") {
        return Ok(());
    }
    let Ok(gate) = ctx.tenant() else { return Ok(()) };
    if !open(gate, Category::Account) {
        return Ok(());
    }
    let known = desk.known(ctx).await?;
    let data = &event.data;
    for rule in known.rules_of(&event.kind) {
        let holds = rule.when.iter().all(|condition| condition.holds(data, ctx.now()));
        if holds && known.holds(rule, || rule::input(ctx, event)) && open(gate, rule.category) {
            tell(desk, ctx, rule, &Occasion::of(event)?, 0).await?;
        }
    }
    Ok(())
}

/// A suspended organisation gets account messages only, a closed one none.
pub fn open(gate: &TenantGate, category: Category) -> bool {
    match gate.status {
        Status::Provisioning | Status::Trial | Status::Active | Status::PastDue | Status::Closing => true,
        Status::Suspended => category.is_account(),
        Status::Closed | Status::Erased => false,
    }
}

/// One rule's telling of one occasion, to its recipients or to those of a step of its escalation. Answers the items of
/// those who are told.
pub async fn tell(
    desk: &Desk,
    ctx: &Ctx,
    rule: &NotificationRule,
    occasion: &Occasion,
    level: u8,
) -> Result<Vec<NotificationId>> {
    let wanted = recipients::find(ctx, rule.recipients_at(level), occasion).await?;
    let mut asked: Vec<String> = wanted.iter().map(|w| w.id.clone()).collect();
    let subject = occasion.subject().map(String::from);
    asked.extend(subject.clone());
    let everybody = people::read(ctx, &asked).await?;
    let about = everybody.iter().find(|p| subject.as_ref().is_some_and(|s| p.asked.contains(s)));
    let told = everybody.iter().filter(|p| wanted.iter().any(|w| w.is(p)) && is_told(rule, occasion, p));
    tell_these(desk, ctx, rule, occasion, level, &told.collect::<Vec<_>>(), about).await
}

/// Nobody is told of what they did themselves, and nobody who has died.
fn is_told(rule: &NotificationRule, occasion: &Occasion, person: &Person) -> bool {
    let did_it = rule.exclude_actor && (person.id == occasion.by || person.asked.contains(&occasion.by));
    !did_it && !person.deceased
}

pub async fn tell_these(
    desk: &Desk,
    ctx: &Ctx,
    rule: &NotificationRule,
    occasion: &Occasion,
    level: u8,
    people: &[&Person],
    about: Option<&Person>,
) -> Result<Vec<NotificationId>> {
    let making = make::Making { ctx, known: desk.known(ctx).await?, rule, occasion, level, about };
    if rule.supersedes {
        write::supersede(ctx, occasion).await?;
    }
    let (mut page, mut items) = (vec![], vec![]);
    for person in people {
        let told = making.told(person)?;
        items.push(told.notification.id);
        match (rule.throttle_seconds, rule.digest) {
            (Some(seconds), _) => write::throttled(ctx, told, seconds).await?,
            (None, Digest::Hourly | Digest::Daily) if !rule.channels.is_empty() => {
                gather::told(ctx, rule, person, told).await?;
            }
            _ => page.push(told),
        }
    }
    write::all(ctx, page).await?;
    Ok(items)
}
