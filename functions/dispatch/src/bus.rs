//! Where events go: EventBridge in the cloud and locally, memory in tests.

use aws_sdk_eventbridge::{
    error::ProvideErrorMetadata,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use events::Envelope;
use futures::future::BoxFuture;
use kernel::{Error, Result};
use std::time::Duration;

/// An event that the bus did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at: usize,
    pub reason: String,
    /// It would be refused again whenever it came.
    pub forever: bool,
}

pub trait Bus: Send + Sync {
    /// Those that were not accepted. An error: none was, or nobody knows.
    fn put<'a>(&'a self, events: &'a [Envelope]) -> BoxFuture<'a, Result<Vec<Refused>>>;
}

/// EventBridge's bound of one call.
const ENTRIES: usize = 10;
/// Bytes of one event, and of all of a call; EventBridge's bound is 256 KB with what surrounds them.
pub(crate) const LARGEST: usize = 200 * 1024;
const TRIES: u32 = 4;

/// What became of events that were sent in order.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The first that was not accepted now; nothing behind its call was tried.
    pub stuck: Option<usize>,
    /// Those that will never be accepted.
    pub refused: Vec<(usize, String)>,
}

/// In as few calls as the bus allows. What it does not take now is tried again a moment later.
pub(crate) async fn send(bus: &dyn Bus, envelopes: &[Envelope]) -> Sent {
    let (mut sent, mut from) = (Sent::default(), 0);
    while from < envelopes.len() && sent.stuck.is_none() {
        let until = from + together(&envelopes[from..]);
        call(bus, envelopes, (from..until).collect(), &mut sent).await;
        from = until;
    }
    sent
}

/// How many fit into one call.
fn together(envelopes: &[Envelope]) -> usize {
    let (mut bytes, mut count) = (0, 0);
    for envelope in envelopes.iter().take(ENTRIES) {
        bytes += serde_json::to_string(envelope).map_or(0, |text| text.len());
        if count > 0 && bytes > LARGEST {
            break;
        }
        count += 1;
    }
    count
}

async fn call(bus: &dyn Bus, all: &[Envelope], mut places: Vec<usize>, sent: &mut Sent) {
    for attempt in 0..TRIES {
        let events: Vec<Envelope> = places.iter().map(|at| all[*at].clone()).collect();
        match bus.put(&events).await {
            Ok(refused) => {
                let (forever, now): (Vec<Refused>, _) = refused.into_iter().partition(|r| r.forever);
                sent.refused.extend(forever.into_iter().map(|r| (places[r.at], r.reason)));
                places = now.into_iter().map(|r| places[r.at]).collect();
            }
            // The client has tried for its time already.
            Err(error) => {
                tracing::warn!(%error, cause = ?error, "the bus did not answer");
                break;
            }
        }
        if places.is_empty() {
            return;
        }
        if attempt + 1 < TRIES {
            tokio::time::sleep(Duration::from_millis(rand::random_range(20..=50 << attempt))).await;
        }
    }
    sent.stuck = places.into_iter().min();
}

/// EventBridge as the bus.
pub struct EventBridge {
    client: aws_sdk_eventbridge::Client,
    bus: String,
}

/// What EventBridge says of the entry itself. All else (busy, broken, not permitted, another code than we know) may be
/// otherwise tomorrow and is waited for.
const FOREVER: &[&str] = &["InvalidArgument", "MalformedDetail", "RedactionFailure"];

impl EventBridge {
    pub fn new(client: aws_sdk_eventbridge::Client, bus: &str) -> Self {
        Self { client, bus: bus.into() }
    }

    /// The entries that were refused; none if the call as a whole is not valid, for one of them or for all.
    async fn call(&self, events: &[Envelope]) -> Result<Option<Vec<Refused>>> {
        let mut request = self.client.put_events();
        for event in events {
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(&self.bus)
                .source("lumina")
                .detail_type(&event.kind)
                .detail(serde_json::to_string(event).map_err(Error::internal)?);
            request = request.entries(entry.build());
        }
        let refused = |(at, entry): (usize, &PutEventsResultEntry)| {
            let code = entry.error_code()?;
            let reason = format!("the bus: {code} {}", entry.error_message().unwrap_or_default());
            Some(Refused { at, reason, forever: FOREVER.contains(&code) })
        };
        match request.send().await {
            Ok(answer) => Ok(Some(answer.entries().iter().enumerate().filter_map(refused).collect())),
            Err(e) if e.code() == Some("ValidationException") => Ok(None),
            Err(e) => Err(Error::internal(format!("bus: {}", e.message().unwrap_or("no answer")))),
        }
    }

    /// Each for itself: what the bus does not like is said of that one.
    async fn one_by_one(&self, events: &[Envelope]) -> Result<Vec<Refused>> {
        let mut refused = vec![];
        for (at, event) in events.iter().enumerate() {
            let invalid =
                || vec![Refused { at, reason: "the bus: ValidationException".into(), forever: true }];
            let one = self.call(std::slice::from_ref(event)).await?.unwrap_or_else(invalid);
            refused.extend(one.into_iter().map(|r| Refused { at, ..r }));
        }
        Ok(refused)
    }
}

impl Bus for EventBridge {
    fn put<'a>(&'a self, events: &'a [Envelope]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(async move {
            match self.call(events).await? {
                Some(refused) => Ok(refused),
                None => self.one_by_one(events).await,
            }
        })
    }
}
