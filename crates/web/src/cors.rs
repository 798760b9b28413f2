//! Who may call from a browser. A preflight carries no token, so no tenant is known: allowed origins lie in the
//! platform's part of the table, one item per origin and organisation, fed by the tenants' settings.

use crate::App;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::Result;
use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};
use store::{Caller, Key, Scope};

const METHODS: &str = "GET, POST, PATCH, PUT, DELETE";
const HEADERS: &str = "authorization, content-type, idempotency-key, if-match, x-api-key, x-break-glass, x-reason, \
                       x-signup-token, x-tenant-context";
const EXPOSED: &str =
    "etag, location, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id";
const KEPT: Duration = Duration::from_secs(60);
/// Origins remembered; beyond it all are forgotten, so that strangers cannot fill the memory.
const MOST: usize = 1000;

/// Where an organisation's consent to an origin lies, in the platform's scope.
pub fn allowed_origin(origin: &str, tenant: &str) -> Key {
    Key::item("origin", origin, tenant)
}

#[derive(Default)]
pub struct Origins(Mutex<HashMap<String, (Instant, bool)>>);

impl Origins {
    /// As a new process begins.
    pub(crate) fn forget_all(&self) {
        self.0.lock().expect("never poisoned").clear();
    }

    async fn allows(&self, app: &App, origin: &str) -> Result<bool> {
        if !well_formed(origin) {
            return Ok(false);
        }
        if let Some((until, allowed)) = self.0.lock().expect("never poisoned").get(origin)
            && *until > Instant::now()
        {
            return Ok(*allowed);
        }
        let caller = Caller { by: "public".into(), ..Caller::default() };
        let platform = app.vault().open(Scope::Platform, caller).await?;
        let found = platform.under::<serde_json::Value>(&allowed_origin(origin, ""), "", 1).await?;
        let allowed = !found.is_empty();
        let mut all = self.0.lock().expect("never poisoned");
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(origin.into(), (Instant::now() + KEPT, allowed));
        Ok(allowed)
    }
}

/// `https://host[:port]`; plain http only on this machine, for developers.
fn well_formed(origin: &str) -> bool {
    let host = origin.strip_prefix("https://").or_else(|| {
        let local = origin.strip_prefix("http://")?;
        matches!(local.split(':').next(), Some("localhost" | "127.0.0.1")).then_some(local)
    });
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    host.is_some_and(|h| (1..=253).contains(&h.len()) && h.chars().all(plain))
}

pub(crate) async fn cors(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).and_then(|v| v.to_str().ok()).map(String::from);
    let preflight = request.method() == Method::OPTIONS;
    let allowed = match &origin {
        // A table that does not answer allows nobody; the request itself is judged by the guard as always.
        Some(origin) => app.origins().allows(&app, origin).await.unwrap_or(false),
        None => false,
    };
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if let (true, Some(origin)) = (allowed, origin.as_deref().and_then(|o| HeaderValue::from_str(o).ok())) {
        allow(response.headers_mut(), origin, preflight);
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    let mut put =
        |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    if preflight {
        put(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        put(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        put(header::ACCESS_CONTROL_MAX_AGE, "600");
    } else {
        put(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
}

#[cfg(test)]
mod tests {
    use super::well_formed;

    #[test]
    fn an_origin_is_https_or_this_machine() {
        for good in [
            "https://app.grace.example",
            "https://x.example:8443",
            "http://localhost:5173",
            "http://127.0.0.1",
        ] {
            assert!(well_formed(good), "{good}");
        }
        for bad in
            ["http://app.grace.example", "https://", "https://a b", "https://a/b", "null", "https://a#b"]
        {
            assert!(!well_formed(bad), "{bad}");
        }
    }
}
