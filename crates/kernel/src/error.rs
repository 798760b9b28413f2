//! One error for the whole product. Its public sentence tells the way out; its cause stays in the log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing that is wrong with what was sent, with the place of it as a JSON pointer
/// (`?limit` for a query parameter, the header's name for a header).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    pub pointer: String,
    pub code: Cow<'static, str>,
    pub detail: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// What sort of refusal; `web` maps each to one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 401: sign in (again).
    Stranger,
    /// 403: known, but not permitted.
    Forbidden,
    /// 404, where more can be told than that nothing is there.
    Missing,
    /// 405: the place is known, the method is not.
    Method,
    /// 409: the state of things is against it; it may work later.
    Conflict,
    /// 410: it was possible once, and its time is over.
    Gone,
    /// 413
    TooLarge,
    /// 415
    MediaType,
    /// 422: well formed, yet it makes no sense here.
    Unprocessable,
    /// 423: the organisation is suspended, closed or not ready.
    Locked,
    /// 428: waits for a second person.
    ApprovalRequired,
    /// 429
    TooMany,
    /// 503: nothing was done; try again.
    Unavailable,
}

/// A refusal with a stable code and a sentence in plain words.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub kind: Kind,
    /// Stable, kebab-case; the last segment of the problem's `type`.
    pub code: &'static str,
    pub detail: String,
    /// Further members of the problem document (the taken slot's neighbours, the limit, …).
    pub extra: Map<String, Value>,
    pub errors: Vec<Fault>,
    /// Seconds.
    pub retry_after: Option<u32>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400 with every fault at once.
    #[error("the request is not valid")]
    Invalid(Vec<Fault>),
    #[error("{}", .0.detail)]
    Refused(Box<Refusal>),
    /// 404. Also for what the caller may not know of.
    #[error("not found")]
    Missing,
    /// 409: a unique value is taken. `code` is what the noun calls it (`duplicate`, `slug-taken`, …).
    #[error("{field} is already used")]
    Duplicate { field: &'static str, code: &'static str, owner: String },
    /// 412 when `If-Match` named another version, else 409.
    #[error("changed by somebody else, now at version {current}")]
    Stale { current: u64, demanded: bool },
    /// 422: the command does not exist in this state.
    #[error("{command} is not possible while {state}")]
    State { command: &'static str, state: String },
    /// 422: the idempotency key came with another body.
    #[error("the same Idempotency-Key was used with another request")]
    KeyReused,
    /// Not an error to the caller: the first answer, byte for byte.
    #[error("replayed")]
    Replay { status: u16, body: Vec<u8>, version: Option<u64> },
    /// 503: contention or throttling outlived the caller's patience; nothing was done.
    #[error("busy, try again")]
    Busy,
    #[error("internal")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Nothing is wrong with what was asked: it may go well the next time. Whoever does work that was left to them
    /// does not take it for an answer.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Internal(_) | Self::Busy => true,
            Self::Refused(refusal) => refusal.kind == Kind::Unavailable,
            _ => false,
        }
    }

    pub fn refuse(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused(Box::new(Refusal {
            kind,
            code,
            detail: detail.into(),
            extra: Map::new(),
            errors: vec![],
            retry_after: None,
        }))
    }
    pub fn stranger(code: &'static str, detail: impl Into<String>) -> Self {
        Self::refuse(Kind::Stranger, code, detail)
    }
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::refuse(Kind::Forbidden, code, detail)
    }
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::refuse(Kind::Conflict, code, detail)
    }
    /// Somebody else was quicker: whoever reads, decides and writes does it once more.
    pub fn meanwhile() -> Self {
        Self::Stale { current: 0, demanded: false }
    }
    pub fn gone(code: &'static str, detail: impl Into<String>) -> Self {
        Self::refuse(Kind::Gone, code, detail)
    }
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::refuse(Kind::Unprocessable, code, detail)
    }
    pub fn locked(code: &'static str, detail: impl Into<String>) -> Self {
        Self::refuse(Kind::Locked, code, detail)
    }
    pub fn too_many(code: &'static str, detail: impl Into<String>, retry_after: u32) -> Self {
        Self::refuse(Kind::TooMany, code, detail).retry_after(retry_after)
    }
    /// Seconds after which it may work.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let Self::Refused(r) = &mut self {
            r.retry_after = Some(seconds);
        }
        self
    }
    /// One field is wrong in a way only the rules know (400 is for the shape, 422 for the sense).
    pub fn field(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::unprocessable(code, detail.clone()).at(Fault::new(pointer, code, detail))
    }
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(pointer, code, detail)])
    }
    pub fn internal(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(e.into())
    }

    /// Adds a member to the problem document.
    pub fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        if let Self::Refused(r) = &mut self {
            r.extra.insert(name.into(), serde_json::to_value(value).unwrap_or(Value::Null));
        }
        self
    }
    /// Names a field of the request.
    pub fn at(mut self, fault: Fault) -> Self {
        if let Self::Refused(r) = &mut self {
            r.errors.push(fault);
        }
        self
    }
    /// The code of a refusal, for tests and for callers that act on one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "validation",
            Self::Refused(r) => r.code,
            Self::Missing => "not-found",
            Self::Duplicate { code, .. } => code,
            Self::Stale { demanded: true, .. } => "stale",
            Self::Stale { demanded: false, .. } => "changed-meanwhile",
            Self::State { .. } => "state",
            Self::KeyReused => "key-reused",
            Self::Replay { .. } => "replay",
            Self::Busy => "busy",
            Self::Internal(_) => "internal",
        }
    }
}

/// What may be missing: none where it is.
pub fn found<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(there) => Ok(Some(there)),
        Err(Error::Missing) => Ok(None),
        Err(e) => Err(e),
    }
}

/// `Ok` if there is nothing wrong, else all of it.
pub fn faultless(faults: Vec<Fault>) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}
