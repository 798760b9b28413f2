//! What wakes the functions: queues, the table's stream and schedules, as the template declares them.

use crate::{
    handler::{Handler, failures},
    queue::{Message, Queues, wire},
    table::Table,
    template::{REGION, messaging::fits, schedule::Schedule},
    trouble::Outcome,
};
use jiff::SignedDuration;
use kernel::Clock;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Becomes true when the platform stops: what is in work is finished, nothing new is begun.
pub type Stop = watch::Receiver<bool>;

/// Also when whoever could say so is gone.
fn is_over(stop: &Stop) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

/// Hands a queue's messages to a function in batches until the platform stops.
pub async fn drain(queues: Arc<Queues>, queue: String, batch: usize, function: Handler, mut stop: Stop) {
    let news = queues.news(&queue);
    while !is_over(&stop) {
        match queues.receive(&queue, batch) {
            Ok(messages) if !messages.is_empty() => deliver(&queues, &queue, messages, &function).await,
            Ok(_) => {
                let soon = queues.next_in(&queue).ok().flatten().unwrap_or(Duration::from_secs(5));
                let nap = soon.clamp(Duration::from_millis(10), Duration::from_secs(5));
                tokio::select! {
                    _ = news.notified() => {}
                    _ = tokio::time::sleep(nap) => {}
                    _ = stop.changed() => {}
                }
            }
            Err(trouble) => {
                tracing::error!(queue, %trouble, "the queue cannot be read");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn deliver(queues: &Queues, queue: &str, messages: Vec<Message>, function: &Handler) {
    let name = queues.find(queue).map(|about| about.name.clone()).unwrap_or_default();
    let records: Vec<Value> = messages.iter().map(|message| record(&name, message)).collect();
    let answer = function.invoke(json!({ "Records": records })).await;
    let failed = match &answer {
        Ok(answer) => failures(answer),
        Err(trouble) => {
            tracing::warn!(queue = name, %trouble, "a batch failed and will be tried again");
            messages.iter().map(|message| message.id.clone()).collect()
        }
    };
    for message in messages {
        let done = match failed.contains(&message.id) {
            true => queues.release(&message.receipt, patience(message.received)),
            false => queues.delete(&message.receipt),
        };
        if let Err(trouble) = done {
            tracing::error!(queue = name, %trouble, "the message will come again");
        }
    }
}

/// Deployed, a failed message waits for the queue's visibility time; here for 1, 2, 4, 8 seconds, so that a
/// developer sees the retries.
fn patience(received: u32) -> Duration {
    Duration::from_secs(1 << received.saturating_sub(1).min(5))
}

fn record(queue: &str, message: &Message) -> Value {
    json!({
        "messageId": message.id, "receiptHandle": message.receipt, "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.received.to_string(), "SentTimestamp": message.sent_ms.to_string(),
            "SenderId": "000000000000", "ApproximateFirstReceiveTimestamp": message.sent_ms.to_string(),
        },
        "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
        "eventSourceARN": wire::arn(queue), "awsRegion": REGION,
    })
}

/// The stream's reader.
pub struct Pump {
    pub table: Arc<Table>,
    pub queues: Arc<Queues>,
    pub function: Handler,
    pub batch: usize,
    pub patterns: Vec<Value>,
    /// Logical name of the queue for what could not be handed on.
    pub dead_letters: String,
}

/// The stream's reader among the queues' places.
pub const READER: &str = "stream";
const TRIES: u32 = 8;

impl Pump {
    /// Reads from where the last run came to, until the platform stops.
    pub async fn run(self, mut stop: Stop) {
        let mut tries = 0;
        while !is_over(&stop) {
            let nap = match self.turn(tries).await {
                Ok(Turn::Nothing) => Duration::from_millis(40),
                Ok(Turn::Moved) => {
                    tries = 0;
                    continue;
                }
                Ok(Turn::Stuck) => {
                    tries += 1;
                    Duration::from_millis(100 << tries.min(6))
                }
                Err(trouble) => {
                    tracing::error!(%trouble, "the stream cannot be read");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                _ = tokio::time::sleep(nap) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// One batch. The place moves only past what the function has taken, so that nothing is lost by `kill -9`.
    async fn turn(&self, tries: u32) -> Outcome<Turn> {
        let place = self.queues.place(READER)?;
        let records = self.table.records(place, self.batch).await?;
        let Some(last) = records.last().map(|record| record.place) else { return Ok(Turn::Nothing) };
        let wanted: Vec<_> = records
            .into_iter()
            .filter(|r| {
                self.patterns.is_empty() || self.patterns.iter().any(|pattern| fits(pattern, &r.record))
            })
            .collect();
        if wanted.is_empty() {
            self.queues.set_place(READER, last)?;
            return Ok(Turn::Moved);
        }
        let event = json!({"Records": wanted.iter().map(|r| &r.record).collect::<Vec<_>>()});
        let answer = self.function.invoke(event).await;
        let stuck = match answer {
            Ok(answer) => {
                let failed = failures(&answer);
                let number = |record: &Value| {
                    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_string()
                };
                wanted.iter().position(|r| failed.contains(&number(&r.record)) || failed.contains(""))
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "the stream's function failed and will be tried again");
                Some(0)
            }
        };
        let Some(first) = stuck else {
            self.queues.set_place(READER, last)?;
            return Ok(Turn::Moved);
        };
        if tries >= TRIES {
            let left = &wanted[first];
            tracing::error!(place = left.place, "given up: the record goes to the dead letters");
            self.queues.send(&[(&self.dead_letters, &left.record.to_string())], Duration::ZERO)?;
            self.queues.set_place(READER, left.place)?;
            return Ok(Turn::Moved);
        }
        if first > 0 {
            self.queues.set_place(READER, wanted[first - 1].place)?;
            return Ok(Turn::Moved);
        }
        Ok(Turn::Stuck)
    }
}

enum Turn {
    Nothing,
    Moved,
    Stuck,
}

/// Wakes a function at its times until the platform stops. A beat that is due while one runs is left out.
pub async fn beat(schedule: Schedule, input: Value, function: Handler, clock: Clock, mut stop: Stop) {
    let mut last = clock.now();
    while let Some(due) = schedule.next(last) {
        // By short naps: a laptop that slept, or a test that moved the clock, is noticed.
        while clock.now() < due {
            let left = due.duration_since(clock.now()).min(SignedDuration::from_secs(1));
            tokio::select! {
                _ = tokio::time::sleep(left.unsigned_abs()) => {}
                _ = stop.changed() => return,
            }
        }
        if let Err(trouble) = function.invoke(input.clone()).await {
            tracing::warn!(%input, %trouble, "a beat failed; the next one catches up");
        }
        last = clock.now();
    }
}

/// Lets the table remove what is over, as its time to live does when deployed.
pub async fn sweep(table: Arc<Table>, mut stop: Stop) {
    loop {
        tokio::select! {
            _ = tokio::time::sleep(Duration::from_secs(300)) => {}
            _ = stop.changed() => return,
        }
        match table.sweep().await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "items whose time was over"),
            Err(trouble) => tracing::error!(%trouble, "the table's time to live"),
        }
    }
}

#[cfg(test)]
mod tests;
