//! What the embedded table does not do: while a transaction is under way its items are held, and whatever
//! touches one of them meanwhile is cancelled with `TransactionConflict`, `ConditionCheck`s included.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

const HELD: Duration = Duration::from_millis(10);

#[derive(Clone)]
struct Front {
    table: SocketAddr,
    held: Arc<Mutex<HashSet<String>>>,
    http: reqwest::Client,
}

/// Starts the layer; returns where it listens.
pub async fn in_front_of(table: SocketAddr) -> SocketAddr {
    let front = Front { table, held: Arc::default(), http: reqwest::Client::new() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = listener.local_addr().expect("its address");
    let router = Router::new().fallback(pass).with_state(front);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn pass(State(front): State<Front>, request: Request) -> Response {
    let headers = request.headers().clone();
    let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or_default().to_string();
    let body = to_bytes(request.into_body(), usize::MAX).await.expect("a request of the SDK");
    if !target.ends_with(".TransactWriteItems") {
        return front.forward(&headers, body.to_vec()).await;
    }
    let parsed: Value = serde_json::from_slice(&body).expect("JSON of the SDK");
    let keys: Vec<String> = parsed["TransactItems"].as_array().into_iter().flatten().map(key).collect();
    if let Some(conflict) = front.hold(&keys) {
        return conflict;
    }
    tokio::time::sleep(HELD).await;
    let response = front.forward(&headers, body.to_vec()).await;
    let mut held = front.held.lock().expect("never poisoned");
    held.retain(|k| !keys.contains(k));
    response
}

impl Front {
    /// Holds all items, or answers with the conflict and holds none.
    fn hold(&self, keys: &[String]) -> Option<Response> {
        let mut held = self.held.lock().expect("never poisoned");
        if keys.iter().any(|k| held.contains(k)) {
            let reason = |k| match held.contains(k) {
                true => {
                    json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"})
                }
                false => json!({"Code": "None"}),
            };
            let reasons: Vec<Value> = keys.iter().map(reason).collect();
            let body = json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled", "CancellationReasons": reasons,
            });
            let response = Response::builder().status(StatusCode::BAD_REQUEST);
            let response = response.header("content-type", "application/x-amz-json-1.0");
            return Some(response.body(Body::from(body.to_string())).expect("a response"));
        }
        held.extend(keys.iter().cloned());
        None
    }

    async fn forward(&self, headers: &HeaderMap, body: Vec<u8>) -> Response {
        let mut request = self.http.post(format!("http://{}/", self.table)).body(body);
        for (name, value) in headers {
            if name != "host" && name != "content-length" {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.expect("the table answers");
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name != "content-length" && name != "transfer-encoding" {
                response = response.header(name, value);
            }
        }
        response.body(Body::from(answer.bytes().await.expect("a body"))).expect("a response")
    }
}

fn key(item: &Value) -> String {
    let (_, action) = item.as_object().and_then(|o| o.iter().next()).expect("one action");
    let place = if action["Key"].is_object() { &action["Key"] } else { &action["Item"] };
    format!("{}|{}", place["pk"]["S"], place["sk"]["S"])
}
