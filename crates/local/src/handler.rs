//! A function as Lambda's runtime sees it: an event in, an answer out.

use crate::{trouble, trouble::Outcome};
use serde_json::Value;
use std::{collections::BTreeSet, pin::Pin, sync::Arc, time::Duration};

pub type Work = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// Events of queues, the stream, schedules and Cognito's trigger, in JSON as Lambda hands them over.
#[derive(Clone)]
pub struct Handler {
    run: Arc<dyn Fn(Value) -> Work + Send + Sync>,
    timeout: Duration,
}

impl Handler {
    pub fn new<F, W>(timeout: Duration, run: F) -> Handler
    where
        F: Fn(Value) -> W + Send + Sync + 'static,
        W: Future<Output = Result<Value, String>> + Send + 'static,
    {
        Handler { run: Arc::new(move |event| Box::pin(run(event))), timeout }
    }

    /// One invocation, within the function's time; falling over is an error like any other.
    pub async fn invoke(&self, event: Value) -> Outcome<Value> {
        let running = tokio::spawn((self.run)(event));
        match tokio::time::timeout(self.timeout, running).await {
            Err(_) => Err(trouble!("it took longer than {} s", self.timeout.as_secs())),
            Ok(Err(fell)) => Err(trouble!("it fell over: {fell}")),
            Ok(Ok(answer)) => answer.map_err(|cause| trouble!("{cause}")),
        }
    }
}

/// The items that a batch's answer names as failed (`ReportBatchItemFailures`).
pub fn failures(answer: &Value) -> BTreeSet<String> {
    let items = answer["batchItemFailures"].as_array().into_iter().flatten();
    items.filter_map(|item| item["itemIdentifier"].as_str().map(String::from)).collect()
}
