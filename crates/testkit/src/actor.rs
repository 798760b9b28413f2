//! Somebody with a token, calling.

use crate::{
    Reply,
    meter::{self, Ledger},
    proof::{
        chaos::Chaos,
        proving::{Proving, answered},
    },
    table::turnstile::Turnstile,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kernel::Ulid;
use lambda_http::{
    aws_lambda_events::apigw::{ApiGatewayProxyRequestContext, ApiGatewayRequestIdentity},
    request::RequestContext,
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};
use tower::ServiceExt;

/// A caller with claims as the gateway would hand them over.
#[derive(Clone)]
pub struct Actor {
    pub(crate) router: Router,
    pub(crate) chaos: Option<Chaos>,
    pub(crate) proving: Option<Proving>,
    pub(crate) turnstile: Turnstile,
    pub(crate) ledger: Arc<Ledger>,
    pub claims: Map<String, Value>,
    pub ip: String,
    pub token: bool,
    /// The gateway's id of the key that comes along.
    pub api_key: Option<String>,
}

impl Actor {
    /// `usr_…`
    pub fn user(&self) -> String {
        self.claims["user"].as_str().unwrap_or_default().into()
    }
    /// The same person with another claim.
    pub fn with(mut self, claim: &str, value: &str) -> Self {
        self.claims.insert(claim.into(), value.into());
        self
    }
    pub fn from(mut self, ip: &str) -> Self {
        self.ip = ip.into();
        self
    }
    /// With an `x-api-key`, known to the gateway by this id.
    pub fn keyed(mut self, id: &str) -> Self {
        self.api_key = Some(id.into());
        self
    }
    /// Last seen then, with this idle limit in minutes.
    pub fn seen(self, at: Timestamp, idle: u32) -> Self {
        self.with("seen", &at.as_second().to_string()).with("idle", &idle.to_string())
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path).body(body).send().await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path).body(body).send().await
    }
    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send().await
    }
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call { actor: self, method: method.into(), path: path.into(), headers: vec![], body: vec![] }
    }
}

/// A request being made.
pub struct Call<'a> {
    actor: &'a Actor,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call<'_> {
    pub fn body(self, body: Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string().into_bytes())
    }
    pub fn raw(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
    pub fn if_match(self, version: u64) -> Self {
        self.header("if-match", &format!("\"{version}\""))
    }
    pub fn because(self, reason: &str) -> Self {
        self.header("x-reason", reason)
    }

    pub async fn send(mut self) -> Reply {
        if let Some(proving) = self.actor.proving.clone().filter(|proving| !proving.is_over()) {
            let name = proving.named(&self.method, &self.path);
            let keyed = self.actor.token;
            if name.is_some() && keyed && !self.has_key() {
                self = self.key(&format!("proving-{}", Ulid::new()));
            }
            return proving.work(name, keyed, || Box::pin(self.done()), answered).await;
        }
        let Some(chaos) = self.actor.chaos.clone().filter(|chaos| !chaos.ended()) else {
            let writes = self.method != "GET";
            let _inside = writes.then(|| self.actor.turnstile.enter(&self.path));
            return self.done().await;
        };
        // Only what carries a key may be sent again without looking.
        if self.method != "POST" || !self.actor.token {
            return chaos.once(self.done()).await;
        }
        if !self.has_key() {
            self = self.key(&format!("chaos-{}", Ulid::new()));
        }
        chaos.twice(|| self.done()).await
    }

    fn has_key(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
    }

    async fn done(&self) -> Reply {
        let asked = format!("{} {}", self.method, self.path);
        let mut request = Request::builder().method(&*self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(self.body.clone())).expect("a request");
        request.extensions_mut().insert(RequestContext::ApiGatewayV1(context(self.actor)));
        // On the heap: what a request awaits is deep, and a test's stack is not.
        let answering = Box::pin(self.actor.router.clone().oneshot(request));
        let response = if self.actor.ledger.is_quiet() {
            answering.await.expect("routers do not fail")
        } else {
            let (response, tally) = meter::of(answering).await;
            let response = response.expect("routers do not fail");
            self.actor.ledger.judge(&self.method, &self.path, response.status().as_u16(), &tally);
            response
        };
        let status = response.status().as_u16();
        let (head, body) = response.into_parts();
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_string()))
        };
        let headers: BTreeMap<String, String> = head.headers.iter().filter_map(text).collect();
        let (etag, retry_after) = (headers.get("etag").cloned(), headers.get("retry-after").cloned());
        let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status, body, bytes, headers, etag, retry_after, asked }
    }
}

fn context(actor: &Actor) -> ApiGatewayProxyRequestContext {
    let mut identity = ApiGatewayRequestIdentity::default();
    identity.source_ip = Some(actor.ip.clone());
    identity.api_key_id = actor.api_key.clone();
    let mut context = ApiGatewayProxyRequestContext::default();
    context.request_id = Some(format!("req-{}", Ulid::new()));
    context.identity = identity;
    if actor.token {
        context.authorizer.fields.insert("claims".into(), Value::Object(actor.claims.clone()));
    }
    context
}
