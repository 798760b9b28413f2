//! One invocation: a request of the API, or a batch of the function's queue.

use axum::Router;
use futures::future::join_all;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use std::sync::Arc;
use web::{App, Message, Module};

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

/// Handles each message of an SQS batch by itself, all at the same time, since some wait for others' servers; the
/// answer names those that have to come again.
pub async fn batch(module: &Module, app: &App, event: &Value) -> Value {
    let records = event["Records"].as_array().into_iter().flatten();
    let failed = join_all(records.map(|record| one(module, app, record))).await;
    let failed = failed.into_iter().flatten().map(|id| json!({"itemIdentifier": id}));
    json!({"batchItemFailures": failed.collect::<Vec<_>>()})
}

/// The id of a message that has to come again.
async fn one(module: &Module, app: &App, record: &Value) -> Option<String> {
    let body = record["body"].as_str().unwrap_or_default();
    let handled = match Message::read(body) {
        Ok(message) => web::consume(module, app, &message).await,
        Err(error) => Err(error),
    };
    let error = handled.err()?;
    let id = record["messageId"].as_str().unwrap_or_default();
    tracing::error!(module = module.name, message = id, cause = %cause(&error), "a message has to come again");
    Some(id.into())
}

/// With its source, which an internal error keeps from callers.
fn cause(error: &kernel::Error) -> String {
    match error {
        kernel::Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}
