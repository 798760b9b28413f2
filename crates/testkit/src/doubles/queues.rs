//! Queues as SQS has them: at least once, in any order, dead letters after so many receives. Seeded.

use crate::Chance;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A message in somebody's hands.
#[derive(Clone, Debug)]
pub struct Received {
    id: String,
    pub body: String,
    times: u32,
}

impl Received {
    /// How often it was handed over.
    pub fn times(&self) -> u32 {
        self.times
    }
}

pub struct Queues {
    chance: Chance,
    /// Of a hundred messages, so many come twice.
    doubled: u64,
    sent: u64,
    waiting: BTreeMap<String, Vec<Received>>,
    dead: BTreeMap<String, Vec<String>>,
}

impl Queues {
    pub fn new(seed: u64, doubled: u64) -> Self {
        let chance = Chance::seeded(seed);
        Self { chance, doubled, sent: 0, waiting: BTreeMap::new(), dead: BTreeMap::new() }
    }

    pub fn send(&mut self, queue: &str, body: &str) {
        self.send_once(queue, body);
        if self.chance.percent(self.doubled) {
            let waiting = self.waiting.entry(queue.into()).or_default();
            waiting.extend(waiting.last().cloned());
        }
    }

    /// This one never comes twice on its own.
    pub fn send_once(&mut self, queue: &str, body: &str) {
        self.sent += 1;
        let message = Received { id: format!("msg-{}", self.sent), body: body.into(), times: 0 };
        self.waiting.entry(queue.into()).or_default().push(message);
    }

    /// Up to `most` messages, whichever; they are out of sight until they are settled.
    pub fn receive(&mut self, queue: &str, most: usize) -> Vec<Received> {
        let waiting = self.waiting.entry(queue.into()).or_default();
        let mut taken = vec![];
        while taken.len() < most && !waiting.is_empty() {
            let at = self.chance.below(waiting.len() as u64) as usize;
            let mut message = waiting.swap_remove(at);
            message.times += 1;
            match message.times > web::dead::RECEIVES {
                true => self.dead.entry(queue.into()).or_default().push(message.body),
                false => taken.push(message),
            }
        }
        taken
    }

    /// What Lambda does with the answer; none: the worker died, and all of them come again.
    pub fn settle(&mut self, queue: &str, batch: Vec<Received>, answer: Option<&Value>) {
        let failed = |message: &Received| {
            let Some(answer) = answer else { return true };
            let failures = answer["batchItemFailures"].as_array().into_iter().flatten();
            failures.into_iter().any(|f| f["itemIdentifier"] == message.id.as_str())
        };
        let again = batch.into_iter().filter(failed);
        self.waiting.entry(queue.into()).or_default().extend(again);
    }

    /// Messages waiting; those in somebody's hands are not counted.
    pub fn waiting(&self, queue: &str) -> usize {
        self.waiting.get(queue).map_or(0, Vec::len)
    }

    /// What was received too often.
    pub fn dead(&self, queue: &str) -> &[String] {
        self.dead.get(queue).map_or(&[], Vec::as_slice)
    }
}

/// The event that a function gets of them.
pub fn batch(messages: &[Received]) -> Value {
    let record = |m: &Received| {
        json!({
            "messageId": m.id, "body": m.body, "eventSource": "aws:sqs",
            "attributes": {"ApproximateReceiveCount": m.times.to_string()},
        })
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}
