//! Short messages that modules write themselves: codes and links for people who gave a number. They leave by the
//! channel that the notifications module has, as everybody else's; until then the text lies sealed in the table, since
//! queues carry nothing personal.

use crate::{App, Ctx, Queue};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Key, Store, When};

/// The message of the queue that asks for one to be sent.
pub const SEND: &str = "sms.send";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sms {
    /// E.164.
    pub to: Sealed<String>,
    pub text: Sealed<String>,
    /// Afterwards it is of no use any more, and is not sent.
    pub until: Timestamp,
    /// Without the organisation's name as its sender: where that would tell what it is about.
    #[serde(default)]
    pub unnamed: bool,
}

impl Sms {
    pub fn new(store: &Store, to: &str, text: String, good_for: SignedDuration) -> Self {
        Self { to: to.into(), text: Sealed(text), until: store.now() + good_for, unnamed: false }
    }

    pub fn unnamed(self) -> Self {
        Self { unnamed: true, ..self }
    }

    /// Hands it over; the same words to the same number lie there once, whoever is interrupted and comes again. It may
    /// arrive twice, as a letter may.
    pub async fn send(self, app: &App, store: &Store) -> Result<()> {
        let id = store.blind("sms", &format!("{}~{}", self.to.0, self.text.0));
        let any = When::Absent.or(When::Present);
        store.commit().put_until(&place(&id), &self, self.until, any, |_| Error::Missing).run().await?;
        let body = json!({"type": SEND, "tenant": store.scope().to_string(), "id": id});
        app.post().send(Queue::Notifications, body.to_string()).await
    }

    /// What waits under this id; none if it was sent, or is of no use any more.
    pub async fn waiting(ctx: &Ctx, id: &str) -> Result<Option<Self>> {
        let found: Option<Self> = ctx.store().read(&place(id)).await?;
        Ok(found.filter(|sms| sms.until > ctx.now()))
    }

    /// It has left, or never will.
    pub async fn done(ctx: &Ctx, id: &str) -> Result<()> {
        ctx.store().commit().delete(&place(id)).run().await
    }
}

fn place(id: &str) -> Key {
    Key::item("sms", id, ".")
}
