//! One invocation: a request of the API, or a batch of the function's queue.

use axum::Router;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use std::sync::Arc;
use web::{App, Module};

pub async fn handle(
    module: Arc<Module>,
    app: App,
    router: Router,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    if event.payload["Records"][0]["eventSource"] == "aws:sqs" {
        return Ok(web::batch(&module, &app, &event.payload).await);
    }
    if is_of_a_connection(&event.payload) {
        return connection(&module, &app, event.payload).await.map_err(Error::from);
    }
    let request: LambdaRequest = serde_json::from_value(event.payload)?;
    let mut adapter = Adapter::from(router);
    let answer = adapter.call(LambdaEvent { payload: request, context: event.context }).await?;
    Ok(serde_json::to_value(answer)?)
}

/// An event of the WebSocket API: its authorizer asks, somebody comes, says something, or goes.
pub fn is_of_a_connection(event: &Value) -> bool {
    event["requestContext"]["connectionId"].is_string() || event["type"] == "REQUEST"
}

/// What the gateway is answered. `Unauthorized` is the word by which an authorizer refuses; to all other events a
/// status is the answer.
pub async fn connection(module: &Module, app: &App, event: Value) -> Result<Value, String> {
    let asks = event["type"] == "REQUEST";
    let Some(sockets) = &module.sockets else { return Err(format!("{} has no connections", module.name)) };
    match sockets(app.clone(), event).await {
        Ok(answer) => Ok(answer),
        Err(kernel::Error::Refused(r)) if asks && r.kind == kernel::Kind::Stranger => {
            Err("Unauthorized".into())
        }
        Err(kernel::Error::Refused(r)) => {
            let status = if r.kind == kernel::Kind::Stranger { 401 } else { 403 };
            Ok(json!({"statusCode": status}))
        }
        Err(error) => {
            tracing::error!(module = module.name, cause = %cause(&error), "an event of a connection failed");
            Err("failed".into())
        }
    }
}

/// With its source, which an internal error keeps from callers.
fn cause(error: &kernel::Error) -> String {
    match error {
        kernel::Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}
