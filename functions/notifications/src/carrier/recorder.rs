//! What was sent, kept instead of sent. A key that it has already is not sent a second time.

use super::{Carrier, Outgoing, Receipt, Sending};
use futures::future::BoxFuture;
use jiff::Timestamp;
use kernel::Clock;
use schemars::JsonSchema;
use seal::Sealed;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

/// Messages kept; the oldest go first.
const MOST: usize = 1000;

/// A message as the outbox shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recorded {
    pub at: Timestamp,
    pub channel: &'static str,
    /// The delivery.
    pub key: String,
    pub to: Sealed<String>,
    pub from: String,
    pub subject: Sealed<String>,
    pub text: Sealed<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub tenant: String,
}

pub struct Recorder {
    channel: &'static str,
    clock: Clock,
    sent: Mutex<VecDeque<Recorded>>,
}

impl Recorder {
    pub fn new(channel: &'static str, clock: Clock) -> Self {
        Self { channel, clock, sent: Mutex::default() }
    }

    fn sent(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.sent.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Everything, oldest first.
    pub fn all(&self) -> Vec<Recorded> {
        self.sent().iter().cloned().collect()
    }

    fn receipt(&self, key: &str) -> Receipt {
        Receipt { provider: "recorder".into(), id: format!("{}-{key}", self.channel) }
    }
}

impl Carrier for Recorder {
    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(async move {
            let mut sent = self.sent();
            if sent.iter().any(|s| s.key == message.key && *s.to == message.to) {
                return Ok(self.receipt(&message.key));
            }
            let Outgoing { key, tenant, to, from, subject, text, .. } = message.clone();
            let (to, subject, text) = (Sealed(to), Sealed(subject), Sealed(text));
            sent.push_back(Recorded {
                at: self.clock.now(),
                channel: self.channel,
                key,
                to,
                from,
                subject,
                text,
                tenant,
            });
            if sent.len() > MOST {
                sent.pop_front();
            }
            drop(sent);
            Ok(self.receipt(&message.key))
        })
    }
    fn knows<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        Box::pin(async move { self.sent().iter().any(|s| s.key == key).then(|| self.receipt(key)) })
    }
    fn outbox(&self, tenant: &str) -> Vec<Recorded> {
        self.sent().iter().rev().filter(|s| s.tenant == tenant).cloned().collect()
    }
}
