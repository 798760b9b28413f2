//! What one person is told: the item of their inbox, and a delivery for each way.

use super::{
    Occasion,
    plan::{self, Fate, Urgency, Way},
};
use crate::{
    delivery::{self, Delivery},
    desk::Known,
    ids,
    notification::{Notification, Status},
    people::Person,
    rule::NotificationRule,
    template::{Surroundings, render, truncate},
    words::Medium,
};
use jiff::{SignedDuration, Timestamp};
use kernel::{DeliveryId, NotificationId, Result};
use serde_json::Value;
use std::sync::Arc;
use store::Record;
use web::Ctx;

pub struct Making<'a> {
    pub ctx: &'a Ctx,
    pub known: Arc<Known>,
    pub rule: &'a NotificationRule,
    pub occasion: &'a Occasion,
    pub level: u8,
    /// Whom the occasion is about.
    pub about: Option<&'a Person>,
}

/// Everything that one person's part of a commit holds.
pub struct Told {
    pub notification: Record<Notification>,
    pub deliveries: Vec<Record<Delivery>>,
}

/// Characters of the inbox's texts.
const TITLE: usize = 120;
const BODY: usize = 1000;

impl Making<'_> {
    pub fn told(&self, person: &Person) -> Result<Told> {
        let (rule, occasion) = (self.rule, self.occasion);
        let step = format!("{}~{}", rule.code, self.level);
        let id: NotificationId = ids::at(occasion.at, &[&occasion.change, &step, &person.id]);
        let body = self.item(person)?;
        let key = id.to_string();
        let urgency = Urgency {
            category: rule.category,
            priority: rule.priority,
            expires_at: body.expires_at,
            key: &key,
        };
        let ways = plan::ways(rule, person, urgency, self.ctx.now());
        let notification = Record::with_id(id, self.ctx.now(), body);
        let deliveries = ways.into_iter().map(|way| self.delivery(&notification, way)).collect();
        Ok(Told { notification, deliveries })
    }

    fn item(&self, person: &Person) -> Result<Notification> {
        let (rule, occasion, now) = (self.rule, self.occasion, self.ctx.now());
        let (title, text) = self.words(person)?;
        let shown = person.wants.shows(rule.category, rule.priority);
        let patience = if rule.needs_ack { rule.patience(self.level) } else { None };
        let after = |minutes: u32| now + SignedDuration::from_mins(i64::from(minutes));
        Ok(Notification {
            recipient: person.id.clone(),
            event: occasion.event.clone(),
            change: occasion.change.clone(),
            rule: rule.code.clone(),
            template: rule.template().into(),
            record: occasion.record.clone(),
            record_version: occasion.version,
            subject: occasion.subject().map(String::from),
            category: rule.category,
            priority: rule.priority,
            title: title.into(),
            body: text.into(),
            data: occasion.data.clone(),
            status: if shown { Status::Unread } else { Status::Read },
            read_at: (!shown).then_some(now),
            times: 1,
            needs_ack: rule.needs_ack,
            ack_by: patience.map(after),
            ack_at: None,
            escalated_at: None,
            level: self.level,
            expires_at: expiry(rule, occasion),
        })
    }

    /// The inbox's words, in the reader's language. A text that does not fit the event is no reason to tell nothing.
    fn words(&self, person: &Person) -> Result<(String, String)> {
        let gate = self.ctx.tenant()?;
        let chosen = self.known.text(self.rule.template(), Medium::InApp, &person.language, &gate.language);
        let around = surroundings(self.ctx, person, self.about, String::new())?;
        let data = Value::Object(self.occasion.data.clone());
        let rendered = chosen.map(|c| render(&c.text, Medium::InApp, &around, &data));
        match rendered {
            Some(Ok(words)) => Ok((truncate(&words.title, TITLE), truncate(&words.body, BODY))),
            Some(Err(fault)) => {
                tracing::warn!(
                    template = self.rule.template(),
                    line = fault.line,
                    detail = fault.detail,
                    "does not render"
                );
                Ok((self.rule.name.clone(), String::new()))
            }
            None => Ok((self.rule.name.clone(), String::new())),
        }
    }

    fn delivery(&self, of: &Record<Notification>, way: Way) -> Record<Delivery> {
        let mut delivery = fresh(of, &way, self.ctx.now());
        match way.fate {
            Fate::Queue => {}
            Fate::Hold(why, until) => {
                delivery.status = delivery::Status::Held;
                (delivery.held, delivery.held_until) = (Some(why), Some(until));
            }
            Fate::Skip(why) => delivery.skip(why),
        }
        let id = id_of(of.id, &way);
        Record::with_id(id, self.ctx.now(), delivery)
    }
}

/// A delivery's id follows from the notification and the way.
pub fn id_of(notification: NotificationId, way: &Way) -> DeliveryId {
    let at = Timestamp::from_millisecond(
        i64::try_from(kernel::Id::ulid(notification).timestamp_ms()).unwrap_or(0),
    );
    ids::at(at.unwrap_or(Timestamp::UNIX_EPOCH), &[&notification.to_string(), way.channel.as_str()])
}

pub fn fresh(of: &Record<Notification>, way: &Way, now: Timestamp) -> Delivery {
    Delivery {
        notification: of.id,
        also: vec![],
        recipient: of.body.recipient.clone(),
        channel: way.channel,
        category: of.body.category,
        priority: of.body.priority,
        rule: of.body.rule.clone(),
        status: delivery::Status::Queued,
        skipped: None,
        held: None,
        digest: Default::default(),
        address: None,
        blind: None,
        template: None,
        template_version: None,
        language: None,
        attempts: vec![],
        tries: 0,
        provider: None,
        provider_id: None,
        segments: None,
        cost: None,
        next: way.next.clone(),
        held_until: None,
        lease_until: None,
        wanted_at: now,
        expires_at: of.body.expires_at,
        last_at: None,
    }
}

/// When telling is of no use any more: the rule's hours, and a reminder not after what it reminds of.
fn expiry(rule: &NotificationRule, occasion: &Occasion) -> Option<Timestamp> {
    let hours = rule.valid_hours.map(|h| occasion.at + SignedDuration::from_hours(i64::from(h)));
    let start = occasion.data.get("start").and_then(Value::as_str).and_then(|t| t.parse().ok());
    match (hours, start.filter(|_| rule.superseded)) {
        (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
        (a, b) => a.or(b),
    }
}

/// What texts are rendered with. The subject's name is for the subject, and for staff.
pub fn surroundings(
    ctx: &Ctx,
    person: &Person,
    about: Option<&Person>,
    link: String,
) -> Result<Surroundings> {
    let gate = ctx.tenant()?;
    let subject = about.filter(|s| person.staff && s.id != person.id);
    Ok(Surroundings {
        name: person.contact.name.0.clone(),
        language: person.language.clone(),
        zone: person.zone.clone(),
        now: ctx.now(),
        organisation: gate.name.clone(),
        url: ctx.app().place().public_url.clone(),
        subject: subject.map(|s| s.contact.name.0.clone()),
        link,
    })
}
