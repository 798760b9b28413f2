//! Live updates: the port that frames leave by.

use futures::future::BoxFuture;
use kernel::Result;

/// Whether a connection was still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Yes,
    Gone,
}

/// Connections by the id that the gateway gave them.
pub trait Sockets: Send + Sync {
    fn post<'a>(&'a self, connection: &'a str, frame: &'a str) -> BoxFuture<'a, Result<Reached>>;
    fn close<'a>(&'a self, connection: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// A deployment without live updates: every connection is gone.
pub struct Nowhere;

impl Sockets for Nowhere {
    fn post<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Reached>> {
        Box::pin(async { Ok(Reached::Gone) })
    }
    fn close<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
