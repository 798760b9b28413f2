//! One invocation: a request of the API, or a batch of the function's queue.

use axum::Router;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
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
    let request: LambdaRequest = serde_json::from_value(event.payload)?;
    let mut adapter = Adapter::from(router);
    let answer = adapter.call(LambdaEvent { payload: request, context: event.context }).await?;
    Ok(serde_json::to_value(answer)?)
}
