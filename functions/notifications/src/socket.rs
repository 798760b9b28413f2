//! Live updates. A ticket opens a connection, a connection is one person's for two hours, frames carry ids and codes
//! and never anything personal: whoever wants to see it reads it, and that read is logged as any other.
//!
//! The gateway asks an authorizer about the ticket and hands what it said to every frame that follows, so that a
//! connection's organisation and person are known without a look-up. Connections are items with an end of their
//! own, not records: they are nobody's history.

mod connection;
mod enter;
mod frame;
mod gateway;
mod listen;
mod push;
mod ticket;
mod topic;

pub use gateway::ApiGateway;
pub use push::reactions;
pub use ticket::routes;

use crate::desk::Desk;
use futures::future::BoxFuture;
use kernel::Result;
use serde_json::Value;
use std::sync::Arc;
use web::{App, Task};

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
    /// Where clients connect: `wss://…`; none where there are no live updates.
    fn url(&self) -> Option<String>;
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
    fn url(&self) -> Option<String> {
        None
    }
}

/// What the gateway asks: may this ticket enter, somebody entered, somebody says something, somebody left.
pub async fn answer(desk: &Desk, app: &App, event: &Value) -> Result<Value> {
    let context = &event["requestContext"];
    match (event["type"].as_str(), context["eventType"].as_str()) {
        (Some("REQUEST"), _) => enter::authorize(app, event).await,
        (_, Some("CONNECT")) => enter::connect(desk, app, context).await,
        (_, Some("MESSAGE")) => {
            listen::message(desk, app, context, event["body"].as_str().unwrap_or_default()).await
        }
        (_, Some("DISCONNECT")) => enter::leave(app, context).await,
        _ => Err(kernel::Error::invalid("", "unknown", "no event of a connection")),
    }
}

/// Whether anybody of the organisation is connected.
pub async fn anybody(ctx: &web::Ctx) -> Result<bool> {
    Ok(!connection::all(ctx.store(), 1).await?.is_empty())
}

pub fn tasks(desk: &Arc<Desk>) -> Vec<Task> {
    let own = desk.clone();
    vec![Task::on("socket.hello", move |app, message| {
        let desk = own.clone();
        async move { push::hello(&desk, &app, &message).await }
    })]
}
