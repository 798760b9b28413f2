//! Answers of nouns.

use super::Noun;
use crate::{Ctx, answer};
use axum::response::Response;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Change, Entity, Page, Record};

/// A record with the commands its reader may give.
#[derive(Serialize, JsonSchema)]
#[serde(bound(serialize = "E: Serialize"))]
#[schemars(rename = "{E}View")]
pub struct View<'a, E: Entity> {
    #[serde(flatten)]
    record: std::borrow::Cow<'a, Record<E>>,
    actions: Vec<&'static str>,
}

impl<'a, E: Noun> View<'a, E> {
    pub fn of(ctx: &Ctx, record: &'a Record<E>) -> Self {
        Self { actions: E::actions(record, ctx), record: std::borrow::Cow::Borrowed(record) }
    }
    pub fn owned(ctx: &Ctx, record: Record<E>) -> Self {
        Self { actions: E::actions(&record, ctx), record: std::borrow::Cow::Owned(record) }
    }
}

/// The whole record, or what of it a right that ends earlier shows.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "{W}Or{C}")]
pub enum Seen<W, C> {
    Whole(W),
    Card(C),
}

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Pages<T> {
    pub data: Vec<T>,
    /// Continues the list; null at its end.
    pub next: Option<String>,
}

impl<T> From<Page<T>> for Pages<T> {
    fn from(page: Page<T>) -> Self {
        Self { data: page.data, next: page.next }
    }
}

/// Versions of a record, newest first.
#[derive(Serialize, JsonSchema)]
pub struct History {
    pub data: Vec<Change>,
    pub next: Option<String>,
}

/// A version of a record: what was changed, and what it was then.
#[derive(Serialize, JsonSchema)]
pub struct Stood {
    pub change: Change,
    pub record: Sealed<Value>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Between {
    #[schemars(range(min = 1, max = 999_999_999))]
    pub from: u64,
    #[schemars(range(min = 1, max = 999_999_999))]
    pub to: u64,
}

/// What two versions of a record differ in.
#[derive(Serialize, JsonSchema)]
pub struct Differences {
    pub from: u64,
    pub to: u64,
    pub data: Vec<Difference>,
}

#[derive(Serialize, JsonSchema)]
pub struct Difference {
    /// JSON pointer.
    pub path: String,
    /// Null where there was nothing.
    pub from: Sealed<Value>,
    pub to: Sealed<Value>,
}

/// An answer that exists before the commit that stores it.
pub struct Shown {
    pub status: u16,
    pub version: Option<u64>,
    pub body: Vec<u8>,
}

impl Shown {
    pub fn record<E: Noun>(ctx: &Ctx, status: u16, record: &Record<E>) -> Result<Self> {
        let view = View::of(ctx, record);
        Ok(Self { status, version: Some(record.version), body: answer::json(&view)? })
    }

    /// Something else than a record.
    pub fn of(status: u16, value: &impl Serialize) -> Result<Self> {
        Ok(Self { status, version: None, body: answer::json(value)? })
    }

    /// A record with more members than its own: what the answer says beside it.
    pub fn record_with<E: Noun>(
        ctx: &Ctx,
        status: u16,
        record: &Record<E>,
        more: &impl Serialize,
    ) -> Result<Self> {
        let view = View::of(ctx, record);
        let mut body = seal::open(|| serde_json::to_value(&view)).map_err(Error::internal)?;
        let more = seal::open(|| serde_json::to_value(more)).map_err(Error::internal)?;
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Ok(Self { status, version: Some(record.version), body: answer::json(&body)? })
    }

    pub fn nothing() -> Self {
        Self { status: 204, version: None, body: vec![] }
    }

    pub fn respond(self) -> Response {
        answer::raw(self.status, self.version, self.body)
    }
}
