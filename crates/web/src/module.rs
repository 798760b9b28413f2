//! A module: its routes and what it does on messages. Mounted the same way in the cloud, locally and in tests.

use crate::{
    App, Ctx, Problem, Reaction, Refused, Route, Task, Work, cors,
    guard::{self, Guarded},
    job,
};
use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Uri, header, uri::PathAndQuery},
    middleware::{self, Next},
    response::Response,
};
use futures::future::BoxFuture;
use kernel::{Error, Kind, Result};
use serde_json::Value;
use std::sync::Arc;
use tower::util::MapRequest;
use tracing::Instrument;

/// What one function is.
pub struct Module {
    pub name: &'static str,
    pub routes: Vec<Route>,
    pub reactions: Vec<Reaction>,
    pub tasks: Vec<Task>,
    /// What it does on events of live connections; one module has some.
    pub sockets: Option<Connects>,
}

/// An event of the WebSocket API, as its gateway hands it over, and what it is answered.
pub type Connects = Arc<dyn Fn(App, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync>;

impl Module {
    /// Where a command may have to wait for a second person, the module also decides about it.
    pub fn new(name: &'static str, mut routes: Vec<Route>) -> Self {
        let waiting: Vec<Route> = routes.iter().filter(|r| r.approvable.is_some()).cloned().collect();
        if let Some(decided) = waiting.first().and_then(|route| route.waiting) {
            routes.extend((decided.routes)(name, waiting));
        }
        Self { name, routes, reactions: vec![], tasks: vec![], sockets: None }
    }
    pub fn connects<F>(mut self, run: impl Fn(App, Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Value>> + Send + 'static,
    {
        self.sockets = Some(Arc::new(move |app, event| Box::pin(run(app, event))));
        self
    }
    pub fn reacts(mut self, reactions: Vec<Reaction>) -> Self {
        self.reactions.extend(reactions);
        self
    }
    /// Does what [`Ctx::later`] put off.
    pub fn works<F>(
        mut self,
        work: &'static str,
        run: impl Fn(Ctx, Work) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.reactions.push(job::reaction(work, run));
        self
    }
    /// Messages that are no events: due rows, marks of requests.
    pub fn does(mut self, tasks: Vec<Task>) -> Self {
        self.tasks.extend(tasks);
        self
    }
}

/// The module's router; partners reach the same routes under `/partner`. Their paths lose it before the routes are
/// asked: one table serves both, and is built once in every start.
pub fn mount(module: &Module, app: App) -> Router {
    let routes = MapRequest::new(router(module.name, &module.routes, app.clone()), unpartnered);
    let both = Router::new().fallback_service(routes);
    both.layer(middleware::from_fn_with_state(app, cors::cors)).layer(middleware::from_fn(finish))
}

/// `/partner/v1/patients?q=x` → `/v1/patients?q=x`
fn unpartnered(mut request: Request) -> Request {
    let whole = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    let rest = whole.strip_prefix("/partner").filter(|rest| rest.starts_with('/'));
    if let Some(rest) = rest.and_then(|rest| rest.parse().ok()) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(rest);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

pub fn router(module: &'static str, routes: &[Route], app: App) -> Router {
    let mut router = Router::new();
    for route in routes {
        let guarded = Guarded { app: app.clone(), module, route: Arc::new(route.clone()) };
        let layer = middleware::from_fn_with_state(guarded, guard::guard);
        router = router.route(&route.path, route.handler.clone().layer(layer));
    }
    let missing = || async { Refused(Error::Missing) };
    let other_method = || async {
        Refused(Error::refuse(
            Kind::Method,
            "method-not-allowed",
            "this place knows other methods: see Allow",
        ))
    };
    router.method_not_allowed_fallback(other_method).fallback(missing).with_state(app)
}

/// Every answer's last touch: the request's id, the problem's place, no caching of anybody's record.
async fn finish(request: Request, next: Next) -> Response {
    let id = guard::request_id(request.extensions());
    let path = request.uri().path().to_string();
    // The id that callers quote stands in every line that this request logs.
    let span = tracing::error_span!("request", id = %id);
    let mut response = guard::run(request, next).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let problem = Problem { instance: Some(path), request_id: Some(id.clone()), ..problem };
        let mut kept = std::mem::take(response.headers_mut());
        // The length was that of the body which is replaced here.
        kept.remove(header::CONTENT_LENGTH);
        response = problem.respond();
        // What the layers within said stays: Allow, RateLimit, CORS.
        for (name, value) in
            kept.iter().filter(|(name, _)| !response.headers().contains_key(*name)).collect::<Vec<_>>()
        {
            response.headers_mut().append(name, value.clone());
        }
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}
