//! What clients say.

use super::{
    connection::{self, Connection, TOPICS},
    enter,
    frame::{self, IDS, Said},
    push,
    topic::{self, Grant},
};
use crate::{
    desk::Desk,
    notification::{self, Notification},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{NotificationId, Result};
use serde_json::Value;
use store::{Caller, Entity, Key, Wanted};
use web::{App, Ctx};

/// Wrong frames of one connection within a minute.
const WRONG: u64 = 5;
/// Items that are told again after a pause.
const AGAIN: i32 = 100;

pub async fn message(desk: &Desk, app: &App, context: &Value, body: &str) -> Result<Value> {
    let (ctx, holder) = enter::known(app, context).await?;
    let id = context["connectionId"].as_str().unwrap_or_default();
    let Some(connection) = connection::find(ctx.store(), &holder.user, id).await? else {
        desk.channels.sockets.close(id).await?;
        return Ok(frame::fine());
    };
    if let Err(over) = enter::ended(&ctx, &holder) {
        push::end(desk, &ctx, &connection, over.code()).await?;
        return Ok(frame::fine());
    }
    match frame::read(body) {
        None => wrong(desk, &ctx, &connection).await?,
        Some(said) => heard(desk, &ctx, &connection, said).await?,
    }
    Ok(frame::fine())
}

async fn heard(desk: &Desk, ctx: &Ctx, connection: &Connection, said: Said) -> Result<()> {
    match said {
        Said::Ping {} => push::say(desk, ctx, connection, &frame::pong()).await,
        Said::Subscribe { topics, reference } => {
            subscribe(desk, ctx, connection, topics, reference.as_deref()).await
        }
        Said::Unsubscribe { topics, reference } => {
            let kept = connection.topics.iter().filter(|t| !topics.contains(t)).cloned().collect::<Vec<_>>();
            connection.listening(ctx.store(), kept.clone()).run().await?;
            push::say(desk, ctx, connection, &frame::subscribed(&kept, reference.as_deref())).await
        }
        Said::Read { ids, reference } => read(desk, ctx, connection, &ids, reference.as_deref()).await,
        Said::Resume { cursor } => resume(desk, ctx, connection, &cursor).await,
    }
}

/// Five a minute end the connection.
async fn wrong(desk: &Desk, ctx: &Ctx, connection: &Connection) -> Result<()> {
    let minute = ctx.now().strftime("%Y-%m-%dT%H:%M").to_string();
    let key = Key::item("wsc", format!("wrong~{}", connection.connection), minute);
    let count = ctx.store().count(&key, ctx.now() + SignedDuration::from_mins(5)).await?;
    if count >= WRONG {
        return push::end(desk, ctx, connection, "unknown-message").await;
    }
    push::say(desk, ctx, connection, &frame::error("unknown-message", None)).await
}

async fn subscribe(
    desk: &Desk,
    ctx: &Ctx,
    connection: &Connection,
    topics: Vec<String>,
    reference: Option<&str>,
) -> Result<()> {
    let mut all = connection.topics.clone();
    for topic in topics {
        if all.contains(&topic) {
            continue;
        }
        let fits = topic.len() <= 100 && !topic.contains('#') && !topic.chars().any(char::is_control);
        let granted = if fits { topic::granted(ctx, &connection.holder, &topic).await? } else { Grant::No };
        match granted {
            Grant::Yes => {}
            Grant::No => {
                return push::say(desk, ctx, connection, &frame::error("forbidden", reference)).await;
            }
            Grant::NotOffered => {
                let detail = "dashboards cannot be listened to yet: ask for them again every minute";
                let refusal = frame::error_because("topic-not-offered", detail, reference);
                return push::say(desk, ctx, connection, &refusal).await;
            }
        }
        all.push(topic);
    }
    if all.len() > TOPICS {
        return push::say(desk, ctx, connection, &frame::error("too-many-topics", reference)).await;
    }
    connection.listening(ctx.store(), all.clone()).run().await?;
    push::say(desk, ctx, connection, &frame::subscribed(&all, reference)).await
}

/// Reads one's own items, as the person.
async fn read(
    desk: &Desk,
    ctx: &Ctx,
    connection: &Connection,
    ids: &[String],
    reference: Option<&str>,
) -> Result<()> {
    let ids: Vec<NotificationId> = ids.iter().take(IDS + 1).filter_map(|id| id.parse().ok()).collect();
    if ids.len() > IDS {
        return push::say(desk, ctx, connection, &frame::error("too-many-ids", reference)).await;
    }
    let user = &connection.holder.user;
    let caller =
        Caller { by: user.clone(), roles: connection.holder.roles.clone(), ..ctx.store().caller().clone() };
    let store = ctx.store().acting(caller);
    for id in ids {
        notification::read_own(&store, user, id).await?;
    }
    Ok(())
}

/// What came since the cursor, the oldest first; `gap` where it is more than is told again.
async fn resume(desk: &Desk, ctx: &Ctx, connection: &Connection, cursor: &str) -> Result<()> {
    let Ok(since) = cursor.parse::<Timestamp>() else {
        return push::say(desk, ctx, connection, &frame::error("unknown-message", None)).await;
    };
    let user = &connection.holder.user;
    let wanted = Wanted::by(&[user], AGAIN);
    let page = ctx.store().list(&Notification::LISTS[1], &wanted).await?;
    let missed: Vec<_> = page.data.iter().filter(|n| n.created_at > since).collect();
    let gap = missed.len() == page.data.len() && page.next.is_some();
    let unread = push::unread(ctx, user).await?;
    for n in missed.iter().rev() {
        let (category, priority) = (n.body.category.as_str(), n.body.priority.as_str());
        let told = frame::created(&n.id.to_string(), category, priority, n.body.needs_ack, unread);
        push::say(desk, ctx, connection, &told).await?;
    }
    let now = missed.first().map_or(since, |n| n.created_at);
    push::say(desk, ctx, connection, &frame::resumed(missed.len(), gap, &now.to_string())).await
}
