//! SQS and EventBridge as the SDK speaks to them, on a loopback port, in front of the queues' file.

use super::Queues;
use crate::{
    template::document::plain,
    trouble::{Outcome, While},
};
use axum::{Json, Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// What the SDK is told of a request that cannot be served.
struct Fault {
    kind: &'static str,
    message: String,
}

type Answer = Result<Value, Fault>;

/// Serves until the process ends; answers the address.
pub async fn serve(queues: Arc<Queues>) -> Outcome<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.whilst("open a port for the queues")?;
    let address = listener.local_addr().whilst("open a port for the queues")?;
    let router = Router::new().route("/", post(call)).with_state(queues);
    tokio::spawn(async move {
        if let Err(cause) = axum::serve(listener, router).await {
            tracing::error!(%cause, "the queues stopped serving");
        }
    });
    Ok(address)
}

async fn call(
    State(queues): State<Arc<Queues>>,
    headers: HeaderMap,
    body: bytes::Bytes,
) -> (StatusCode, Json<Value>) {
    let target = headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match target.split_once('.') {
        Some(("AWSEvents", "PutEvents")) => put_events(&queues, &body),
        Some(("AmazonSQS", action)) => sqs(&queues, action, &body).await,
        _ => Err(Fault {
            kind: "UnknownOperationException",
            message: format!("{target} is not emulated here"),
        }),
    };
    match answer {
        Ok(answer) => (StatusCode::OK, Json(answer)),
        Err(fault) => {
            (StatusCode::BAD_REQUEST, Json(json!({"__type": fault.kind, "message": fault.message})))
        }
    }
}

async fn sqs(queues: &Queues, action: &str, body: &Value) -> Answer {
    if action == "ListQueues" {
        return Ok(json!({"QueueUrls": queues.all().map(|q| url(&q.name)).collect::<Vec<_>>()}));
    }
    let named = [&body["QueueUrl"], &body["QueueName"]].map(plain).concat();
    let missing =
        || Fault { kind: "com.amazonaws.sqs#QueueDoesNotExist", message: format!("no queue {named}") };
    let queue = queues.find(&named).ok_or_else(missing)?;
    match action {
        "GetQueueUrl" => Ok(json!({"QueueUrl": url(&queue.name)})),
        "GetQueueAttributes" => {
            let count = queues.length(&queue.id).map_err(broken)?;
            Ok(
                json!({"Attributes": {"ApproximateNumberOfMessages": count.to_string(), "QueueArn": arn(&queue.name)}}),
            )
        }
        "SendMessage" => {
            let ids = send(queues, &queue.id, body)?;
            Ok(json!({"MessageId": ids}))
        }
        "SendMessageBatch" => Ok(send_batch(queues, &queue.id, body)),
        "ReceiveMessage" => receive(queues, &queue.id, body).await,
        "DeleteMessage" => {
            queues.delete(&plain(&body["ReceiptHandle"])).map_err(broken)?;
            Ok(json!({}))
        }
        "DeleteMessageBatch" => {
            let mut done = Vec::new();
            for entry in body["Entries"].as_array().into_iter().flatten() {
                queues.delete(&plain(&entry["ReceiptHandle"])).map_err(broken)?;
                done.push(json!({"Id": entry["Id"]}));
            }
            Ok(json!({"Successful": done, "Failed": []}))
        }
        "ChangeMessageVisibility" => {
            let wait = Duration::from_secs(body["VisibilityTimeout"].as_u64().unwrap_or(0));
            queues.release(&plain(&body["ReceiptHandle"]), wait).map_err(broken)?;
            Ok(json!({}))
        }
        _ => Err(Fault {
            kind: "com.amazonaws.sqs#UnsupportedOperation",
            message: format!("{action} is not emulated here"),
        }),
    }
}

/// SQS takes up to 1 MiB a message; nothing of ours comes near.
const MESSAGE: usize = 1024 * 1024;

fn send(queues: &Queues, queue: &str, entry: &Value) -> Result<String, Fault> {
    let body = entry["MessageBody"].as_str().filter(|body| !body.is_empty() && body.len() <= MESSAGE);
    let invalid =
        || Fault { kind: "com.amazonaws.sqs#InvalidMessageContents", message: "empty, or over 1 MiB".into() };
    let delay = Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or(0));
    let mut ids = queues.send(&[(queue, body.ok_or_else(invalid)?)], delay).map_err(broken)?;
    Ok(ids.remove(0))
}

fn send_batch(queues: &Queues, queue: &str, body: &Value) -> Value {
    let (mut sent, mut failed) = (Vec::new(), Vec::new());
    for entry in body["Entries"].as_array().into_iter().flatten() {
        match send(queues, queue, entry) {
            Ok(id) => sent.push(json!({"Id": entry["Id"], "MessageId": id})),
            Err(fault) => failed.push(json!({
                "Id": entry["Id"], "Code": fault.kind, "Message": fault.message, "SenderFault": true,
            })),
        }
    }
    json!({"Successful": sent, "Failed": failed})
}

async fn receive(queues: &Queues, queue: &str, body: &Value) -> Answer {
    let most = body["MaxNumberOfMessages"].as_u64().unwrap_or(1).clamp(1, 10) as usize;
    let wait = Duration::from_secs(body["WaitTimeSeconds"].as_u64().unwrap_or(0).min(20));
    let news = queues.news(queue);
    let mut found = queues.receive(queue, most).map_err(broken)?;
    if found.is_empty() && !wait.is_zero() {
        let _ = tokio::time::timeout(wait, news.notified()).await;
        found = queues.receive(queue, most).map_err(broken)?;
    }
    let messages = found.iter().map(|message| {
        let attributes = json!({
            "ApproximateReceiveCount": message.received.to_string(), "SentTimestamp": message.sent_ms.to_string(),
        });
        json!({"MessageId": message.id, "ReceiptHandle": message.receipt, "Body": message.body, "Attributes": attributes})
    });
    Ok(json!({"Messages": messages.collect::<Vec<_>>()}))
}

fn put_events(queues: &Queues, body: &Value) -> Answer {
    let (mut events, mut answers, mut failed) = (Vec::new(), Vec::new(), 0);
    for entry in body["Entries"].as_array().into_iter().flatten() {
        match event(entry, queues) {
            Ok(event) => {
                answers.push(json!({"EventId": event["id"]}));
                events.push(event);
            }
            Err(fault) => {
                failed += 1;
                answers.push(json!({"ErrorCode": fault.kind, "ErrorMessage": fault.message}));
            }
        }
    }
    queues.publish(&events).map_err(broken)?;
    Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
}

/// An event as a rule sees it and as it lies in a queue.
fn event(entry: &Value, queues: &Queues) -> Answer {
    let detail: Value = serde_json::from_str(&plain(&entry["Detail"])).unwrap_or_default();
    if !detail.is_object() {
        return Err(Fault { kind: "MalformedDetail", message: "Detail is malformed.".into() });
    }
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty());
    let (Some(source), Some(kind)) = (text("Source"), text("DetailType")) else {
        return Err(Fault { kind: "InvalidArgument", message: "Source and DetailType are required.".into() });
    };
    Ok(json!({
        "version": "0", "id": ulid::Ulid::new().to_string(), "source": source, "detail-type": kind,
        "account": "000000000000", "region": crate::template::REGION, "time": queues.clock.now().to_string(),
        "resources": [], "detail": detail,
    }))
}

fn broken(cause: crate::trouble::Trouble) -> Fault {
    Fault { kind: "InternalError", message: cause.0 }
}

pub fn url(name: &str) -> String {
    format!("http://queues.local/000000000000/{name}")
}

pub fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{}:000000000000:{name}", crate::template::REGION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Clock;

    #[tokio::test]
    async fn what_the_sdk_sends_is_received_and_deleted() {
        let queues = super::super::tests::queues(&Clock::default());
        let target = json!({"QueueUrl": url("lumina-patients"), "MessageBody": "hello"});
        let sent = sqs(&queues, "SendMessage", &target).await.ok().unwrap();
        let got = sqs(&queues, "ReceiveMessage", &target).await.ok().unwrap();
        assert_eq!(got["Messages"][0]["MessageId"], sent["MessageId"]);
        let done =
            json!({"QueueUrl": url("lumina-patients"), "ReceiptHandle": got["Messages"][0]["ReceiptHandle"]});
        sqs(&queues, "DeleteMessage", &done).await.ok().unwrap();
        assert_eq!(queues.length("Patients").unwrap(), 0);
        let missing = sqs(&queues, "SendMessage", &json!({"QueueUrl": url("nowhere")})).await.err().unwrap();
        assert!(missing.kind.contains("QueueDoesNotExist"));
    }

    #[tokio::test]
    async fn a_bad_event_is_named_and_the_good_ones_go_out() {
        let queues = super::super::tests::queues(&Clock::default());
        let entry =
            |detail: &str| json!({"Source": "lumina", "DetailType": "user.disabled", "Detail": detail});
        let answer =
            put_events(&queues, &json!({"Entries": [entry("{}"), entry("[1]"), entry("{}")]})).ok().unwrap();
        assert_eq!(
            (&answer["FailedEntryCount"], &answer["Entries"][1]["ErrorCode"]),
            (&json!(1), &json!("MalformedDetail"))
        );
        assert_eq!(queues.length("Patients").unwrap(), 2);
    }
}
