//! The table: keys, entities, one-transaction commits, pages. The only crate that sees the database's SDK,
//! and the only code that writes a tenant into a key.

pub mod chain;
mod change;
mod commit;
mod condition;
mod cursor;
mod due;
mod entity;
mod error;
mod export;
pub mod facts;
mod find;
mod guard;
mod item;
mod key;
mod list;
mod night;
mod plain;
mod projection;
mod read;
mod record;
mod replay;
mod run;
pub mod schema;
mod sequence;
pub mod trail;
mod vault;

pub use aws_sdk_dynamodb as sdk;
pub use change::Change;
pub use commit::{Commit, Once};
pub use condition::{When, is};
pub use due::{DueRow, DueTenant, LAG};
pub use entity::{Due, Entity, Record, Token, Unique, reserved_fields};
pub use export::{ChangeAt, Logged};
pub use facts::Fact;
pub use find::Prefix;
pub use key::{Key, Scope, segment};
pub use list::{List, Page, Row, Wanted, stamp};
pub use night::Night;
pub use plain::{Changed, Plain};
pub use projection::SUPERSEDED;
pub use read::Version;
pub use trail::{Recorded, Trace, Trail};
pub use vault::{Label, Opened, Vault};

use kernel::Clock;
use seal::Ring;
use std::{sync::Arc, time::Instant};

/// Who acts, for the change records of a commit.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// `usr_…`, `opr_…`, `pky_…`, `public` with the link's id, or `system:<what>`.
    pub by: String,
    pub roles: Vec<String>,
    /// The elevation, break-glass or operator context that made it possible.
    pub elevated: Option<String>,
    /// The person for whom a proxy acts.
    pub on_behalf: Option<String>,
    pub request: String,
    /// Where rules stand behind a change: the first change of the chain, then the rules in their order.
    pub cause: Vec<String>,
    pub ip: String,
    pub agent: String,
    /// The login that the request belongs to.
    pub session: Option<String>,
    /// The route's operation: `patient.update`.
    pub route: Option<String>,
}

/// One tenant's part of the table, opened for one caller. Made by [`Vault::open`] only.
#[derive(Clone)]
pub struct Store {
    pub(crate) sdk: sdk::Client,
    pub(crate) table: Arc<str>,
    pub(crate) scope: Scope,
    pub(crate) ring: Arc<Ring>,
    pub(crate) clock: Clock,
    pub(crate) caller: Arc<Caller>,
    /// When the caller stops waiting: retries end before it.
    pub(crate) deadline: Instant,
}

impl Store {
    pub fn scope(&self) -> Scope {
        self.scope
    }
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
    /// A blind index in the form keys use: base32 without padding, 26 characters.
    pub fn blind(&self, scope: &str, value: &str) -> String {
        key::base32(&self.ring.blind(scope, value))
    }
    /// Seals a value that is no field of a record (a token, a stored answer).
    pub fn seal(&self, place: &str, plain: Vec<u8>) -> Vec<u8> {
        self.ring.seal(&format!("{}|{place}", self.scope), plain)
    }
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> kernel::Result<Vec<u8>> {
        self.ring.unseal(&format!("{}|{place}", self.scope), sealed)
    }
    /// The same door for another caller, as reactions and operators need it.
    pub fn acting(&self, caller: Caller) -> Self {
        Self { caller: Arc::new(caller), ..self.clone() }
    }
    pub fn until(&self, deadline: Instant) -> Self {
        Self { deadline, ..self.clone() }
    }
}
