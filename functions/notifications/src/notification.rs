//! A notification: one occasion told to one person. It is the item of the inbox, and what every delivery by other
//! ways hangs on. Its id follows from the occasion, so that it is made once however often it is heard of.

pub mod api;
pub mod due;

pub use api::read_own;

use crate::words::{Category, Priority};
use jiff::{SignedDuration, Timestamp};
use kernel::NotificationId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Due, Entity, Key, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Status { Unread = "unread", Read = "read", Archived = "archived" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// A user, or a person without a login.
    pub recipient: String,
    /// What happened.
    pub event: String,
    /// The change that it tells of.
    pub change: String,
    /// The code of the rule that tells of it.
    pub rule: String,
    pub template: String,
    /// The record it is about, and its version then.
    pub record: String,
    pub record_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub category: Category,
    pub priority: Priority,
    #[schemars(length(max = 120))]
    pub title: Sealed<String>,
    #[schemars(length(max = 1000))]
    pub body: Sealed<String>,
    /// Ids, codes and times of the event.
    #[serde(default)]
    pub data: Map<String, Value>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// How often the same was told within the rule's time.
    pub times: u32,
    #[serde(default)]
    pub needs_ack: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_by: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_at: Option<Timestamp>,
    /// Nobody acknowledged it in time: the next ones were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Timestamp>,
    /// 0 for those who were told first.
    #[serde(default)]
    pub level: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// How long an unread item is kept, and one that was read.
const UNREAD: SignedDuration = SignedDuration::from_hours(365 * 24);
const READ: SignedDuration = SignedDuration::from_hours(180 * 24);

impl Notification {
    /// When it leaves the inbox for good; its change records stay.
    pub fn purged_at(&self, made: Timestamp) -> Timestamp {
        self.read_at.map_or(made + UNREAD, |read| read + READ)
    }
    fn waits(&self) -> Option<Timestamp> {
        let open = self.needs_ack && self.ack_at.is_none() && self.escalated_at.is_none();
        self.ack_by.filter(|_| open)
    }
    /// Where it is noted that somebody took the occasion up: whoever it was, nobody else has to be called.
    pub fn taken(&self) -> Key {
        Key::item("ntf", format!("taken~{}~{}", self.change, self.rule), ".")
    }
}

impl Entity for Notification {
    type Id = NotificationId;
    const NOUN: &'static str = "notification";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        // Sparse: reading takes it out, so a badge is a count of few.
        List::by("unread", &["recipient"], |r| match r.body.status {
            Status::Unread => vec![Row::new(&[&r.body.recipient], &[&r.id])],
            _ => vec![],
        }),
        List::<Self>::by("inbox", &["recipient"], |r| vec![Row::new(&[&r.body.recipient], &[&r.id])]).range(),
    ];

    fn due(record: &Record<Self>) -> Vec<Due> {
        let ack = record.body.waits().map(|at| Due { at, what: "ack" });
        let purge = Due { at: record.body.purged_at(record.created_at), what: "purge" };
        ack.into_iter().chain([purge]).collect()
    }
}

impl Noun for Notification {
    fn within(record: &Record<Self>, _: Reach, actor: &Actor) -> bool {
        record.body.recipient == actor.user
    }
    /// A guardian sees what was told to whom they care for.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> kernel::Result<bool> {
        if ctx.reach() != Reach::Linked {
            return Ok(false);
        }
        linked(ctx, &record.body.recipient).await
    }
    fn subject(record: &Record<Self>) -> String {
        record.body.recipient.clone()
    }
    fn actions(record: &Record<Self>, _: &Ctx) -> Vec<&'static str> {
        let n = &record.body;
        let mut actions = match n.status {
            Status::Unread => vec!["read", "archive"],
            Status::Read => vec!["unread", "archive"],
            Status::Archived => vec![],
        };
        if n.needs_ack && n.ack_at.is_none() {
            actions.push("ack");
        }
        actions
    }
}

/// Whether the caller is linked to a person, for messages.
pub async fn linked(ctx: &Ctx, person: &str) -> kernel::Result<bool> {
    Ok(ctx.linked(person).await?.is_some())
}
