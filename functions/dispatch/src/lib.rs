//! The table's stream → the bus. Only change records come here (the event source filters); those that carry an
//! event are put on the bus, those that carry a due time lower the tenant's next beat.

pub mod anchor;
mod image;

use events::Envelope;
use futures::future::BoxFuture;
use kernel::{Error, Result};
use serde_json::{Value, json};
use store::{Caller, Scope};
use web::App;

/// Where events go: EventBridge in the cloud and locally, memory in tests.
pub trait Bus: Send + Sync {
    /// The positions of those that were not accepted.
    fn put<'a>(&'a self, events: &'a [Envelope]) -> BoxFuture<'a, Result<Vec<usize>>>;
}

/// One batch of the stream. The answer names the first record that failed: it and everything behind it comes
/// again, so nothing is lost, and consumers remember what they have seen.
pub async fn dispatch(app: &App, bus: &dyn Bus, batch: &Value) -> Value {
    let records: Vec<&Value> = batch["Records"].as_array().into_iter().flatten().collect();
    let changes: Vec<(String, Value)> = records.iter().filter_map(|r| change(r)).collect();
    let failed = match send(app, bus, &changes).await {
        Ok(None) => None,
        Ok(Some(first)) => Some(first),
        Err(error) => {
            tracing::error!(%error, "a batch of the stream was not dispatched");
            changes.first().map(|(sequence, _)| sequence.clone())
        }
    };
    let failures: Vec<Value> =
        failed.into_iter().map(|sequence| json!({"itemIdentifier": sequence})).collect();
    json!({"batchItemFailures": failures})
}

/// A new change record, with its place in the stream.
fn change(record: &Value) -> Option<(String, Value)> {
    let sequence = record["dynamodb"]["SequenceNumber"].as_str()?.to_string();
    let image = image::plain(&record["dynamodb"]["NewImage"])?;
    let fresh = record["eventName"] == "INSERT" && image["pk"].as_str()?.contains("#chg#");
    fresh.then_some((sequence, image))
}

async fn send(app: &App, bus: &dyn Bus, changes: &[(String, Value)]) -> Result<Option<String>> {
    note_due(app, changes).await?;
    anchor::send(app, changes).await?;
    let (places, envelopes): (Vec<&String>, Vec<Envelope>) = changes
        .iter()
        .filter_map(|(sequence, image)| {
            Some((sequence, Envelope::from_change(image["pk"].as_str()?, image)?))
        })
        .unzip();
    let mut first: Option<usize> = None;
    for (n, chunk) in envelopes.chunks(ENTRIES).enumerate() {
        for failed in bus.put(chunk).await? {
            let at = n * ENTRIES + failed;
            first = Some(first.map_or(at, |f| f.min(at)));
        }
    }
    Ok(first.and_then(|at| places.get(at)).map(|s| s.to_string()))
}

/// EventBridge's bound of one call.
const ENTRIES: usize = 10;

/// The clock skips tenants whose next due time is later: a change that brings an earlier one says so here.
async fn note_due(app: &App, changes: &[(String, Value)]) -> Result<()> {
    let due = changes.iter().filter_map(|(_, image)| {
        let (tenant, _) = image["pk"].as_str()?.split_once("#chg#")?;
        Some((Scope::from_claim(tenant)?, image["due"].as_str()?))
    });
    let due: Vec<(Scope, &str)> = due.filter(|(scope, _)| *scope != Scope::Platform).collect();
    if due.is_empty() {
        return Ok(());
    }
    let caller = Caller { by: "system:dispatch".into(), ..Caller::default() };
    let platform = app.vault().open(Scope::Platform, caller).await?;
    for (scope, at) in due {
        platform.lower_next_due(scope, at).await?;
    }
    Ok(())
}

/// EventBridge as the bus.
pub struct EventBridge {
    client: aws_sdk_eventbridge::Client,
    bus: String,
}

impl EventBridge {
    pub fn new(client: aws_sdk_eventbridge::Client, bus: &str) -> Self {
        Self { client, bus: bus.into() }
    }
}

impl Bus for EventBridge {
    fn put<'a>(&'a self, events: &'a [Envelope]) -> BoxFuture<'a, Result<Vec<usize>>> {
        Box::pin(async move {
            let mut request = self.client.put_events();
            for event in events {
                let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
                    .event_bus_name(&self.bus)
                    .source("lumina")
                    .detail_type(&event.kind)
                    .detail(serde_json::to_string(event).map_err(Error::internal)?);
                request = request.entries(entry.build());
            }
            let answer = request.send().await.map_err(|e| Error::internal(format!("bus: {e}")))?;
            let refused = |(n, e): (usize, &aws_sdk_eventbridge::types::PutEventsResultEntry)| {
                e.error_code().map(|code| {
                    tracing::warn!(code, "the bus did not accept an event");
                    n
                })
            };
            Ok(answer.entries().iter().enumerate().filter_map(refused).collect())
        })
    }
}
