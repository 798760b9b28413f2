//! The request context that API Gateway hands to a function beside the request.

use super::{Brought, authorize::Claims};
use aws_lambda_events::apigw::{ApiGatewayProxyRequestContext, ApiGatewayRequestIdentity};
use http::{HeaderMap, Method, header};
use jiff::{Timestamp, fmt::strtime};
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use std::net::IpAddr;

/// What is known of a request before a function sees it.
pub struct Arrival {
    pub id: String,
    pub at: Timestamp,
    pub from: IpAddr,
    pub stage: String,
    /// As the client sent it, with the stage if it named one.
    pub path: String,
}

impl Arrival {
    pub fn new(at: Timestamp, from: IpAddr, stage: &str, path: &str) -> Arrival {
        Arrival { id: uuid(), at, from, stage: stage.into(), path: path.into() }
    }

    /// The context of a request that may pass: on `resource`, with `claims` if it was authorised.
    pub fn context(
        &self,
        method: &Method,
        resource: &str,
        headers: &HeaderMap,
        claims: Option<Claims>,
        key: Option<Brought>,
    ) -> RequestContext {
        let header = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(String::from);
        let mut identity = ApiGatewayRequestIdentity::default();
        identity.source_ip = Some(self.from.to_string());
        identity.user_agent = header(header::USER_AGENT);
        if let Some(Brought { id, value }) = key {
            (identity.api_key_id, identity.api_key) = (Some(id), Some(value));
        }
        let mut context = ApiGatewayProxyRequestContext::default();
        context.account_id = Some("000000000000".into());
        context.apiid = Some("local".into());
        context.stage = Some(self.stage.clone());
        context.domain_name = header(header::HOST);
        context.request_id = Some(self.id.clone());
        context.protocol = Some("HTTP/1.1".into());
        context.identity = identity;
        context.resource_path = Some(resource.into());
        context.path = Some(self.path.clone());
        context.http_method = method.clone();
        context.request_time = strtime::format("%d/%b/%Y:%H:%M:%S +0000", self.at).ok();
        context.request_time_epoch = self.at.as_millisecond();
        if let Some(claims) = claims {
            context.authorizer.fields.insert("claims".into(), Value::Object(claims));
        }
        RequestContext::ApiGatewayV1(context)
    }

    /// `$context` variables for the gateway's own answers.
    pub fn variables<'a>(&'a self, method: &'a str) -> Vec<(&'static str, &'a str)> {
        vec![("requestId", &self.id), ("path", &self.path), ("stage", &self.stage), ("httpMethod", method)]
    }

    /// The line of the access log. It names the resource, not the path: a personal link's path is a secret.
    pub fn line(&self, method: &str, resource: &str, status: u16, ms: u128) -> String {
        let line = json!({
            "id": self.id, "ip": self.from, "method": method, "resource": resource, "status": status, "ms": ms,
        });
        line.to_string()
    }
}

/// A request id in API Gateway's shape, in order of time.
fn uuid() -> String {
    let hex = format!("{:032x}", ulid::Ulid::new().0);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
