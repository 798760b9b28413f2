//! What API Gateway does in front of the functions, from the same template: routes, the Cognito authorizer,
//! API keys and usage plans, limits of size and time, its own answers, and the request context.

pub mod authorize;
pub mod context;
pub mod refusal;
pub mod route;
pub mod throttle;

use authorize::{Authorizer, Claims, Refused};
use axum::{Router, body::Body};
use bytes::Bytes;
use context::Arrival;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::Clock;
use refusal::{Refusal, Wordings};
use route::{Answer, Method, Routes};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};
use throttle::{Over, Plan, Throttle};
use tower::ServiceExt;

/// The most a function is given or may answer (Lambda's limit, below the 10 MB of API Gateway).
const PAYLOAD: usize = 6 * 1024 * 1024;
/// What is beyond is read and thrown away up to here, so that the sender gets to see the answer.
const DRAINED: usize = 64 * 1024 * 1024;
/// The longest API Gateway waits for a function.
pub const PATIENCE: Duration = Duration::from_secs(29);

/// A function by its logical name in the template.
pub type Functions = HashMap<String, Router>;

/// API keys by their value.
pub type Keys = RwLock<HashMap<String, Key>>;

/// An API key: its name at the gateway, and its usage plan.
#[derive(Clone, Debug, Default)]
pub struct Key {
    pub id: String,
    pub plan: Plan,
}

/// A key as a request brought it.
pub struct Brought {
    pub id: String,
    pub value: String,
}

pub struct Gateway {
    pub routes: Routes,
    pub wordings: Wordings,
    pub authorizer: Arc<Authorizer>,
    pub keys: Arc<Keys>,
    /// The stage's own limits, over all callers.
    pub stage_limits: Plan,
    pub stage: String,
    pub functions: Functions,
    pub clock: Clock,
    pub patience: Duration,
    pub throttle: Throttle,
}

/// What has been found out about a request that may pass.
struct Admitted<'a> {
    method: &'a Method,
    claims: Option<Claims>,
    key: Option<Brought>,
}

impl Gateway {
    /// Answers one request from `from`.
    pub async fn answer(self: Arc<Self>, request: Request<Body>, from: IpAddr) -> Response<Body> {
        let started = Instant::now();
        let sent = request.uri().path().to_string();
        let verb = request.method().as_str().to_string();
        let arrival = Arrival::new(self.clock.now(), from, &self.stage, &sent);
        let mut response = match self.pass(request, &arrival).await {
            Ok(response) => response,
            Err(refusal) => self.wordings.answer(refusal, &arrival.variables(&verb)),
        };
        if let Ok(id) = HeaderValue::try_from(arrival.id.clone()) {
            response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
        }
        let resource = self.routes.find(&verb, &self.without_stage(&sent));
        let resource = resource.map(|(method, _)| method.resource.as_str()).unwrap_or("-");
        let line = arrival.line(&verb, resource, response.status().as_u16(), started.elapsed().as_millis());
        tracing::info!(target: "access", "{line}");
        response
    }

    async fn pass(&self, request: Request<Body>, arrival: &Arrival) -> Result<Response<Body>, Refusal> {
        let (mut head, body) = request.into_parts();
        let path = self.without_stage(head.uri.path());
        let admitted = self.admit(head.method.as_str(), &path, &head.headers)?;
        let body = read(body).await?;
        let name = match &admitted.method.answer {
            Answer::Fixed { status, headers } => return Ok(fixed(*status, headers)),
            Answer::Function(name) => name,
        };
        let function = self.functions.get(name).cloned().ok_or(Refusal::IntegrationFailure)?;
        let resource = &admitted.method.resource;
        let context = arrival.context(&head.method, resource, &head.headers, admitted.claims, admitted.key);
        head.extensions.insert(context);
        forward(&mut head.headers, arrival);
        let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        head.uri = format!("{path}{query}").parse().map_err(|_| Refusal::MissingAuthenticationToken)?;
        self.invoke(name, function, Request::from_parts(head, Body::from(body))).await
    }

    /// Lets a request through to its method, or says why not, in the order in which API Gateway looks.
    fn admit(&self, verb: &str, path: &str, headers: &HeaderMap) -> Result<Admitted<'_>, Refusal> {
        let found = self.routes.find(verb, path);
        let (method, _) = found.map_err(|_| Refusal::MissingAuthenticationToken)?;
        let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let claims = match &method.scopes {
            None => None,
            Some(scopes) => Some(self.authorizer.check(header("authorization"), scopes).map_err(refusal_of)?),
        };
        let now = Instant::now();
        let key = if method.key_required { Some(self.admit_key(header("x-api-key"), now)?) } else { None };
        self.throttle.take("stage", &self.stage_limits, now).map_err(over)?;
        Ok(Admitted { method, claims, key })
    }

    fn admit_key(&self, key: Option<&str>, now: Instant) -> Result<Brought, Refusal> {
        let key = key.ok_or(Refusal::InvalidApiKey)?;
        let keys = self.keys.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Key { id, plan } = keys.get(key).ok_or(Refusal::InvalidApiKey)?;
        self.throttle.take(&format!("key {key}"), plan, now).map_err(over)?;
        Ok(Brought { id: id.clone(), value: key.into() })
    }

    /// In a task of its own: like a real function it goes on after the gateway has stopped waiting, and when it
    /// falls over nothing else does.
    async fn invoke(
        &self,
        name: &str,
        function: Router,
        request: Request<Body>,
    ) -> Result<Response<Body>, Refusal> {
        let running = tokio::spawn(async move {
            let response = function.oneshot(request).await.unwrap_or_else(|never| match never {});
            let (head, body) = response.into_parts();
            Limited::new(body, PAYLOAD).collect().await.map(|body| (head, body.to_bytes()))
        });
        match tokio::time::timeout(self.patience, running).await {
            Err(_) => Err(Refusal::IntegrationTimeout),
            Ok(Ok(Ok((head, body)))) => Ok(Response::from_parts(head, Body::from(body))),
            Ok(Ok(Err(cause))) => {
                tracing::error!(function = name, %cause, "the answer could not be read, or is over 6 MB");
                Err(Refusal::IntegrationFailure)
            }
            Ok(Err(cause)) => {
                tracing::error!(function = name, %cause, "the function fell over");
                Err(Refusal::IntegrationFailure)
            }
        }
    }

    fn without_stage(&self, path: &str) -> String {
        match path.strip_prefix(&format!("/{}/", self.stage)) {
            Some(rest) => format!("/{rest}"),
            None => path.into(),
        }
    }
}

fn refusal_of(refused: Refused) -> Refusal {
    match refused {
        Refused::Unauthorized => Refusal::Unauthorized,
        Refused::Expired => Refusal::ExpiredToken,
    }
}

fn over(over: Over) -> Refusal {
    match over {
        Over::Rate => Refusal::Throttled,
        Over::Quota => Refusal::QuotaExceeded,
    }
}

/// The whole body, unless it is more than API Gateway or the function takes.
async fn read(body: Body) -> Result<Bytes, Refusal> {
    let mut body = Limited::new(body, DRAINED);
    let mut whole = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let part = frame.into_data().unwrap_or_default();
                length += part.len();
                if length <= PAYLOAD {
                    whole.extend_from_slice(&part);
                }
            }
            Err(cause) if cause.is::<LengthLimitError>() => return Err(Refusal::RequestTooLarge),
            Err(_) => return Err(Refusal::IntegrationFailure),
        }
    }
    // Between 6 and 10 MB API Gateway takes the body, but Lambda does not: the same answer as above 10 MB.
    if length > PAYLOAD { Err(Refusal::RequestTooLarge) } else { Ok(whole.into()) }
}

fn fixed(status: u16, headers: &[(String, String)]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn forward(headers: &mut HeaderMap, arrival: &Arrival) {
    let trace = format!("Root=1-{:08x}-{}", arrival.at.as_second(), &arrival.id.replace('-', "")[8..]);
    let known = headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
    let chain = known.map_or(arrival.from.to_string(), |known| format!("{known}, {}", arrival.from));
    for (name, value) in
        [("x-amzn-trace-id", trace), ("x-forwarded-for", chain), ("x-forwarded-proto", "http".into())]
    {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests;
