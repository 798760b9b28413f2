//! A batch of a module's queue: each message for itself, the failed ones named in the answer.

use crate::{
    App, Message, Module, consume,
    dead::{DeadLetter, RECEIVES},
};
use kernel::Error;
use serde_json::{Value, json};

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
    for (record, begun) in records.into_iter().zip(notes) {
        let handled = one(module, app, record).await;
        if let Err(error) = &handled {
            let id = record["messageId"].as_str().unwrap_or_default();
            tracing::error!(module = module.name, message = id, cause = %cause(error), "a message has to come again");
            failed.push(json!({"itemIdentifier": id}));
        }
        let Some(begun) = begun else { continue };
        told(match handled {
            Ok(()) => begun.drop(app).await,
            // Under the id that it was begun with: one note, also at midnight.
            Err(error) => {
                DeadLetter { id: begun.id, ..note(module, app, record, &cause(&error)) }.keep(app).await
            }
        });
    }
    json!({"batchItemFailures": failed})
}

async fn one(module: &Module, app: &App, record: &Value) -> Result<(), Error> {
    consume(module, app, &Message::read(record["body"].as_str().unwrap_or_default())?).await
}

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
