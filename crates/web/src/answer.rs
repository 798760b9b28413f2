//! Answers: the only place where sealed fields are opened.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{Error, Result};
use serde::Serialize;
use std::borrow::Borrow;

/// A refusal on its way out; `?` makes one of any [`Error`].
#[derive(Debug)]
pub struct Refused(pub Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl Borrow<Error> for Refused {
    fn borrow(&self) -> &Error {
        &self.0
    }
}

/// What every handler returns.
pub type Answer = std::result::Result<Response, Refused>;

/// JSON, opened for the caller.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    seal::open(|| serde_json::to_vec(value)).map_err(Error::internal)
}

pub fn ok(value: &impl Serialize) -> Answer {
    Ok(raw(200, None, json(value)?))
}

pub fn created(value: &impl Serialize) -> Answer {
    Ok(raw(201, None, json(value)?))
}

pub fn deleted() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Bytes as they were first answered.
pub(crate) fn raw(status: u16, version: Option<u64>, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(etag) = version.and_then(|v| HeaderValue::from_str(&format!("\"{v}\"")).ok()) {
        headers.insert(header::ETAG, etag);
    }
    response
}
