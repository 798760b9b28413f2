//! The one way in. Order of refusals: token, organisation, module, session, place, rights, then the body. The
//! first "no" answers, and nothing of the request is read before its caller is known.

use crate::{
    Actor, Anyone, App, Ctx, Door, Reach, Refused, Route,
    access::Queue,
    approval::Sent,
    ctx::{Settled, plain},
    entered::Opened,
    extract::Demands,
    gate::{AccessGate, Gate},
    pace::Left,
    refusal::{Known, turned_away},
};
use authz::{Decision, Only};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Extensions, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::{Error, Kind, Result, Ulid};
use lambda_http::{aws_lambda_events::apigw::ApiGatewayProxyRequestContext, request::RequestContext};
use serde_json::{Map, Value};
use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use store::{Caller, Once, Scope};

/// Bytes of a body; what is larger belongs into documents.
pub(crate) const BODY: usize = 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Guarded {
    pub app: App,
    pub module: &'static str,
    pub route: Arc<Route>,
}

pub(crate) async fn guard(State(guarded): State<Guarded>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let mut known = None;
    let response = match pass(&guarded, request, next, &mut known).await {
        Ok(response) => response,
        Err(error) => Refused(error).into_response(),
    };
    if let Some(known) = known {
        let status = response.status().as_u16();
        let problem = response.extensions().get::<crate::Problem>().map(|p| p.code().to_string());
        let Guarded { app, route, .. } = &guarded;
        turned_away(app, &route.operation, known, (&method, &path), status, problem).await;
    }
    response
}

async fn pass(
    guarded: &Guarded,
    mut request: Request,
    next: Next,
    known: &mut Option<Known>,
) -> Result<Response> {
    let Guarded { app, route, .. } = guarded;
    let began = Instant::now();
    let context = context(request.extensions());
    let from = From { operation: route.operation.clone(), ..From::of(&request, context.as_ref()) };
    let deadline = deadline(request.extensions());
    if route.door == Door::Public {
        read_body(&mut request, &from).await?;
        request.extensions_mut().insert(Anyone::new(app.clone(), from.caller("public"), deadline));
        return Ok(next.run(request).await);
    }
    let claims = claims(context.as_ref())?;
    let mut actor = Actor::from_claims(&claims)?;
    let caller = from.caller_of(&actor);
    let told = known.insert(Known { scope: actor.scope, caller, reason: None });
    actor.same_key(context.as_ref().and_then(|c| c.identity.api_key_id.as_deref()))?;
    let demands = Demands::read(request.headers())?;
    told.reason = demands.reason.clone();
    let home = actor.scope;
    let opened = enter(app, &mut actor, &demands, &from, deadline).await?;
    (told.scope, told.caller) = (opened.store.scope(), opened.store.caller().clone());
    let left = match pace(app, home, &actor, &opened) {
        Ok(left) => left,
        Err((over, left)) => {
            let mut response = Refused(over).into_response();
            left.tell(response.headers_mut());
            return Ok(response);
        }
    };
    let decided = match allowed(guarded, &actor, &opened, &demands, &from) {
        Err(locked) if is_locked(&locked) => {
            return Err(first_answer(locked, &mut request, &from, &actor, &demands, &opened).await?);
        }
        decided => decided?,
    };
    refuse_unknown_query(route, &request)?;
    let (hash, body) = read_body(&mut request, &from).await?;
    let once = demands.once.clone().map(|key| Once { by: actor.user.clone(), key, hash });
    let sent = route.approvable.map(|_| Sent {
        module: guarded.module,
        method: request.method().to_string(),
        path: from.path.trim_start_matches("/partner").into(),
        body,
    });
    let ctx = Ctx::new(app.clone(), actor, opened, route.clone(), decided, demands, once, sent);
    if app.seen().mark(&ctx.actor().session, ctx.now()) {
        tell_seen(&ctx, home).await;
    }
    request.extensions_mut().insert(ctx.clone());
    let response = next.run(request).await;
    let mut response = replay(&ctx, response).await;
    if ctx.actor().is_machine() {
        tell_called(&ctx, response.status(), began).await;
    }
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    Ok(response)
}

/// Opens the caller's tenant and reads its gate. An operator with `X-Tenant-Context` enters a customer's.
async fn enter(
    app: &App,
    actor: &mut Actor,
    demands: &Demands,
    from: &From,
    deadline: Instant,
) -> Result<Opened> {
    let unknown = |e| match e {
        Error::Missing => {
            Error::stranger("organisation-unknown", "this token's organisation does not exist here")
        }
        other => other,
    };
    let mut caller = from.caller_of(actor);
    let store = app.vault().open(actor.scope, caller.clone()).await.map_err(unknown)?.until(deadline);
    let gate = app.gates().of(&store).await?;
    actor.current(&gate.access, app.seen(), store.now())?;
    if actor.scope == Scope::Platform
        && let Some(context) = demands.tenant_context
    {
        // The platform's own rules hold on the way out too.
        permit(&gate.access, actor, from)?;
        return crate::entered::enter_tenant(app, actor, &store, context, caller, deadline).await;
    }
    if actor.is_machine() && actor.scopes == [MANY] {
        actor.scopes = named_by_key(&store, &actor.user).await?;
    }
    let lent: Vec<_> = gate.access.lent(&actor.user, store.now()).cloned().collect();
    actor.elevated = lent.iter().map(|e| e.role.clone()).collect();
    caller.elevated = lent.first().map(|e| e.elevation.clone());
    Ok(Opened { store: store.acting(caller), gate })
}

/// People are held to a pace, machines to what their subscription gives them.
fn pace(app: &App, home: Scope, actor: &Actor, opened: &Opened) -> Result<Option<Left>, (Error, Left)> {
    let (gate, now) = (&opened.gate, opened.store.now());
    match &gate.tenant {
        Some(tenant) if actor.is_machine() => gate.calls.take(&actor.user, tenant, now),
        _ => app.pace().take(home, &actor.user, gate, now),
    }
}

/// On a token whose key names more permissions than fit.
const MANY: &str = "~";

/// The permissions of a key, as the integrations module publishes them.
async fn named_by_key(store: &store::Store, key: &str) -> Result<Vec<String>> {
    let fact: Option<Value> = store.fact(store::facts::PARTNER_KEY, key).await?;
    let scopes = fact.as_ref().and_then(|f| f["scopes"].as_array()).into_iter().flatten();
    Ok(scopes.filter_map(|s| s.as_str().map(String::from)).collect())
}

/// The organisation's, the session's and the caller's side of the decision, in this order.
fn allowed(
    guarded: &Guarded,
    actor: &Actor,
    opened: &Opened,
    demands: &Demands,
    from: &From,
) -> Result<Decision> {
    let Guarded { module, route, .. } = guarded;
    let Door::Permission(permission) = route.door else { return Ok(plain(Reach::Own)) };
    let Gate { tenant, access, .. } = &*opened.gate;
    if tenant.is_none() && actor.scope != Scope::Platform {
        return Err(Error::locked(
            "tenant-not-ready",
            "this organisation is being set up; try again in a minute",
        ));
    }
    if let Some(tenant) = tenant {
        tenant.open(route.method == Method::GET)?;
        tenant.module(module)?;
        if !actor.modules.has(&module.to_string()) {
            let detail = format!("your access does not include {module}");
            return Err(Error::forbidden("module-not-given", detail).with("module", module));
        }
    }
    permit(access, actor, from)?;
    if actor.enrolling {
        let detail = "set up your second factor first: POST /v1/identity/me/mfa/begin";
        return Err(Error::forbidden("mfa-enrolment-required", detail));
    }
    let decision = authz::decide(&actor.holder(access), permission, opened.store.now());
    let decision = actor.at_own_sites(decision);
    if !decision.is_allowed() && actor.scope == Scope::Platform {
        let detail = "operators reach an organisation's records only through an open context: POST /v1/tenants/{id}/contexts";
        return Err(Error::forbidden("tenant-context-required", detail));
    }
    if !decision.is_allowed() && route.hidden {
        return Err(Error::Missing);
    }
    if !decision.is_allowed() {
        return Err(Error::forbidden("forbidden", format!("this needs the permission {permission}")));
    }
    with_reason(decision, demands.reason.is_some())
}

/// A rule may name one operator by their id: their own allow-list.
fn permit(access: &AccessGate, actor: &Actor, from: &From) -> Result<()> {
    let mut named = actor.roles.clone();
    named.push(actor.user.clone());
    access.permit(&named, from.ip, from.country.as_deref())
}

/// What is held only with a reason counts only when one came; something narrower may be held without.
fn with_reason(mut decision: Decision, given: bool) -> Result<Decision> {
    if given || decision.only != Some(Only::Reason) {
        return Ok(decision);
    }
    let Some(held) = decision.held.iter().find(|h| h.only != Some(Only::Reason)).copied() else {
        return Err(Error::forbidden(
            "reason-required",
            "your role may do this only with a reason: send X-Reason",
        ));
    };
    (decision.reach, decision.only, decision.decided_by) = (held.reach, held.only, held.decided_by);
    decision.held.retain(|h| h.only != Some(Only::Reason));
    Ok(decision)
}

fn refuse_unknown_query(route: &Route, request: &Request) -> Result<()> {
    match request.uri().query() {
        Some(query) if !query.is_empty() && route.query.is_none() => {
            let name = query.split(['=', '&']).next().unwrap_or_default();
            Err(Error::invalid(format!("?{name}"), "unknown", "this route takes no query parameters"))
        }
        _ => Ok(()),
    }
}

/// Reads the body once, so that its digest names the request; leaves it for the extractors.
async fn read_body(request: &mut Request, from: &From) -> Result<(String, Bytes)> {
    let body = std::mem::take(request.body_mut());
    let bytes = match Limited::new(body, BODY).collect().await {
        Ok(all) => all.to_bytes(),
        Err(e) if e.downcast_ref::<LengthLimitError>().is_some() => {
            let detail = "a body holds at most 1 MB; larger files go through documents";
            return Err(Error::refuse(Kind::TooLarge, "body-too-large", detail));
        }
        Err(_) => return Err(Error::invalid("", "body", "the body could not be read")),
    };
    let hash = digest(request.method(), &from.path, &bytes);
    *request.body_mut() = Body::from(bytes.clone());
    Ok((hash, bytes))
}

fn digest(method: &Method, path: &str, body: &Bytes) -> String {
    let mut all = format!("{method} {path}\n").into_bytes();
    all.extend_from_slice(body);
    hex::encode(seal::sha256(&all))
}

/// A retried command finds its state already left, a retried create its value taken, a retried approval that one has
/// approved already, a retried "next" nothing to do: the first answer comes before that.
async fn replay(ctx: &Ctx, response: Response) -> Response {
    let refused = matches!(
        response.status(),
        StatusCode::FORBIDDEN
            | StatusCode::GONE
            | StatusCode::CONFLICT
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::NOT_FOUND
    );
    // A retried `call_next` finds nobody waiting any more: what was called stands in the first answer.
    let idle = response.status().is_success() && response.extensions().get::<Settled>().is_none();
    let (true, Some(once)) = (refused || idle, ctx.once()) else { return response };
    match ctx.store().replay(once).await {
        Ok(()) => response,
        Err(error @ (Error::Replay { .. } | Error::KeyReused)) => Refused(error).into_response(),
        Err(_) => response,
    }
}

fn is_locked(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.kind == Kind::Locked)
}

/// Whoever has closed their organisation with this very request asks again: the first answer comes before the lock.
async fn first_answer(
    locked: Error,
    request: &mut Request,
    from: &From,
    actor: &Actor,
    demands: &Demands,
    opened: &Opened,
) -> Result<Error> {
    let Some(key) = demands.once.clone() else { return Ok(locked) };
    let (hash, _) = read_body(request, from).await?;
    match opened.store.replay(&Once { by: actor.user.clone(), key, hash }).await {
        Err(error @ Error::Replay { .. }) => Ok(error),
        _ => Ok(locked),
    }
}

/// A session's sign of life. Losing one costs a sign-in at worst, so it never fails a request.
/// `home` is where the session lives: an operator's is the platform's, whomever it visits.
async fn tell_seen(ctx: &Ctx, home: Scope) {
    let (actor, caller) = (ctx.actor(), ctx.store().caller());
    let body = serde_json::json!({
        "type": "session.seen", "tenant": home.to_string(), "session": actor.session,
        "user": actor.user, "at": ctx.now(), "ip": caller.ip, "agent": caller.agent,
    });
    if let Err(error) = ctx.app().post().send(Queue::Identity, body.to_string()).await {
        tracing::warn!(%error, "a session's sign of life was not accepted");
    }
}

/// A line of a machine's use. Losing one makes a number on a page smaller, so it never fails a request.
async fn tell_called(ctx: &Ctx, status: StatusCode, began: Instant) {
    let body = serde_json::json!({
        "type": "partner.called", "tenant": ctx.scope().to_string(), "key": ctx.actor().user, "at": ctx.now(),
        "request": ctx.store().caller().request, "status": status.as_u16(), "ms": began.elapsed().as_millis() as u64,
    });
    if let Err(error) = ctx.app().post().send(Queue::Integrations, body.to_string()).await {
        tracing::warn!(%error, "a machine's call was not counted");
    }
}

/// Where a request comes from.
pub(crate) struct From {
    pub request: String,
    /// With its query: `?dry_run=true` asks for something else.
    pub path: String,
    pub ip: Option<IpAddr>,
    pub agent: String,
    pub country: Option<String>,
    /// The route's.
    pub operation: String,
}

impl From {
    fn of(request: &Request, context: Option<&ApiGatewayProxyRequestContext>) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
        let agent: String = header("user-agent").unwrap_or_default().chars().take(200).collect();
        Self {
            request: request_id(request.extensions()),
            path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            ip: context.and_then(|c| c.identity.source_ip.as_deref()).and_then(|ip| ip.parse().ok()),
            agent,
            // `CloudFront-Viewer-Country` says something only behind a front that sets it. The API is regional and
            // has none, so whoever sends the header says what they like: the country is unknown.
            country: None,
            operation: String::new(),
        }
    }

    /// Somebody with a token.
    fn caller_of(&self, actor: &Actor) -> Caller {
        let session = Some(actor.session.clone()).filter(|s| !s.is_empty());
        Caller { roles: actor.roles.clone(), session, ..self.caller(&actor.user) }
    }

    fn caller(&self, by: &str) -> Caller {
        Caller {
            by: by.into(),
            request: self.request.clone(),
            ip: self.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            agent: self.agent.clone(),
            route: Some(self.operation.clone()).filter(|o| !o.is_empty()),
            ..Caller::default()
        }
    }
}

fn context(extensions: &Extensions) -> Option<ApiGatewayProxyRequestContext> {
    match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV1(context)) => Some(context.clone()),
        _ => None,
    }
}

pub(crate) fn request_id(extensions: &Extensions) -> String {
    context(extensions).and_then(|c| c.request_id).unwrap_or_else(|| format!("req-{}", Ulid::new()))
}

fn claims(context: Option<&ApiGatewayProxyRequestContext>) -> Result<Map<String, Value>> {
    let claims = context.and_then(|c| c.authorizer.fields.get("claims")).and_then(Value::as_object);
    let claims = claims
        .ok_or_else(|| Error::stranger("not-signed-in", "send an access token: Authorization: Bearer …"))?;
    match claims.get("token_use").and_then(Value::as_str) {
        Some("access") => Ok(claims.clone()),
        _ => Err(Error::stranger("not-an-access-token", "send the access token, not the ID token")),
    }
}

/// The response of a handler that panicked; in a release build the process ends instead (decision 0008).
pub(crate) async fn run(request: Request, next: Next) -> Response {
    let ran = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    ran.unwrap_or_else(|_| Refused(Error::internal("a handler panicked")).into_response())
}

/// Half a second before the runtime stops waiting.
fn deadline(extensions: &Extensions) -> Instant {
    let default = Duration::from_secs(25);
    let left = extensions.get::<lambda_http::Context>().and_then(|c| {
        #[expect(clippy::disallowed_methods, reason = "the runtime's deadline is in the system's time")]
        let now = SystemTime::now();
        c.deadline().duration_since(now).ok()
    });
    Instant::now() + left.unwrap_or(default).saturating_sub(Duration::from_millis(500)).min(default)
}
