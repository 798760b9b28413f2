//! Coming and going.

use super::{
    connection::{self, Connection, MOST},
    frame, push,
    ticket::{self, Holder},
};
use crate::desk::Desk;
use jiff::SignedDuration;
use kernel::{Error, Result};
use serde_json::{Value, json};
use std::time::Duration;
use store::{Key, Scope};
use web::{App, Ctx, Queue};

/// The gateway's authorizer: an open ticket's holder, or a stranger.
pub async fn authorize(app: &App, event: &Value) -> Result<Value> {
    let ticket = event["queryStringParameters"]["ticket"].as_str().unwrap_or_default();
    let (scope, ticket) = ticket::read(app, ticket).await?;
    let holder = serde_json::to_string(&ticket.holder).map_err(Error::internal)?;
    // What the gateway hands on is text.
    Ok(json!({
        "principalId": ticket.holder.user,
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]},
        ]},
        "context": {"tenant": scope.to_string(), "nonce": ticket.nonce, "holder": holder},
    }))
}

/// Who is behind a connection, as the authorizer said.
pub async fn known(app: &App, context: &Value) -> Result<(Ctx, Holder)> {
    let said = |name: &str| context["authorizer"][name].as_str().unwrap_or_default();
    let stranger = || Error::stranger("ticket-invalid", "ask for a new ticket");
    let scope = Scope::from_claim(said("tenant")).ok_or_else(stranger)?;
    let holder: Holder = serde_json::from_str(said("holder")).map_err(|_| stranger())?;
    let ctx = Ctx::system(app, scope, "notifications", "socket").await?;
    Ok((ctx, holder))
}

fn id(context: &Value) -> Result<&str> {
    context["connectionId"]
        .as_str()
        .ok_or_else(|| Error::invalid("", "required", "a connection without an id"))
}

/// The ticket is used up and the connection noted in one commit; a sixth one ends the oldest.
pub async fn connect(desk: &Desk, app: &App, context: &Value) -> Result<Value> {
    let (ctx, holder) = known(app, context).await?;
    if let Some(tenant) = &ctx.gate().tenant {
        tenant.open(true)?;
    }
    ended(&ctx, &holder)?;
    let connection = Connection::new(id(context)?, holder.clone(), ctx.now());
    let nonce = context["authorizer"]["nonce"].as_str().unwrap_or_default();
    let used = Key::item("wsc", format!("ticket~{nonce}"), ".");
    let until = ctx.now() + SignedDuration::from_mins(10);
    let twice = || Error::stranger("ticket-invalid", "this ticket was used");
    let others = connection::of(ctx.store(), &holder.user).await?;
    let commit = ctx.store().commit().first_time(&used, &json!({"user": holder.user}), until, twice);
    connection.open(commit).run().await?;
    for old in others.iter().take((others.len() + 1).saturating_sub(MOST)) {
        push::end(desk, &ctx, old, "replaced").await?;
    }
    // The gateway reaches a connection only after this answer: what it is greeted with comes by our queue.
    let hello = json!({
        "type": "socket.hello", "tenant": ctx.scope().to_string(), "user": holder.user,
        "connection": connection.connection,
    });
    let soon = Duration::from_secs(1);
    ctx.app().post().send_after(Queue::Notifications, hello.to_string(), soon).await?;
    Ok(frame::fine())
}

/// Rights that ended since the ticket was given end the connection too.
pub fn ended(ctx: &Ctx, holder: &Holder) -> Result<()> {
    let access = &ctx.gate().access;
    let over = access.ended(&holder.user, holder.generation, holder.signed_in_at);
    let session = access.sessions.contains_key(&holder.session);
    match (over, session) {
        (Some(error), _) => Err(error),
        (None, true) => Err(Error::stranger("session-ended", "this session was ended; sign in again")),
        (None, false) => Ok(()),
    }
}

pub async fn leave(app: &App, context: &Value) -> Result<Value> {
    let (ctx, holder) = known(app, context).await?;
    if let Some(connection) = connection::find(ctx.store(), &holder.user, id(context)?).await? {
        connection.close(ctx.store().commit()).run().await?;
    }
    Ok(frame::fine())
}
