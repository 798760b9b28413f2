//! The port to others' servers: one POST, guarded. The real one resolves the name itself, refuses every address that
//! is not a public one, and connects to exactly what it has looked at, so that a name that changes its mind between
//! looking and connecting gains nothing.

pub mod address;
mod https;

pub use https::{Https, Permit, Resolve};

use std::{future::Future, pin::Pin, sync::Arc};
use url::Url;

/// As handlers and tasks hold it.
pub type Wire = Arc<dyn Outgoing>;
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answered, Failed>> + Send + 'a>>;

pub struct Call {
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What the other side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// Seconds.
    pub retry_after: Option<u64>,
    /// The first kilobyte of it.
    pub body: Vec<u8>,
}

kernel::words! {
    /// Why there was no answer.
    pub enum Failed {
        /// Not https on port 443, or an address that is not public.
        Unsafe = "unsafe-url",
        Unresolved = "name-not-resolved",
        Unreachable = "not-reached",
        Tls = "no-secure-connection",
        TimedOut = "timed-out",
        Broken = "connection-broken",
    }
}

pub trait Outgoing: Send + Sync {
    /// Whether anything may ever be sent there; what its name resolves to is looked at each time.
    fn accepts(&self, url: &Url) -> bool;
    fn post<'a>(&'a self, call: &'a Call) -> Sending<'a>;
}
