//! A batch of a module's queue: each message for itself, the failed ones named in the answer.

use crate::{
    App, Message, Module, Task, consume,
    dead::{DeadLetter, RECEIVES},
    reaction::{gather, gatherer},
};
use futures::future::join_all;
use kernel::Error;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `{"Records": […]}` of SQS in, `{"batchItemFailures": […]}` out: those come again.
///
/// A message that is here for the last time gets its note before the batch is begun: an environment that dies of it,
/// or of another one before it, leaves a note too.
pub async fn batch(module: &Module, app: &App, event: &Value) -> Value {
    let records: Vec<&Value> = event["Records"].as_array().into_iter().flatten().collect();
    let mut notes = vec![];
    for record in &records {
        let note =
            is_last(record).then(|| note(module, app, record, "the function ended before it was handled"));
        if let Some(note) = &note {
            told(note.keep(app).await);
        }
        notes.push(note);
    }
    let mut failed = vec![];
    for ((record, begun), handled) in records.iter().zip(notes).zip(handled(module, app, &records).await) {
        if let Err(cause) = &handled {
            let id = record["messageId"].as_str().unwrap_or_default();
            tracing::error!(module = module.name, message = id, cause, "a message has to come again");
            failed.push(json!({"itemIdentifier": id}));
        }
        let Some(begun) = begun else { continue };
        told(match handled {
            Ok(()) => begun.drop(app).await,
            // Under the id that it was begun with: one note, also at midnight.
            Err(cause) => DeadLetter { id: begun.id, ..note(module, app, record, &cause) }.keep(app).await,
        });
    }
    json!({"batchItemFailures": failed})
}

/// What became of each record, in their order: each message by itself, all at the same time, since some wait for
/// others' servers; those of a gathering task together.
async fn handled(module: &Module, app: &App, records: &[&Value]) -> Vec<Result<(), String>> {
    let read = records.iter().map(|r| Message::read(r["body"].as_str().unwrap_or_default()));
    let read: Vec<kernel::Result<Message>> = read.collect();
    let mut gathered: BTreeMap<&str, Gathered> = BTreeMap::new();
    let mut single = vec![];
    for (at, message) in read.iter().enumerate() {
        match message {
            Ok(Message::Other(value)) if let Some(task) = gatherer(module, value) => {
                gathered.entry(task.name).or_insert((task, vec![])).1.push((at, value.clone()));
            }
            _ => single.push((at, message)),
        }
    }
    let mut outcomes: Vec<Result<(), String>> = vec![Ok(()); records.len()];
    let one = async |(at, message): (usize, &kernel::Result<Message>)| match message {
        Ok(message) => (at, consume(module, app, message).await.map_err(|e| cause(&e))),
        Err(error) => (at, Err(cause(error))),
    };
    for (at, outcome) in join_all(single.into_iter().map(one)).await {
        outcomes[at] = outcome;
    }
    for (task, messages) in gathered.into_values() {
        let (places, values): (Vec<usize>, Vec<Value>) = messages.into_iter().unzip();
        if let Err(error) = gather(task, app, values).await {
            places.into_iter().for_each(|at| outcomes[at] = Err(cause(&error)));
        }
    }
    outcomes
}

/// A task with its messages of a batch, by their places.
type Gathered<'a> = (&'a Task, Vec<(usize, Value)>);

fn is_last(record: &Value) -> bool {
    let times = record["attributes"]["ApproximateReceiveCount"].as_str().and_then(|n| n.parse().ok());
    times.is_some_and(|times: u32| times >= RECEIVES)
}

fn note(module: &Module, app: &App, record: &Value, reason: &str) -> DeadLetter {
    DeadLetter::new(module.name, record["body"].as_str().unwrap_or_default(), reason, app.clock().now())
}

/// The message itself lies in the queue's dead letters, with or without a note.
fn told(kept: Result<(), Error>) {
    if let Err(error) = kept {
        tracing::error!(cause = %cause(&error), "a dead letter is left without a note");
    }
}

/// With its source, which an internal error keeps from callers.
fn cause(error: &Error) -> String {
    match error {
        Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}
