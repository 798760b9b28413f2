//! What a noun declares about its place in the table.

use crate::{List, Scope, schema};
use jiff::Timestamp;
use kernel::{Error, Id};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// A noun. Its struct holds its own fields only; what every record has is in [`Record`].
pub trait Entity: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static {
    type Id: Id;
    /// The field's word for it, as in permissions and events: `patient`.
    const NOUN: &'static str;
    /// The lists that exist; nothing else can be filtered or sorted by.
    const LISTS: &'static [List<Self>];
    /// Values that belong to one live record.
    const UNIQUE: &'static [Unique<Self>] = &[];
    /// Reading it leaves an access record.
    const PERSONAL: bool = false;

    /// When the clock has to look at it.
    fn due(_: &Record<Self>) -> Vec<Due> {
        vec![]
    }
    /// When the table may drop it: of logs that are not kept for good. Its change records stay.
    fn expires(_: &Record<Self>) -> Option<Timestamp> {
        None
    }
    /// What it can be found by, over sealed fields too.
    fn tokens(&self) -> Vec<Token> {
        vec![]
    }
}

/// A unique value (or several) of a noun; the guard stores its blind index.
pub struct Unique<E> {
    pub field: &'static str,
    /// The code of the 409: `duplicate`, `identifier-taken`, …
    pub code: &'static str,
    pub values: fn(&E) -> Vec<String>,
}

impl<E> Unique<E> {
    pub const fn of(field: &'static str, code: &'static str, values: fn(&E) -> Vec<String>) -> Self {
        Self { field, code, values }
    }
}

/// One reason for the clock to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub at: Timestamp,
    /// A word without `#`: `reminder`, `expiry`.
    pub what: &'static str,
}

/// A way to find a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Token {
    /// The whole normalised value of a field.
    Exact(&'static str, String),
    /// A normalised word, found by its first letters.
    Word(String),
}

/// A stored noun: the API shows it flat.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(bound(serialize = "E: Serialize"))]
#[schemars(rename = "{E}Record")]
pub struct Record<E: Entity> {
    pub id: E::Id,
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Hash of the last change record.
    #[serde(skip)]
    pub head: String,
    #[serde(flatten)]
    pub body: E,
}

impl<E: Entity> Record<E> {
    pub fn new(now: Timestamp, body: E) -> Self {
        Self::with_id(E::Id::at(now), now, body)
    }
    pub fn with_id(id: E::Id, now: Timestamp, body: E) -> Self {
        Self { id, version: 1, created_at: now, updated_at: now, deleted_at: None, head: String::new(), body }
    }
    /// The next version, so that the answer exists before the commit that stores it for replays.
    pub fn next(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now.max(self.updated_at), ..self.clone() }
    }
    /// 412 if the caller named another version than this one.
    pub fn matches(&self, if_match: Option<u64>) -> Result<(), Error> {
        match if_match {
            Some(v) if v != self.version => Err(Error::Stale { current: self.version, demanded: true }),
            _ => Ok(()),
        }
    }
}

pub(crate) fn pk<E: Entity>(scope: Scope, id: E::Id) -> String {
    format!("{scope}#{}#{id}", E::Id::KIND)
}

/// The fields of a noun that collide with the table's or the record's own; a test over all nouns wants none.
pub fn reserved_fields<E: Entity>() -> Vec<String> {
    let schema = schemars::schema_for!(E);
    let fields = schema.get("properties").and_then(|p| p.as_object());
    fields
        .into_iter()
        .flatten()
        .map(|(k, _)| k.clone())
        .filter(|k| schema::RESERVED.contains(&k.as_str()))
        .collect()
}
