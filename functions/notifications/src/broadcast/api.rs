//! Writing, approving and sending to many.

use super::{Broadcast, State, audience, sending};
use crate::{cap, template::sms, why::Why, words::Channel};
use axum::{
    http::Method,
    routing::{get, post},
};
use kernel::{BroadcastId, Error, Kind, Result, error::faultless};
use store::{Commit, Record};
use web::{
    Answer, At, Body, Ctx, Noun, Reach, Reached, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/notifications/broadcasts";

pub fn routes() -> Vec<Route> {
    let (view, create) = ("broadcast.view", "broadcast.create");
    let step = |command: &'static str, permission: &'static str, handler, says: &'static str| {
        route(
            Method::POST,
            format!("{PATH}/{{id}}/{command}"),
            permission,
            format!("broadcast.{command}"),
            handler,
        )
        .takes::<Why>()
        .gives::<View<'static, Broadcast>>(200)
        .trips(2)
        .says(says)
    };
    let mut routes = vec![
        route(Method::GET, PATH, view, "broadcast.list", get(noun::list::<Broadcast>))
            .asks_shape(noun::list_shape::<Broadcast>)
            .gives::<Pages<View<'static, Broadcast>>>(200)
            .trips(1)
            .says("Messages to many, newest first"),
        route(Method::POST, PATH, create, "broadcast.create", post(write))
            .takes::<Broadcast>()
            .gives::<View<'static, Broadcast>>(201)
            .trips(10)
            .refuses(&["audience-out-of-reach", "audience-empty"])
            .says("A draft, with how many it would reach and what its SMS would cost"),
        step(
            "approve",
            "broadcast.approve",
            post(approve),
            "draft → approved, by somebody else than its author",
        ),
        step(
            "send",
            create,
            post(send),
            "approved → sending; a small one without SMS needs no second person",
        ),
        step("cancel", create, post(cancel), "draft, approved, sending → cancelled; who was told stays told"),
    ];
    routes.extend(noun::reading::<Broadcast>(PATH, view));
    routes
}

async fn write(ctx: Ctx, Body(mut body): Body<Broadcast>) -> Answer {
    faultless(body.check())?;
    reached(&ctx, &body)?;
    body.author = ctx.actor().user.clone();
    body.recipients = audience::count(&ctx, &body.audience).await?;
    if body.recipients == 0 {
        return Err(Error::field("audience-empty", "/audience", "nobody would hear it").into());
    }
    if body.channels.contains(&Channel::Sms) {
        let gate = ctx.tenant()?;
        let parts = i64::from(sms::segments(&format!("{}: {}", gate.name, body.body)));
        let count = i64::try_from(body.recipients).unwrap_or(i64::MAX);
        body.cost = cap::price(&gate.country).times(parts.saturating_mul(count)).ok();
    }
    let new = Record::new(ctx.now(), body);
    ctx.settle(ctx.commit().create(&new), ctx.shown(201, &new)?).await
}

/// Whoever does not reach everybody writes to their own sites.
fn reached(ctx: &Ctx, body: &Broadcast) -> Result<()> {
    let sites = &body.audience.sites;
    let own = match &ctx.actor().sites {
        Reached::All => true,
        Reached::These(mine) => !sites.is_empty() && sites.iter().all(|s| mine.contains(s)),
    };
    match ctx.reach() == Reach::All || own {
        true => Ok(()),
        false => {
            let detail = "name the sites you work at: you write to them, not to the whole organisation";
            Err(Error::field("audience-out-of-reach", "/audience/sites", detail))
        }
    }
}

fn stepped(
    ctx: &Ctx,
    old: &Record<Broadcast>,
    command: &'static str,
    from: &[State],
    to: State,
) -> Result<Record<Broadcast>> {
    if !from.contains(&old.body.state) {
        return Err(Error::State { command, state: old.body.state.to_string() });
    }
    let mut new = old.next(ctx.now());
    new.body.state = to;
    Ok(new)
}

async fn approve(ctx: Ctx, At(id): At<BroadcastId>, Body(why): Body<Why>) -> Answer {
    let old = ctx.change::<Broadcast>(id).await?;
    if old.body.author == ctx.actor().user {
        let detail = "whoever wrote it does not approve it: ask another administrator";
        return Err(Error::forbidden("own-request", detail).into());
    }
    let mut new = stepped(&ctx, &old, "approve", &[State::Draft], State::Approved)?;
    new.body.approved_by = Some(ctx.actor().user.clone());
    settle(&ctx, why.commit(&ctx).update("approve", &old, &new), &new).await
}

async fn send(ctx: Ctx, At(id): At<BroadcastId>, Body(why): Body<Why>) -> Answer {
    let old = ctx.change::<Broadcast>(id).await?;
    if old.body.state == State::Draft && old.body.needs_second() {
        let detail =
            "it reaches more than 500 people or costs money: a second administrator approves it first";
        let path = format!("{PATH}/{id}/approve");
        return Err(Error::refuse(Kind::ApprovalRequired, "approval-required", detail)
            .with("approve", path)
            .into());
    }
    let new = stepped(&ctx, &old, "send", &[State::Draft, State::Approved], State::Sending)?;
    let answer = settle(&ctx, why.commit(&ctx).update("send", &old, &new), &new).await?;
    sending::begin(&ctx, id).await;
    Ok(answer)
}

async fn cancel(ctx: Ctx, At(id): At<BroadcastId>, Body(why): Body<Why>) -> Answer {
    let old = ctx.change::<Broadcast>(id).await?;
    let from = [State::Draft, State::Approved, State::Sending];
    let new = stepped(&ctx, &old, "cancel", &from, State::Cancelled)?;
    settle(&ctx, why.commit(&ctx).update("cancel", &old, &new), &new).await
}

async fn settle(ctx: &Ctx, commit: Commit, new: &Record<Broadcast>) -> Answer {
    ctx.settle(commit, ctx.shown(200, new)?).await
}
