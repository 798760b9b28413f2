//! What the gateway itself answers when a request does not reach a function, in the template's own words
//! (its GatewayResponses).

use crate::template::document::{entries, plain};
use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;
use std::collections::HashMap;

/// API Gateway's response types that a local request can meet, with their own status and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    MissingAuthenticationToken,
    Unauthorized,
    ExpiredToken,
    InvalidApiKey,
    Throttled,
    QuotaExceeded,
    RequestTooLarge,
    IntegrationTimeout,
    IntegrationFailure,
}

impl Refusal {
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// Type, status, message.
    fn facts(self) -> (&'static str, u16, &'static str) {
        match self {
            Refusal::MissingAuthenticationToken => {
                ("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
            }
            Refusal::Unauthorized => ("UNAUTHORIZED", 401, "Unauthorized"),
            Refusal::ExpiredToken => ("EXPIRED_TOKEN", 401, "The incoming token has expired"),
            Refusal::InvalidApiKey => ("INVALID_API_KEY", 403, "Forbidden"),
            Refusal::Throttled => ("THROTTLED", 429, "Too Many Requests"),
            Refusal::QuotaExceeded => ("QUOTA_EXCEEDED", 429, "Limit Exceeded"),
            Refusal::RequestTooLarge => ("REQUEST_TOO_LARGE", 413, "Request Too Long"),
            Refusal::IntegrationTimeout => ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out"),
            Refusal::IntegrationFailure => ("INTEGRATION_FAILURE", 502, "Internal server error"),
        }
    }
}

/// One GatewayResponse of the template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wording {
    pub status: Option<u16>,
    pub headers: Vec<(String, String)>,
    pub media: Option<String>,
    pub body: Option<String>,
}

/// The template's wordings by response type, `DEFAULT_4XX` and `DEFAULT_5XX` among them.
#[derive(Clone, Debug, Default)]
pub struct Wordings(pub HashMap<String, Wording>);

impl Wordings {
    /// Reads one GatewayResponse in any of its three spellings (resource, SAM, OpenAPI extension).
    pub fn add(&mut self, name: &str, declared: &Value) {
        let get = |upper: &str, lower: &str| {
            declared.get(upper).or(declared.get(lower)).cloned().unwrap_or_default()
        };
        let parameters = get("ResponseParameters", "responseParameters");
        let nested = entries(&parameters["Headers"]).chain(entries(&parameters));
        let headers = nested.filter(|(_, value)| value.is_string()).map(|(name, value)| {
            let name = name.trim_start_matches("gatewayresponse.header.");
            (name.to_ascii_lowercase(), plain(value).trim_matches('\'').to_string())
        });
        let templates = get("ResponseTemplates", "responseTemplates");
        let template = entries(&templates).next();
        let wording = Wording {
            status: plain(&get("StatusCode", "statusCode")).parse().ok(),
            headers: headers.collect(),
            media: template.map(|(media, _)| media.clone()),
            body: template.map(|(_, body)| plain(body)),
        };
        self.0.insert(name.into(), wording);
    }

    fn of(&self, refusal: Refusal, status: u16) -> Option<&Wording> {
        let default = if status < 500 { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        self.0.get(refusal.name()).or_else(|| self.0.get(default))
    }

    /// The answer to a refused request. `context` holds `$context` variables without that prefix.
    pub fn answer(&self, refusal: Refusal, context: &[(&str, &str)]) -> Response<Body> {
        let (kind, own_status, message) = refusal.facts();
        let wording = self.of(refusal, own_status).cloned().unwrap_or_default();
        let quoted = Value::from(message).to_string();
        let mut known: Vec<(&str, &str)> =
            vec![("error.messageString", &quoted), ("error.message", message), ("error.responseType", kind)];
        known.extend(context);
        // `$context.requestIdX` must not be taken for `$context.requestId`: longest names first.
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut body = wording.body.unwrap_or_else(|| format!(r#"{{"message":{quoted}}}"#));
        for (name, value) in known {
            body = body.replace(&format!("$context.{name}"), value);
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(wording.status.unwrap_or(own_status))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let media = wording.media.unwrap_or_else(|| "application/json".into());
        let error_type = ("x-amzn-errortype".to_string(), format!("{kind}Exception"));
        let own = [("content-type".into(), media), error_type];
        for (name, value) in own.into_iter().chain(wording.headers) {
            let pair = (HeaderName::try_from(name), HeaderValue::try_from(value));
            if let (Ok(name), Ok(value)) = pair {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use serde_json::json;

    async fn read(response: Response<Body>) -> (u16, String, String) {
        let media = response.headers()["content-type"].to_str().unwrap().to_string();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, media, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_template_words_the_gateways_own_answers() {
        let mut wordings = Wordings::default();
        wordings.add(
            "UNAUTHORIZED",
            &json!({
                "StatusCode": "401",
                "ResponseParameters": {"gatewayresponse.header.Content-Type": "'application/problem+json'"},
                "ResponseTemplates": {"application/json": r#"{"detail":$context.error.messageString,"request_id":"$context.requestId"}"#},
            }),
        );
        wordings.add(
            "DEFAULT_5XX",
            &json!({"responseTemplates": {"application/problem+json": "{\"status\":504}"}}),
        );
        let refused = read(wordings.answer(Refusal::Unauthorized, &[("requestId", "r-1")])).await;
        let body = r#"{"detail":"Unauthorized","request_id":"r-1"}"#;
        assert_eq!(refused, (401, "application/problem+json".into(), body.into()));
        let late = read(wordings.answer(Refusal::IntegrationTimeout, &[])).await;
        assert_eq!(late, (504, "application/problem+json".into(), "{\"status\":504}".into()));
        let plain = read(wordings.answer(Refusal::Throttled, &[])).await;
        assert_eq!(plain, (429, "application/json".into(), r#"{"message":"Too Many Requests"}"#.into()));
    }
}
