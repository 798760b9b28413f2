//! A delivery: one notification on its way out by one channel. The table of its states is in `spec/notifications.md`;
//! its id follows from notification and channel, so that a queue that says the same thing three times sends once.

pub mod api;
pub mod back_off;
pub mod due;
pub mod gather;
pub mod send;
pub mod settle;
pub mod status;

use crate::{
    rule::Digest,
    words::{Category, Channel, Priority},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{DeliveryId, NotificationId, money::Money};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row, Token};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Status {
        Queued = "queued", Held = "held", Deferred = "deferred", Skipped = "skipped", Sending = "sending",
        Sent = "sent", Delivered = "delivered", Failed = "failed", Bounced = "bounced", Complained = "complained",
        Cancelled = "cancelled",
    }
}

kernel::words! {
    /// Why nothing was sent.
    pub enum Skip {
        Preference = "preference", Suppressed = "suppressed", NoAddress = "no_address", Expired = "expired",
        Duplicate = "duplicate", DoNotContact = "do_not_contact", Deceased = "deceased", NoAccess = "no_access",
        Superseded = "superseded", NoProvider = "no_provider", Closed = "closed",
    }
}

impl Skip {
    /// Whether another way may still reach: what keeps from this way alone, not from the person or the occasion.
    pub fn leaves_other_ways(self) -> bool {
        matches!(self, Self::Preference | Self::Suppressed | Self::NoAddress | Self::NoProvider)
    }
}

kernel::words! {
    /// Why it waits.
    pub enum Hold { QuietHours = "quiet_hours", Digest = "digest", Cap = "cap" }
}

/// One try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    pub n: u32,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `sent`, or what went wrong.
    pub code: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    pub notification: NotificationId,
    /// A digest holds more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<NotificationId>,
    pub recipient: String,
    pub channel: Channel,
    pub category: Category,
    pub priority: Priority,
    pub rule: String,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skip>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    #[serde(default)]
    pub digest: Digest,
    /// Masked: read anew at each try, and kept so that a person knows which of their addresses it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Sealed<String>>,
    /// Blind index of the address it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub blind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Tries since it was last queued by a person.
    #[serde(default)]
    pub tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Ways that follow when this one does not reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Channel>,
    /// Not before then: held, deferred, or to be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// A worker has it until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// When it was first to be sent; tries end some time after it.
    pub wanted_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
}

/// Most of one digest.
pub const GATHERED: usize = 100;
/// Tries that are kept; a delivery that was queued again and again keeps the latest.
const KEPT: usize = 40;
/// A worker that has not come back after so long is dead.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Then the provider has this long to tell that it has the message.
pub const HEARING: SignedDuration = SignedDuration::from_secs(120);
/// A message to our own queue that is late by this was lost; the clock sends it again.
const LOST: SignedDuration = SignedDuration::from_secs(90);
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Delivery {
    pub fn notifications(&self) -> Vec<NotificationId> {
        [self.notification].into_iter().chain(self.also.iter().copied()).collect()
    }
    pub fn note(&mut self, at: Timestamp, provider: Option<&str>, code: &str) {
        let n = self.attempts.last().map_or(1, |a| a.n + 1);
        self.attempts.push(Attempt { n, at, provider: provider.map(Into::into), code: code.into() });
        if self.attempts.len() > KEPT {
            self.attempts.remove(0);
        }
        self.last_at = Some(at);
    }
    pub fn is_over(&self) -> bool {
        !matches!(self.status, Status::Queued | Status::Held | Status::Deferred | Status::Sending)
    }
    pub fn skip(&mut self, why: Skip) {
        (self.status, self.skipped, self.held, self.held_until, self.lease_until) =
            (Status::Skipped, Some(why), None, None, None);
    }
    pub fn queue(&mut self) {
        (self.status, self.held, self.lease_until) = (Status::Queued, None, None);
    }
    pub fn defer(&mut self, until: Timestamp) {
        (self.status, self.held, self.held_until, self.lease_until) =
            (Status::Deferred, Some(Hold::Cap), Some(until), None);
    }
    /// The way that follows, with those behind it.
    pub fn follow(&self) -> Option<(Channel, Vec<Channel>)> {
        let (first, rest) = self.next.split_first()?;
        Some((*first, rest.to_vec()))
    }
}

impl Entity for Delivery {
    type Id = DeliveryId;
    const NOUN: &'static str = "delivery";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        List::<Self>::by("notification", &["notification"], |r| {
            vec![Row::new(&[&r.body.notification], &[&r.id])]
        })
        .oldest_first(),
    ];

    /// One at a time: what has to happen next.
    fn due(record: &Record<Self>) -> Vec<Due> {
        let d = &record.body;
        let next = match d.status {
            Status::Held | Status::Deferred => d.held_until.map(|at| Due { at, what: "release" }),
            Status::Queued => {
                Some(Due { at: d.held_until.unwrap_or(record.updated_at + LOST), what: "send" })
            }
            Status::Sending => d.lease_until.map(|at| Due { at: at + HEARING, what: "lease" }),
            _ => Some(Due { at: record.created_at + MONTH * 13, what: "purge" }),
        };
        next.into_iter().collect()
    }
    /// What a provider calls it.
    fn tokens(&self) -> Vec<Token> {
        match (&self.provider, &self.provider_id) {
            (Some(provider), Some(id)) => vec![Token::Exact("provider", format!("{provider}|{id}"))],
            _ => vec![],
        }
    }
}

impl Noun for Delivery {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        reach == Reach::All || record.body.recipient == actor.user
    }
    fn subject(record: &Record<Self>) -> String {
        record.body.recipient.clone()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        match record.body.status {
            Status::Failed | Status::Bounced if ctx.may("delivery.resend") > Reach::None => vec!["resend"],
            Status::Queued | Status::Held | Status::Deferred if ctx.may("delivery.cancel") > Reach::None => {
                vec!["cancel"]
            }
            _ => vec![],
        }
    }
}
