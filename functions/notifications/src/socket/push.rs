//! What is said to connections: greetings, new and read items, changes of topics, and the end.

use super::{
    Reached,
    connection::{self, Connection},
    frame, topic,
};
use crate::{catalogue, desk::Desk, notification::Notification};
use events::Envelope;
use kernel::Result;
use serde_json::Value;
use std::sync::Arc;
use store::{Entity, Scope, Wanted};
use web::{App, Ctx, Reaction};

pub fn reactions(desk: &Arc<Desk>) -> Vec<Reaction> {
    let on = |event: &'static str, act: Act| {
        let own = desk.clone();
        Reaction::on(event, move |ctx, event| {
            let desk = own.clone();
            async move {
                // Nobody listens: nothing is read for it.
                if ctx.scope() == Scope::Platform || !desk.listened(&ctx).await? {
                    return Ok(());
                }
                react(&desk, &ctx, &event, act).await
            }
        })
    };
    let ends = ["user.disabled", "user.signed_out", "user.rights_changed", "user.suspended", "user.barred"];
    let mut all: Vec<Reaction> = ends.into_iter().map(|event| on(event, Act::End)).collect();
    all.extend([
        on("notification.created", Act::Created),
        on("notification.read", Act::Read),
        on("tenant.suspended", Act::EndAll),
        on("tenant.closed", Act::EndAll),
        on(Reaction::ALL, Act::Topics),
    ]);
    all
}

#[derive(Clone, Copy)]
enum Act {
    Created,
    Read,
    End,
    EndAll,
    Topics,
}

async fn react(desk: &Desk, ctx: &Ctx, event: &Envelope, act: Act) -> Result<()> {
    let text = |name: &str| event.data[name].as_str().unwrap_or_default();
    match act {
        Act::Created => {
            let unread = unread(ctx, text("recipient")).await?;
            let needs_ack = event.data["needs_ack"] == true;
            let said =
                frame::created(text("notification"), text("category"), text("priority"), needs_ack, unread);
            to_user(desk, ctx, text("recipient"), &said).await
        }
        Act::Read => {
            let unread = unread(ctx, text("recipient")).await?;
            to_user(desk, ctx, text("recipient"), &frame::seen(&[text("notification")], unread)).await
        }
        Act::End => {
            let reason = event.kind.replace('.', "-");
            for connection in connection::of(ctx.store(), text("user")).await? {
                end(desk, ctx, &connection, &reason).await?;
            }
            Ok(())
        }
        Act::EndAll => end_all(desk, ctx, &event.kind.replace('.', "-")).await,
        Act::Topics => topics(desk, ctx, event).await,
    }
}

/// Unread items, counted to a hundred.
pub async fn unread(ctx: &Ctx, user: &str) -> Result<usize> {
    let wanted = Wanted::by(&[&user], 100);
    Ok(ctx.store().list(&Notification::LISTS[0], &wanted).await?.data.len())
}

async fn to_user(desk: &Desk, ctx: &Ctx, user: &str, said: &Value) -> Result<()> {
    for connection in connection::of(ctx.store(), user).await? {
        say(desk, ctx, &connection, said).await?;
    }
    Ok(())
}

/// Says it; a connection that is gone is forgotten, and trouble of the gateway is no reason to say all of it again.
pub async fn say(desk: &Desk, ctx: &Ctx, connection: &Connection, said: &Value) -> Result<()> {
    match desk.channels.sockets.post(&connection.connection, &said.to_string()).await {
        Ok(Reached::Yes) => Ok(()),
        Ok(Reached::Gone) => connection.close(ctx.store().commit()).run().await,
        Err(error) => {
            tracing::warn!(%error, "a frame was not sent; the client will find it when it resumes");
            Ok(())
        }
    }
}

pub async fn end(desk: &Desk, ctx: &Ctx, connection: &Connection, reason: &str) -> Result<()> {
    let sockets = &desk.channels.sockets;
    let _ = sockets.post(&connection.connection, &frame::ending(reason).to_string()).await;
    connection.close(ctx.store().commit()).run().await?;
    sockets.close(&connection.connection).await
}

async fn end_all(desk: &Desk, ctx: &Ctx, reason: &str) -> Result<()> {
    loop {
        let some = connection::all(ctx.store(), connection::PAGE).await?;
        for listener in &some {
            match connection::find(ctx.store(), &listener.user, &listener.connection).await? {
                Some(connection) => end(desk, ctx, &connection, reason).await?,
                None => connection::forget(ctx.store(), &listener.connection).await?,
            }
        }
        if some.is_empty() {
            return Ok(());
        }
    }
}

/// Who listens to what has changed, and works where it happened.
async fn topics(desk: &Desk, ctx: &Ctx, event: &Envelope) -> Result<()> {
    if catalogue::is_our_own(&event.kind) {
        return Ok(());
    }
    let site = event.data["site"].as_str();
    for topic in topic::of(event) {
        let said = frame::changed(&topic, &event.record, event.version, &event.kind).to_string();
        for listener in connection::listening(ctx.store(), &topic).await? {
            if site.is_some_and(|site| !topic::reaches(&listener.sites, site)) {
                continue;
            }
            let reached = desk.channels.sockets.post(&listener.connection, &said).await;
            if matches!(reached, Ok(Reached::Gone))
                && let Some(gone) =
                    connection::find(ctx.store(), &listener.user, &listener.connection).await?
            {
                gone.close(ctx.store().commit()).run().await?;
            }
        }
    }
    Ok(())
}

/// The first frame of a connection: what a client needs to go on from here another time.
pub async fn hello(desk: &Desk, app: &App, message: &Value) -> Result<()> {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let Some(scope) = Scope::from_claim(text("tenant")) else { return Ok(()) };
    let ctx = Ctx::system(app, scope, "notifications", "socket.hello").await?;
    desk.listening(scope);
    let Some(connection) = connection::find(ctx.store(), text("user"), text("connection")).await? else {
        return Ok(());
    };
    let said = frame::hello(&connection.holder.session, &ctx.now().to_string());
    say(desk, &ctx, &connection, &said).await
}
