//! `POST /local/token`: what `POST {auth}/oauth2/token` is when deployed (RFC 6749, client credentials).

use super::Machines;
use crate::hosted::trigger::Trigger;
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use kernel::Clock;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

/// Seconds: 12 hours, as the adapter to Cognito asks for.
const LIFE: i64 = 12 * 3600;

pub struct Door {
    pub machines: Arc<Machines>,
    pub trigger: Arc<Trigger>,
    pub issuer: String,
    pub clock: Clock,
}

pub fn router(door: Arc<Door>) -> Router {
    Router::new().route("/local/token", post(token)).with_state(door)
}

async fn token(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = fields(&headers, &body);
    let text = |name: &str| asked.get(name).cloned().unwrap_or_default();
    if text("grant_type") != "client_credentials" {
        return refused(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "send grant_type=client_credentials",
        );
    }
    let (client, secret) = basic(&headers).unwrap_or_else(|| (text("client_id"), text("client_secret")));
    if !door.machines.knows(&client, &secret) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client, or not its secret");
    }
    let event = json!({
        "version": "3", "triggerSource": "TokenGeneration_ClientCredentials", "region": crate::template::REGION,
        "userPoolId": door.issuer.rsplit('/').next(), "userName": client,
        "callerContext": {"awsSdkVersion": "local", "clientId": client},
        "request": {"userAttributes": {}, "scopes": ["api/partner"]}, "response": {},
    });
    let said = match door.trigger.machine(event).await {
        Ok(said) => said,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, "unauthorized_client", &reason),
    };
    let said = &said["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
    match door.machines.sign(&door.claims(&client, said)) {
        Some(token) => {
            let body = json!({"access_token": token, "expires_in": LIFE, "token_type": "Bearer"});
            ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        None => refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the token could not be signed"),
    }
}

impl Door {
    fn claims(&self, client: &str, said: &Value) -> Value {
        let now = self.clock.now().as_second();
        let scopes = said["scopesToAdd"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut claims = json!({
            "iss": self.issuer, "sub": client, "client_id": client, "token_use": "access",
            "scope": scopes.collect::<Vec<_>>().join(" "), "iat": now, "exp": now + LIFE,
            "jti": ulid::Ulid::new().to_string(),
        });
        if let (Some(claims), Some(more)) =
            (claims.as_object_mut(), said["claimsToAddOrOverride"].as_object())
        {
            claims.extend(more.clone());
        }
        claims
    }
}

/// Of a form, as the standard has it, or of JSON, as our other local routes have it.
fn fields(headers: &HeaderMap, body: &[u8]) -> HashMap<String, String> {
    let json =
        headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"));
    if json {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    url::form_urlencoded::parse(body).into_owned().collect()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(sent.trim()).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    Some((client.into(), secret.into()))
}

/// In the words of RFC 6749, §5.2.
fn refused(status: StatusCode, error: &str, detail: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": detail}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_tells_its_secret_in_a_form_in_json_or_in_the_header() {
        let mut headers = HeaderMap::new();
        let form = b"grant_type=client_credentials&client_id=a&client_secret=b%2B";
        assert_eq!(fields(&headers, form)["client_secret"], "b+");
        assert_eq!(basic(&headers), None);
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        assert_eq!(fields(&headers, br#"{"client_id": "a"}"#)["client_id"], "a");
        let sent = format!("Basic {}", BASE64_STANDARD.encode("a:b:c"));
        headers.insert(header::AUTHORIZATION, sent.parse().unwrap());
        assert_eq!(basic(&headers), Some(("a".into(), "b:c".into())));
    }
}
