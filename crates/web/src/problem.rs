//! RFC 9457. One error, one status map; the cause is logged once, here at the edge.

use crate::answer::Refused;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{Error, Fault, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where each `type` has its page.
pub const TYPES: &str = "https://docs.lumina.health/problems/";

/// `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A stable URI; its last segment is the code.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// In plain words, with the way out.
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Everything that is wrong with the request, at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// What else helps: the limit, the candidates, the free slots.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn of(error: &Error) -> Self {
        let (status, title) = meaning(error);
        let mut problem = Self {
            kind: format!("{TYPES}{}", error.code()),
            title: title.into(),
            status,
            detail: detail(error),
            instance: None,
            request_id: None,
            errors: vec![],
            extra: Map::new(),
            retry_after: None,
        };
        match error {
            Error::Invalid(faults) => problem.errors = faults.clone(),
            Error::Refused(r) => {
                problem.errors = r.errors.clone();
                problem.extra = foreign(&r.extra);
                problem.retry_after = r.retry_after;
            }
            Error::Duplicate { field, owner, .. } => {
                problem.extra.insert("field".into(), (*field).into());
                if !owner.is_empty() {
                    problem.extra.insert("record".into(), owner.clone().into());
                }
            }
            Error::Stale { current, .. } => {
                problem.extra.insert("current_version".into(), (*current).into());
            }
            Error::Busy => problem.retry_after = Some(1),
            _ => {}
        }
        if problem.status == 503 {
            problem.retry_after = problem.retry_after.or(Some(1));
        }
        problem
    }

    pub fn code(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn respond(&self) -> Response {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response =
            (StatusCode::from_u16(self.status).unwrap_or_default(), Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The members that every problem has: nothing else may stand under their names (RFC 9457, 3.2).
const OWN: [&str; 7] = ["type", "title", "status", "detail", "instance", "request_id", "errors"];

/// What was added, without what carries a name of ours: a member that stands twice is read by each reader in its own way.
fn foreign(added: &Map<String, Value>) -> Map<String, Value> {
    let is_foreign = |name: &&String| {
        let own = OWN.contains(&name.as_str());
        if own {
            tracing::error!(name, "a problem's own member cannot be added to it");
        }
        !own
    };
    added.keys().filter(is_foreign).map(|name| (name.clone(), added[name].clone())).collect()
}

fn meaning(error: &Error) -> (u16, &'static str) {
    match error {
        Error::Invalid(_) => (400, "The request is not valid"),
        Error::Missing => (404, "Not found"),
        Error::Duplicate { .. } => (409, "Already used"),
        Error::Stale { demanded: true, .. } => (412, "Changed meanwhile"),
        Error::Stale { demanded: false, .. } => (409, "Changed meanwhile"),
        Error::State { .. } => (422, "Not possible in this state"),
        Error::KeyReused => (422, "Idempotency key reused"),
        Error::Replay { status, .. } => (*status, "Replayed"),
        Error::Busy => (503, "Busy"),
        Error::Internal(_) => (500, "Our fault"),
        Error::Refused(r) => match r.kind {
            Kind::Stranger => (401, "Sign in"),
            Kind::Forbidden => (403, "Not permitted"),
            Kind::Missing => (404, "Not found"),
            Kind::Method => (405, "Method not allowed"),
            Kind::Conflict => (409, "Not possible now"),
            Kind::Gone => (410, "Its time is over"),
            Kind::TooLarge => (413, "Too large"),
            Kind::MediaType => (415, "Unsupported media type"),
            Kind::Unprocessable => (422, "Not possible"),
            Kind::Locked => (423, "The organisation is not open"),
            Kind::ApprovalRequired => (428, "A second person has to approve"),
            Kind::TooMany => (429, "Too many requests"),
            Kind::Unavailable => (503, "Not available"),
        },
    }
}

fn detail(error: &Error) -> String {
    match error {
        Error::Internal(_) => {
            "We could not finish this; nothing is half done. Try again, and quote the request id if it stays."
                .into()
        }
        Error::Invalid(faults) if faults.len() == 1 => format!("{}: {}", faults[0].pointer, faults[0].detail),
        Error::Invalid(faults) => format!("{} things are wrong; all are listed in errors", faults.len()),
        Error::Missing => "There is no such record here, or it is not yours to know of.".into(),
        Error::Stale { .. } => format!("{error}: read it again and repeat your change"),
        Error::Busy => "Too many changes at the same moment; nothing was done. Try again.".into(),
        Error::KeyReused => format!("{error}; use a new key for a new request"),
        other => other.to_string(),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Error::Replay { status, body, version } = self.0 {
            return crate::answer::raw(status, version, body);
        }
        if let Error::Internal(cause) = &self.0 {
            tracing::error!(cause = %cause, "internal");
        }
        let problem = Problem::of(&self.0);
        let mut response = problem.respond();
        // The router's outermost layer adds the request's id and path.
        response.extensions_mut().insert(problem);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_added_stands_under_a_name_of_the_problem() {
        let added = |error: Error, name| error.with(name, "added");
        let error = OWN.into_iter().fold(Error::conflict("slot-taken", "take another"), added);
        let problem = Problem::of(&error.with("free", 3));
        assert_eq!(problem.extra, Map::from_iter([("free".to_string(), 3.into())]));
        let text = serde_json::to_string(&problem).unwrap();
        assert!(!text.contains("added"), "{text}");
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
        let whole = Problem {
            instance: Some("/v1/me".into()),
            request_id: Some("r".into()),
            errors: vec![Fault::new("/a", "b", "c")],
            extra: Map::new(),
            ..problem
        };
        let names = serde_json::to_value(whole).unwrap();
        let own: std::collections::BTreeSet<&str> = OWN.into();
        assert!(names.as_object().unwrap().keys().eq(own), "{names}");
    }
}
