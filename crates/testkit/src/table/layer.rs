//! A layer under the store: it can fail any call to the table, in any of the ways in which the real one fails, and it
//! can stop the world at any of them.

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use store::{
    schema::{PK, SK},
    sdk::config::SharedHttpClient,
};

/// How a call fails. Of a call that fails by kind every attempt fails, so that the product's own code sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Throttle,
    /// Another transaction holds one of the items.
    Conflict,
    /// Nothing reached the table.
    TimeoutBefore,
    /// The table has done it, and the answer is lost.
    TimeoutAfter,
    /// 500, and nothing was done.
    Error,
    /// 500, though it was done.
    ErrorAfter,
    ExpiredCredentials,
    SkewedClock,
    /// The process is gone before the call.
    StopBefore,
    /// The process is gone once the table has done it.
    StopAfter,
}

use Kind::*;

impl Kind {
    /// The first concerns every call.
    pub const ALL: [Kind; 10] = [
        StopBefore,
        StopAfter,
        TimeoutAfter,
        TimeoutBefore,
        Conflict,
        Throttle,
        ErrorAfter,
        Error,
        ExpiredCredentials,
        SkewedClock,
    ];

    /// What the table has done meanwhile makes a difference only where it writes; and nothing conflicts with a read.
    pub fn concerns(self, target: &str) -> bool {
        let writes = matches!(
            target,
            "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem"
        );
        writes || !matches!(self, Conflict | TimeoutAfter | ErrorAfter | StopAfter)
    }

    fn is_after(self) -> bool {
        matches!(self, TimeoutAfter | ErrorAfter | StopAfter)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The `k`-th call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// From 1 on.
    pub at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind, self.at)
    }
}

impl FromStr for Fault {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.split_once('@').and_then(|(kind, at)| {
            Some(Self { kind: Kind::ALL.into_iter().find(|k| k.to_string() == kind)?, at: at.parse().ok()? })
        });
        read.ok_or_else(|| format!("{text} is no fault: TimeoutAfter@2 is one"))
    }
}

/// What the layer has seen of one piece of work.
#[derive(Default, Debug)]
struct Watch {
    on: bool,
    fault: Option<Fault>,
    /// One entry per call: its id, the same in all its attempts, and what it asks for.
    calls: Vec<(String, String)>,
    struck: bool,
    stopped: bool,
}

/// Places that calls have written to, if anybody keeps account of the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Arc<Mutex<BTreeSet<(String, String)>>>);

impl Written {
    pub fn take(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut *self.0.lock().expect("never poisoned"))
    }

    fn note(&self, request: &HttpRequest) {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = || -> Value {
            request.body().bytes().and_then(|b| serde_json::from_slice(b).ok()).unwrap_or_default()
        };
        let mut places = vec![];
        match target.rsplit('.').next().unwrap_or_default() {
            "PutItem" => places.push(body()["Item"].take()),
            "UpdateItem" | "DeleteItem" => places.push(body()["Key"].take()),
            "TransactWriteItems" => {
                let body = body();
                let acts = body["TransactItems"].as_array().into_iter().flatten();
                let writes = acts.flat_map(|act| act.as_object().into_iter().flatten());
                places.extend(writes.filter(|(act, _)| *act != "ConditionCheck").map(|(_, to)| place_of(to)));
            }
            "BatchWriteItem" => {
                let body = body();
                let tables = body["RequestItems"].as_object().into_iter().flatten();
                let acts = tables.flat_map(|(_, acts)| acts.as_array().into_iter().flatten());
                places.extend(
                    acts.flat_map(|act| act.as_object().into_iter().flatten()).map(|(_, to)| place_of(to)),
                );
            }
            _ => return,
        }
        let text = |place: &Value, name: &str| place[name]["S"].as_str().unwrap_or_default().to_string();
        let places = places.iter().map(|place| (text(place, PK), text(place, SK)));
        self.0.lock().expect("never poisoned").extend(places);
    }
}

fn place_of(to: &Value) -> Value {
    let place = if to["Key"].is_object() { &to["Key"] } else { &to["Item"] };
    serde_json::json!({PK: place[PK], SK: place[SK]})
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// Somebody keeps account of what is written.
    pub proved: bool,
    pub written: Written,
    watch: Arc<Mutex<Watch>>,
    /// Calls that are with the table.
    under_way: Arc<AtomicUsize>,
}

/// What was seen until the watch ended.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// What each call asked for.
    pub calls: Vec<String>,
    /// Whether the fault has happened.
    pub struck: bool,
}

impl Layer {
    pub fn of(proved: bool) -> Self {
        Self { proved, ..Self::default() }
    }
    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().expect("never poisoned")
    }
    /// From here on calls are counted, and the fault happens if its call comes.
    pub fn begin(&self, fault: Option<Fault>) {
        *self.watch() = Watch { on: true, fault, ..Watch::default() };
    }
    pub fn stopped(&self) -> bool {
        self.watch().stopped
    }
    /// Nothing fails any more, and nothing is under way at the table.
    pub async fn end(&self) -> Watched {
        while self.under_way.load(SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
        let watch = std::mem::take(&mut *self.watch());
        Watched { calls: watch.calls.into_iter().map(|(_, target)| target).collect(), struck: watch.struck }
    }

    fn verdict(&self, request: &HttpRequest) -> Verdict {
        let mut watch = self.watch();
        if !watch.on {
            return Verdict::Pass;
        }
        if watch.stopped {
            return Verdict::Dead;
        }
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_string();
        let (id, target) = (header("amz-sdk-invocation-id"), header("x-amz-target"));
        let target = target.rsplit('.').next().unwrap_or_default().to_string();
        let call = match watch.calls.iter().position(|(known, _)| *known == id) {
            Some(at) => at + 1,
            None => {
                watch.calls.push((id, target.clone()));
                watch.calls.len()
            }
        };
        match watch.fault {
            Some(fault) if fault.at == call && fault.kind.concerns(&target) => {
                watch.struck = true;
                watch.stopped |= fault.kind == StopBefore;
                Verdict::Strike(fault.kind)
            }
            _ => Verdict::Watched,
        }
    }

    /// Also if nobody waits for it any more: the table finishes what has reached it.
    async fn finished(&self, call: HttpConnectorFuture) -> Result<HttpResponse, ConnectorError> {
        let under_way = self.under_way.clone();
        under_way.fetch_add(1, SeqCst);
        let work = tokio::spawn(async move {
            let answer = call.await;
            under_way.fetch_sub(1, SeqCst);
            answer
        });
        work.await.unwrap_or_else(|e| Err(ConnectorError::other(e.into(), None)))
    }
}

enum Verdict {
    Pass,
    Watched,
    Strike(Kind),
    Dead,
}

/// The client that the store is given.
#[derive(Debug)]
struct Over {
    layer: Layer,
    client: SharedHttpClient,
}

#[derive(Debug)]
struct Connector {
    layer: Layer,
    inner: SharedHttpConnector,
}

pub(crate) fn over(layer: Layer) -> impl HttpClient + 'static {
    Over { layer, client: aws_smithy_http_client::Builder::new().build_http() }
}

impl HttpClient for Over {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Connector { layer: self.layer.clone(), inner })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let layer = self.layer.clone();
        if layer.proved {
            layer.written.note(&request);
        }
        let kind = match layer.verdict(&request) {
            Verdict::Pass => return self.inner.call(request),
            Verdict::Dead => return HttpConnectorFuture::ready(Err(gone())),
            Verdict::Watched => {
                let call = self.inner.call(request);
                return HttpConnectorFuture::new(async move { layer.finished(call).await });
            }
            Verdict::Strike(kind) => kind,
        };
        let items = items(&request);
        let call = kind.is_after().then(|| self.inner.call(request));
        HttpConnectorFuture::new(async move {
            if let Some(call) = call {
                layer.finished(call).await?;
            }
            if kind == StopAfter {
                layer.watch().stopped = true;
            }
            answer(kind, items)
        })
    }
}

/// How many items a transaction has, if it is one.
fn items(request: &HttpRequest) -> Option<usize> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    if !target.ends_with(".TransactWriteItems") {
        return None;
    }
    let body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
    Some(body["TransactItems"].as_array()?.len())
}

fn gone() -> ConnectorError {
    ConnectorError::other("the world has stopped".into(), None)
}

fn answer(kind: Kind, items: Option<usize>) -> Result<HttpResponse, ConnectorError> {
    let dynamo = "com.amazonaws.dynamodb.v20120810";
    let (status, body) = match kind {
        TimeoutBefore | TimeoutAfter => {
            return Err(ConnectorError::timeout("the table did not answer".into()));
        }
        StopBefore | StopAfter => return Err(gone()),
        Throttle => (400, json!({"__type": format!("{dynamo}#ThrottlingException"), "message": "slow down"})),
        Conflict => match items {
            Some(items) => {
                let reasons: Vec<Value> = (0..items)
                    .map(|n| match n {
                        0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
                        _ => json!({"Code": "None"}),
                    })
                    .collect();
                let kind = format!("{dynamo}#TransactionCanceledException");
                (
                    400,
                    json!({"__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons}),
                )
            }
            None => {
                let kind = format!("{dynamo}#TransactionConflictException");
                (400, json!({"__type": kind, "message": "Transaction is ongoing for the item"}))
            }
        },
        Error | ErrorAfter => {
            (500, json!({"__type": format!("{dynamo}#InternalServerError"), "message": "again"}))
        }
        ExpiredCredentials => {
            let kind = "com.amazon.coral.service#ExpiredTokenException";
            (400, json!({"__type": kind, "message": "The security token included in the request is expired"}))
        }
        SkewedClock => {
            let kind = "com.amazon.coral.service#InvalidSignatureException";
            (
                400,
                json!({"__type": kind, "message": "Signature expired: 20261129T000000Z is now earlier than 20261129T120000Z"}),
            )
        }
    };
    let status = u16::try_from(status).unwrap_or(500);
    let status = status.try_into().map_err(|_| ConnectorError::other("no status".into(), None))?;
    Ok(HttpResponse::new(status, body.to_string().into()))
}
