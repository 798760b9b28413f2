//! The first event of a function and those after it, from a runtime API that hands out events until it has seen
//! enough. The events are the samples of `events/`, without their token: a request that is turned away at the door
//! goes the whole way through the Lambda runtime, the router and the answer, and needs no service.

use super::start::{Bench, peak};
use crate::{package::Package, workspace};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

/// Events of one function.
const COUNT: usize = 50;
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Events {
    pub first: Duration,
    pub later: Vec<Duration>,
    /// Bytes: the most that was resident until the last event was answered.
    pub memory: u64,
}

/// What the runtime API gives out, and where it says what came back.
struct Api {
    event: String,
    given: Mutex<(usize, Instant)>,
    answered: UnboundedSender<Result<Duration, String>>,
}

impl Events {
    /// None for a function of which every event needs a service.
    pub fn serve(
        bench: &Bench,
        package: &Package,
        environment: &BTreeMap<String, String>,
    ) -> Outcome<Option<Events>> {
        let Some(event) = event(&package.name)? else { return Ok(None) };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.whilst("start")?.block_on(async {
            let (answered, mut answers) = unbounded_channel();
            let given = Mutex::new((0, Instant::now()));
            let api = Arc::new(Api { event: event.to_string(), given, answered });
            let listener = TcpListener::bind("127.0.0.1:0").await.whilst("open a port on 127.0.0.1")?;
            let address = listener.local_addr().whilst("read the port")?;
            let serving = tokio::spawn(async move { axum::serve(listener, router(api)).await });
            let mut command = bench.command_at(address, &package.binary, &package.name, environment);
            let mut child = command.spawn().whilst(format_args!("start {}", package.binary.display()))?;
            let served = collect(&package.name, &mut answers).await;
            let memory = peak(&child);
            let _ = child.kill();
            let _ = child.wait();
            serving.abort();
            let (first, later) = served?;
            Ok(Some(Events { first, later, memory: memory? }))
        })
    }
}

async fn collect(
    name: &str,
    answers: &mut UnboundedReceiver<Result<Duration, String>>,
) -> Outcome<(Duration, Vec<Duration>)> {
    let mut all = vec![];
    while all.len() < COUNT {
        match timeout(PATIENCE, answers.recv()).await {
            Ok(Some(Ok(took))) => all.push(took),
            Ok(Some(Err(answer))) => return Err(trouble!("{name} answered its sample event with {answer}")),
            Ok(None) | Err(_) => return Err(trouble!("{name} did not answer an event within {PATIENCE:?}")),
        }
    }
    let first = all.remove(0);
    all.sort();
    Ok((first, all))
}

fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    let count = {
        let mut given = api.given.lock().expect("never poisoned");
        given.0 += 1;
        given.0
    };
    if count > COUNT {
        std::future::pending::<()>().await;
    }
    #[expect(clippy::disallowed_methods, reason = "a runtime's deadline is in the system's time")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = (now + Duration::from_secs(30)).as_millis().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", format!("event-{count}")),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:af-south-1:1:function:bench".into()),
        ("content-type", "application/json".into()),
    ];
    let mut response = api.event.clone().into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    api.given.lock().expect("never poisoned").1 = Instant::now();
    response
}

async fn response(State(api): State<Arc<Api>>, Path(_): Path<String>, body: String) -> StatusCode {
    let took = api.given.lock().expect("never poisoned").1.elapsed();
    // A request that was let in would have met a port that hangs up, and taken its time. Health asks nobody.
    let answer: Value = serde_json::from_str(&body).unwrap_or_default();
    let fine = answer.get("statusCode").is_none_or(|status| *status == 401 || *status == 200);
    let _ = api.answered.send(if fine { Ok(took) } else { Err(body) });
    StatusCode::ACCEPTED
}

async fn error(State(api): State<Arc<Api>>, Path(_): Path<String>, body: String) -> StatusCode {
    let _ = api.answered.send(Err(body));
    StatusCode::ACCEPTED
}

fn event(name: &str) -> Outcome<Option<Value>> {
    let path = workspace::root().join("events").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).whilst(format_args!("read {}", path.display()))?;
    let sample: Value = serde_json::from_str(&text).whilst(format_args!("read {}", path.display()))?;
    Ok(harmless(sample))
}

/// A request without its token, or a stream without records.
fn harmless(mut sample: Value) -> Option<Value> {
    if sample["httpMethod"].is_string() {
        sample["requestContext"].as_object_mut()?.remove("authorizer");
        return Some(sample);
    }
    let stream = sample["Records"][0]["eventSource"] == "aws:dynamodb";
    stream.then(|| json!({"Records": []}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_events_lose_what_would_need_a_service() {
        let patients = event("patients").unwrap().unwrap();
        assert!(patients["requestContext"].get("authorizer").is_none() && patients["path"].is_string());
        assert_eq!(event("dispatch").unwrap(), Some(json!({"Records": []})));
        assert_eq!(event("token").unwrap(), None, "the trigger reads the user's rights");
        assert!(event("rooms").unwrap_err().0.contains("rooms.json"));
    }
}
