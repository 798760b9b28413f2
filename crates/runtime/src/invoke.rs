//! One invocation: a request of the API, or a batch of the function's queue.

use axum::Router;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use web::{App, Message, Module, Task};

pub async fn handle(
    module: Arc<Module>,
    app: App,
    router: Router,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    if event.payload["Records"][0]["eventSource"] == "aws:sqs" {
        return Ok(batch(&module, &app, &event.payload).await);
    }
    let request: LambdaRequest = serde_json::from_value(event.payload)?;
    let mut adapter = Adapter::from(router);
    let answer = adapter.call(LambdaEvent { payload: request, context: event.context }).await?;
    Ok(serde_json::to_value(answer)?)
}

/// A task with its messages of a batch, by their ids.
type Gathered<'a> = (&'a Task, Vec<(String, Value)>);

/// Handles each message of an SQS batch by itself, those of a gathering task together; the answer names those that
/// have to come again.
pub async fn batch(module: &Module, app: &App, event: &Value) -> Value {
    let mut failed = vec![];
    let mut gathered: BTreeMap<&str, Gathered> = BTreeMap::new();
    for record in event["Records"].as_array().into_iter().flatten() {
        let body = record["body"].as_str().unwrap_or_default();
        let id = record["messageId"].as_str().unwrap_or_default().to_string();
        let message = match Message::read(body) {
            Ok(message) => message,
            Err(error) => {
                again(module, &mut failed, [id], &error);
                continue;
            }
        };
        if let (Some(task), Message::Other(value)) = (web::gatherer(module, &message), &message) {
            gathered.entry(task.name).or_insert((task, vec![])).1.push((id, value.clone()));
        } else if let Err(error) = web::consume(module, app, &message).await {
            again(module, &mut failed, [id], &error);
        }
    }
    for (task, messages) in gathered.into_values() {
        let (ids, values): (Vec<String>, Vec<Value>) = messages.into_iter().unzip();
        if let Err(error) = web::gather(task, app, values).await {
            again(module, &mut failed, ids, &error);
        }
    }
    json!({"batchItemFailures": failed})
}

fn again(
    module: &Module,
    failed: &mut Vec<Value>,
    ids: impl IntoIterator<Item = String>,
    error: &kernel::Error,
) {
    for id in ids {
        tracing::error!(module = module.name, message = id, cause = %cause(error), "a message has to come again");
        failed.push(json!({"itemIdentifier": id}));
    }
}

/// With its source, which an internal error keeps from callers.
fn cause(error: &kernel::Error) -> String {
    match error {
        kernel::Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}
