//! The inbox: one's own, and that of whom one cares for.

use super::{Notification, Status, linked};
use crate::{delivery::Delivery, desk::Desk, why::Why};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::NotificationEvent;
use jiff::Timestamp;
use kernel::{Error, NotificationId, Result, error::found};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Commit, Entity, Page, Record, Store, Wanted};
use web::{
    Answer, App, At, Body, Ctx, Query, Queue, Reach, Route, Shown, Task,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/notifications";
/// A badge counts so far.
const COUNTED: i32 = 100;
/// Items of one commit.
const AT_ONCE: usize = 30;

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "notification.view", "notification.list", get(list))
            .asks::<Asked>()
            .gives::<Pages<View<'static, Notification>>>(200)
            .trips(2)
            .says("One's inbox, newest first; ?unread=true for what is unread"),
        route(Method::GET, format!("{PATH}/count"), "notification.view", "notification.count", get(count))
            .gives::<Count>(200)
            .trips(1)
            .says("How many are unread, counted to 100"),
        route(
            Method::POST,
            format!("{PATH}/read_all"),
            "notification.read",
            "notification.read_all",
            post(read_all),
        )
        .takes::<Before>()
        .gives::<ReadAll>(200)
        .trips(8)
        .says("Everything up to a moment is read; 202 where more than 100 follow"),
        route(
            Method::GET,
            format!("{PATH}/{{id}}/deliveries"),
            "notification.view",
            "notification.deliveries",
            get(ways),
        )
        .gives::<Pages<View<'static, Delivery>>>(200)
        .trips(3)
        .says("By which ways it went, and what became of each"),
        route(Method::POST, format!("{PATH}/{{id}}/ack"), "notification.ack", "notification.ack", post(ack))
            .takes::<Why>()
            .gives::<View<'static, Notification>>(200)
            .trips(2)
            .refuses(&["nothing-to-acknowledge"])
            .says("Takes it up: nobody else is called for it; the first one stands"),
    ];
    let step = |command: &'static str, permission: &'static str, to: Status, says: &'static str| {
        let handler =
            move |ctx: Ctx, id: At<NotificationId>, body: Body<Empty>| turn(ctx, id, body, command, to);
        route(
            Method::POST,
            format!("{PATH}/{{id}}/{command}"),
            permission,
            format!("notification.{command}"),
            post(handler),
        )
        .takes::<Empty>()
        .gives::<View<'static, Notification>>(200)
        .trips(2)
        .says(says)
    };
    routes.extend([
        step("read", "notification.read", Status::Read, "unread → read; again is no error"),
        step("unread", "notification.read", Status::Unread, "read, archived → unread"),
        step("archive", "notification.archive", Status::Archived, "unread, read → archived"),
    ]);
    routes.extend(noun::reading::<Notification>(PATH, "notification.view"));
    routes
}

pub fn tasks(_: &Arc<Desk>) -> Vec<Task> {
    vec![Task::on("notification.read_all", |app, message| async move { rest(&app, &message).await })]
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// Only what is unread.
    unread: Option<bool>,
    /// A person one is linked to, instead of oneself.
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    person: Option<String>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(max = 4000))]
    cursor: Option<String>,
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    let whose = whose(&ctx, asked.person).await?;
    let list = &Notification::LISTS[if asked.unread == Some(true) { 0 } else { 1 }];
    let wanted = Wanted { cursor: asked.cursor, ..Wanted::by(&[&whose], asked.limit.unwrap_or(25)) };
    let page: Page<Record<Notification>> = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

/// Oneself, or somebody whom the caller may look after.
async fn whose(ctx: &Ctx, person: Option<String>) -> Result<String> {
    match person {
        None => Ok(ctx.actor().user.clone()),
        Some(person) if person == ctx.actor().user => Ok(person),
        Some(person) if ctx.reach() == Reach::Linked && linked(ctx, &person).await? => Ok(person),
        Some(_) => Err(Error::Missing),
    }
}

#[derive(Serialize, JsonSchema)]
struct Count {
    unread: usize,
    /// There are more than were counted: show 99+.
    more: bool,
}

async fn count(ctx: Ctx) -> Answer {
    let page = unread(&ctx, &ctx.actor().user).await?;
    ok(&Count { unread: page.data.len(), more: page.next.is_some() })
}

async fn unread(ctx: &Ctx, user: &str) -> Result<Page<Record<Notification>>> {
    let wanted = Wanted::by(&[&user], COUNTED);
    ctx.store().list(&Notification::LISTS[0], &wanted).await
}

#[derive(Deserialize, JsonSchema)]
struct Empty {}

async fn turn(
    ctx: Ctx,
    At(id): At<NotificationId>,
    _: Body<Empty>,
    command: &'static str,
    to: Status,
) -> Answer {
    let old = ctx.change::<Notification>(id).await?;
    let Some(new) = turned(&old, to, ctx.now()) else {
        return Ok(ctx.shown(200, &old)?.respond());
    };
    let commit = ctx.commit().update(command, &old, &new);
    let commit = if to == Status::Read { commit.emit(read_event(&new)) } else { commit };
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

/// None where it is so already.
fn turned(old: &Record<Notification>, to: Status, now: Timestamp) -> Option<Record<Notification>> {
    if old.body.status == to {
        return None;
    }
    let mut new = old.next(now);
    new.body.status = to;
    new.body.read_at = if to == Status::Unread { None } else { old.body.read_at.or(Some(now)) };
    Some(new)
}

fn read_event(record: &Record<Notification>) -> NotificationEvent {
    NotificationEvent::Read { notification: record.id, recipient: record.body.recipient.clone() }
}

async fn ack(ctx: Ctx, At(id): At<NotificationId>, _: Body<Why>) -> Answer {
    let old = ctx.change::<Notification>(id).await?;
    if old.body.recipient != ctx.actor().user {
        return Err(Error::forbidden("not-yours", "only whoever was told can take it up").into());
    }
    if !old.body.needs_ack {
        return Err(
            Error::unprocessable("nothing-to-acknowledge", "this one waits for no acknowledgement").into()
        );
    }
    if old.body.ack_at.is_some() {
        return Ok(ctx.shown(200, &old)?.respond());
    }
    let mut new = turned(&old, Status::Read, ctx.now()).unwrap_or_else(|| old.next(ctx.now()));
    new.body.ack_at = Some(ctx.now());
    let event = NotificationEvent::Acknowledged {
        notification: id,
        recipient: new.body.recipient.clone(),
        of: new.body.event.clone(),
        record: new.body.record.clone(),
    };
    let taken = json!({"by": ctx.actor().user, "at": ctx.now(), "notification": id});
    let commit = ctx.commit().update("ack", &old, &new).emit(event).put(&old.body.taken(), &taken);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

async fn ways(ctx: Ctx, At(id): At<NotificationId>) -> Answer {
    let of = ctx.get::<Notification>(id).await?;
    let wanted = Wanted::by(&[&of.id], 100);
    let page = ctx.store().list(&Delivery::LISTS[1], &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

#[derive(Deserialize, JsonSchema)]
struct Before {
    /// Now, where nothing else is said: what arrives meanwhile stays unread.
    before: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
struct ReadAll {
    read: usize,
    /// More follow by themselves.
    more: bool,
}

async fn read_all(ctx: Ctx, Body(body): Body<Before>) -> Answer {
    let before = body.before.unwrap_or(ctx.now()).min(ctx.now());
    let (old, more) = unread_before(&ctx, &ctx.actor().user, before).await?;
    let shown = || Shown::of(if more { 202 } else { 200 }, &ReadAll { read: old.len(), more });
    let mut chunks = old.chunks(AT_ONCE);
    let Some(first) = chunks.next() else { return Ok(shown()?.respond()) };
    // Told before anything is read: the answer is kept with the first transaction, and whoever is interrupted after
    // it and asks again gets that answer, while the rest follows.
    if more || chunks.len() > 0 {
        let rest = json!({
            "type": "notification.read_all", "tenant": ctx.scope().to_string(), "user": ctx.actor().user, "before": before,
        });
        ctx.app().post().send(Queue::Notifications, rest.to_string()).await?;
    }
    let answer = match ctx.settle(reading(&ctx, first), shown()?).await {
        Err(refused) if matches!(refused.0, Error::Stale { .. }) => {
            one_by_one(&ctx, first).await?;
            shown()?.respond()
        }
        other => other?,
    };
    for some in chunks {
        read_at_once(&ctx, some).await?;
    }
    Ok(answer)
}

/// Up to a hundred of somebody's unread ones; whether there are more.
async fn unread_before(
    ctx: &Ctx,
    user: &str,
    before: Timestamp,
) -> Result<(Vec<Record<Notification>>, bool)> {
    let page = unread(ctx, user).await?;
    let more = page.next.is_some();
    let old: Vec<Record<Notification>> = page.data.into_iter().filter(|n| n.created_at <= before).collect();
    let more = more && !old.is_empty();
    Ok((old, more))
}

fn reading(ctx: &Ctx, some: &[Record<Notification>]) -> Commit {
    some.iter().fold(ctx.commit(), |commit, old| match turned(old, Status::Read, ctx.now()) {
        Some(new) => commit.update("read", old, &new).emit(read_event(&new)),
        None => commit,
    })
}

async fn read_at_once(ctx: &Ctx, some: &[Record<Notification>]) -> Result<()> {
    match reading(ctx, some).run().await {
        // One of them was read meanwhile: each for itself, and that one is read already.
        Err(Error::Stale { .. }) => one_by_one(ctx, some).await,
        other => other,
    }
}

/// One of a person's own, if it is unread; whatever else it is, it is left alone.
pub async fn read_own(store: &Store, user: &str, id: NotificationId) -> Result<()> {
    let unread = |n: &Record<Notification>| n.body.recipient == user && n.body.status == Status::Unread;
    let Some(old) = found(store.fresh(id).await)?.filter(unread) else { return Ok(()) };
    let Some(new) = turned(&old, Status::Read, store.now()) else { return Ok(()) };
    match store.commit().update("read", &old, &new).emit(read_event(&new)).run().await {
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

async fn one_by_one(ctx: &Ctx, some: &[Record<Notification>]) -> Result<()> {
    for listed in some {
        read_own(ctx.store(), &listed.body.recipient, listed.id).await?;
    }
    Ok(())
}

async fn rest(app: &App, message: &Value) -> Result<()> {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let Some(scope) = store::Scope::from_claim(text("tenant")) else { return Ok(()) };
    let Ok(before) = text("before").parse::<Timestamp>() else { return Ok(()) };
    let ctx = Ctx::system(app, scope, "notifications", "read_all").await?;
    loop {
        let (old, more) = unread_before(&ctx, text("user"), before).await?;
        for some in old.chunks(AT_ONCE) {
            read_at_once(&ctx, some).await?;
        }
        if !more {
            return Ok(());
        }
    }
}
