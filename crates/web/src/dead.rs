//! Messages that were given up, each with its reason. A queue's own dead letters keep no reason; so whoever handles a
//! message for the last time leaves a note of the platform's, by queue and day, that operators read and send again.
//! Bodies are ids and codes; a reason may quote what somebody sent, and both lie sealed.

use crate::{App, access::Queue};
use data_encoding::BASE32_NOPAD;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Caller, Key, Scope, Store, When};

/// How often a queue hands a message over before it is given up: `maxReceiveCount` of every queue in
/// `infra/messaging.yaml`.
pub const RECEIVES: u32 = 5;

/// As long as the queues keep dead letters themselves.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Bytes; a larger body stays in the queue's dead letters only.
const LARGEST: usize = 64 * 1024;
/// Characters of a reason.
const REASON: usize = 500;

/// A message that was given up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// `<queue>~<day>~<digest of the message>`: the same message given up twice on a day is one.
    pub id: String,
    /// The queue, named as the module that reads it; `dispatch` for changes that did not reach the bus.
    pub queue: String,
    /// `patient.merged`, `due.flw.expiry`, `beat.night`; empty if it could not be read.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The event's or the record's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The last time that it was given up.
    pub at: Timestamp,
    /// Why, as the log has it.
    pub reason: Sealed<String>,
    /// What is sent again; none if it is too large, or no message of a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub body: Option<Sealed<String>>,
}

impl DeadLetter {
    pub fn new(queue: &str, body: &str, reason: &str, at: Timestamp) -> Self {
        let read: Value = serde_json::from_str(body).unwrap_or_default();
        let inner = read.get("detail").unwrap_or(&read);
        let text = |name: &str| inner[name].as_str().map(String::from);
        let digest = seal::sha256(format!("{queue}\n{body}").as_bytes());
        let day = at.strftime("%Y-%m-%d");
        Self {
            id: format!("{queue}~{day}~{}", BASE32_NOPAD.encode(&digest[..16])),
            queue: queue.into(),
            message: text("type").unwrap_or_default(),
            tenant: text("tenant"),
            subject: text("id"),
            at,
            reason: Sealed(reason.chars().take(REASON).collect()),
            body: (body.len() <= LARGEST).then(|| Sealed(body.into())),
        }
    }

    pub fn key(&self) -> Key {
        key(&self.queue, self.id.split_once('~').map_or("", |(_, place)| place))
    }

    /// Leaves the note; one that lies there is replaced.
    pub async fn keep(&self, app: &App) -> Result<()> {
        let (store, ttl) = (platform(app).await?, self.at + KEPT);
        let always = When::Absent.or(When::Present);
        let never = |_| Error::internal("a note is always written");
        store.commit().put_until(&self.key(), self, ttl, always, never).run().await
    }

    /// It was handled after all.
    pub async fn drop(&self, app: &App) -> Result<()> {
        platform(app).await?.commit().delete(&self.key()).run().await
    }

    /// One of them (in the platform's store).
    pub async fn find(store: &Store, id: &str) -> Result<Self> {
        let (queue, place) = id.split_once('~').ok_or(Error::Missing)?;
        store.read(&key(queue, place)).await?.ok_or(Error::Missing)
    }

    /// A queue's, latest day first; `before` is the last id of the page before.
    pub async fn latest(store: &Store, queue: &str, before: &str, limit: i32) -> Result<Vec<Self>> {
        let before = before.split_once('~').map_or("", |(_, place)| place);
        let found = store.latest::<Self>(&key(queue, "."), "", before, limit).await?;
        Ok(found.into_iter().map(|(_, letter)| letter).collect())
    }

    /// Sends it again; whoever asks takes the note away. Consumers are idempotent: sent twice, it is done once.
    pub async fn resend(&self, app: &App) -> Result<()> {
        let queue: Queue = self.queue.parse().map_err(|()| unsendable())?;
        let body = self.body.as_ref().ok_or_else(unsendable)?;
        app.post().send(queue, body.0.clone()).await
    }
}

fn unsendable() -> Error {
    let detail = "this cannot be sent again from here: move it from the queue's own dead letters, or replay the time it \
                  comes from (docs/pipeline.md)";
    Error::conflict("not-resendable", detail)
}

fn key(queue: &str, place: &str) -> Key {
    Key::item("dead", queue, place)
}

async fn platform(app: &App) -> Result<Store> {
    let caller = Caller { by: "system:dead_letters".into(), ..Caller::default() };
    app.vault().open(Scope::Platform, caller).await
}
