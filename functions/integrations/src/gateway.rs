//! The port to what stands before the API: machines' logins, and the keys that meter them. Secrets live there and
//! nowhere else; they pass through here once.

mod aws;

pub use aws::Aws;

use kernel::Result;
use std::{future::Future, pin::Pin, sync::Arc};

pub type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;
/// As handlers and reactions hold it.
pub type Doors = Arc<dyn Gateway>;

/// One of a client's secrets. Without `Debug`: it is shown to one person, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub id: String,
    pub value: String,
}

/// A machine that may ask for tokens by client credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Machine {
    pub client_id: String,
    pub secret: Secret,
}

/// What meters a partner's calls (`x-api-key`).
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    pub value: String,
}

pub trait Gateway: Send + Sync {
    /// A new client with its first secret. `name` (`pky_…`) is for people who look at the pool.
    fn create_client<'a>(&'a self, name: &'a str) -> Calling<'a, Machine>;
    /// One more secret; none if it has two already, which is the most that a client may have.
    fn add_secret<'a>(&'a self, client: &'a str) -> Calling<'a, Option<Secret>>;
    /// Takes away all secrets but these.
    fn keep_secrets<'a>(&'a self, client: &'a str, keep: &'a [String]) -> Calling<'a, ()>;
    /// Gone already is done; so for all that is taken away here.
    fn drop_secret<'a>(&'a self, client: &'a str, secret: &'a str) -> Calling<'a, ()>;
    fn delete_client<'a>(&'a self, client: &'a str) -> Calling<'a, ()>;
    /// A new key in a tier's usage plan.
    fn create_key<'a>(&'a self, name: &'a str, plan: &'a str) -> Calling<'a, ApiKey>;
    fn move_key<'a>(&'a self, key: &'a str, from: &'a str, to: &'a str) -> Calling<'a, ()>;
    fn delete_key<'a>(&'a self, key: &'a str) -> Calling<'a, ()>;
    /// Takes away all clients and keys of this name: what was made and never written down.
    fn clear<'a>(&'a self, name: &'a str) -> Calling<'a, ()>;
}
