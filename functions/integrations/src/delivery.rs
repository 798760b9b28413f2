//! Deliveries: one message to one endpoint, with every attempt. What is sent is built from the change record each
//! time, never kept here.

pub mod api;
pub mod asked;
pub mod attempt;
pub mod cache;
pub mod dispatch;
pub mod message;
pub mod replay;
pub mod schedule;

use jiff::{SignedDuration, Timestamp};
use kernel::{Id, Ulid, WebhookDeliveryId, WebhookId};
use schemars::JsonSchema;
use seal::{Sealed, sha256};
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row, stamp};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Status {
        Pending = "pending",
        Delivered = "delivered",
        /// Tried as often as there are attempts, or its endpoint was disabled: it can be replayed.
        Failed = "failed",
        /// Its endpoint is gone.
        Abandoned = "abandoned",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    pub ms: u64,
    /// Why there was no answer, or why nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The first kilobyte of the answer, if it was no success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Sealed<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    pub webhook: WebhookId,
    /// Whose endpoint it was then.
    pub owner: String,
    /// The same over all attempts and replays: receivers do a thing once by it.
    pub message_id: String,
    pub event: String,
    /// `<kind>#<record>#<version>`: the change that the body is built from.
    pub change: String,
    /// When it happened.
    pub happened_at: Timestamp,
    pub status: Status,
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<WebhookDeliveryId>,
}

/// How long the log is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The queue carries an attempt of the next minutes; should it lose one, the clock comes so much later.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// The message of a change to an endpoint has one name, however often it is told of: a delivery and its replays,
/// here and after a restart.
pub fn named(webhook: WebhookId, change: &str, happened_at: Timestamp) -> Ulid {
    let digest = sha256(format!("{webhook}|{change}").as_bytes());
    let random = digest.iter().take(10).fold(0u128, |n, byte| n << 8 | u128::from(*byte));
    Ulid::from_parts(happened_at.as_millisecond().unsigned_abs(), random)
}

impl Delivery {
    pub fn first(
        webhook: &Record<crate::webhook::Webhook>,
        event: &str,
        change: &str,
        at: Timestamp,
    ) -> Self {
        Self {
            webhook: webhook.id,
            owner: webhook.body.owner.clone(),
            message_id: format!("msg_{}", named(webhook.id, change, at)),
            event: event.into(),
            change: change.into(),
            happened_at: at,
            status: Status::Pending,
            attempts: vec![],
            next_at: None,
            replay_of: None,
        }
    }
    /// The id of the first delivery of this message.
    pub fn id(&self) -> WebhookDeliveryId {
        WebhookDeliveryId::of(named(self.webhook, &self.change, self.happened_at))
    }
}

impl Entity for Delivery {
    type Id = WebhookDeliveryId;
    const NOUN: &'static str = "webhook_delivery";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("webhook", &["webhook", "status"], |r| {
            vec![Row::new(&[&r.body.webhook, &r.body.status], &[&stamp(r.created_at), &r.id])]
        })
        .range(),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let next = record.body.next_at.filter(|_| record.body.status == Status::Pending);
        let soon = |at: &Timestamp| at.duration_since(record.updated_at) <= schedule::BY_QUEUE;
        next.map(|at| Due { at: if soon(&at) { at + GRACE } else { at }, what: "attempt" })
            .into_iter()
            .collect()
    }
    fn expires(record: &Record<Self>) -> Option<Timestamp> {
        Some(record.created_at + KEPT)
    }
}

impl Noun for Delivery {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::None => false,
            _ => record.body.owner == actor.user,
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let over = record.body.status != Status::Pending;
        if over && ctx.may("webhook.replay") > Reach::None { vec!["replay"] } else { vec![] }
    }
}
