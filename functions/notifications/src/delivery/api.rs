//! Deliveries for those who look after them: what failed, and sending it again.

use super::{Delivery, Status};
use crate::{
    carrier::Recorded,
    desk::Desk,
    fan_out::write,
    why::Why,
    words::{self, Channel},
};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use kernel::{DeliveryId, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Entity, Record, Wanted};
use web::{
    Answer, At, Body, Ctx, Reach, Route, Shown,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/notifications/deliveries";

pub fn routes(desk: &Arc<Desk>) -> Vec<Route> {
    let own = desk.clone();
    let outbox = move |ctx: Ctx| {
        let desk = own.clone();
        async move { outbox(&desk, &ctx) }
    };
    let mut routes = vec![
        route(Method::GET, PATH, "delivery.view", "delivery.list", get(list))
            .asks_shape(noun::list_shape::<Delivery>)
            .gives::<Pages<View<'static, Delivery>>>(200)
            .trips(1)
            .says("Deliveries by status, newest first: ?status=failed are the dead letters"),
        route(
            Method::POST,
            format!("{PATH}/resend"),
            "delivery.resend",
            "delivery.resend_many",
            post(resend_many),
        )
        .takes::<Many>()
        .gives::<Resent>(200)
        .trips(100)
        .says("Sends failed ones again, at most 1,000"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/resend"),
            "delivery.resend",
            "delivery.resend",
            post(resend),
        )
        .takes::<Why>()
        .gives::<View<'static, Delivery>>(200)
        .trips(2)
        .refuses(&["already-delivered"])
        .says("failed, bounced → queued, with tries counted anew"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/cancel"),
            "delivery.cancel",
            "delivery.cancel",
            post(cancel),
        )
        .takes::<Why>()
        .gives::<View<'static, Delivery>>(200)
        .trips(2)
        .says("queued, held, deferred → cancelled"),
        route(Method::GET, "/v1/notifications/outbox", "delivery.view", "outbox.list", get(outbox))
            .gives::<Pages<Recorded>>(200)
            .trips(1)
            .says("What was recorded instead of sent: on the local platform only"),
    ];
    routes.extend(noun::reading::<Delivery>(PATH, "delivery.view"));
    routes
}

/// Everybody's for those who hold all of them; one's own category's for the others.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Delivery>(query.as_deref().unwrap_or_default())?;
    if ctx.reach() != Reach::All {
        let detail =
            "what became of your own messages stands with each: GET /v1/notifications/{id}/deliveries";
        return Err(Error::forbidden("list-too-wide", detail).into());
    }
    let mut page = ctx.store().list(list, &wanted).await?;
    page.data.retain(|r| words::reached(&ctx, r.body.category));
    ctx.looked_at::<Delivery>(page.data.iter().map(|r| r.id)).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

fn outbox(desk: &Desk, ctx: &Ctx) -> Answer {
    if ctx.app().place().stage != "local" && ctx.app().place().stage != "test" {
        return Err(Error::Missing.into());
    }
    if ctx.reach() != Reach::All {
        return Err(Error::forbidden("list-too-wide", "the outbox holds everybody's messages").into());
    }
    let tenant = ctx.scope().to_string();
    let mut data: Vec<Recorded> =
        Channel::ALL.iter().flat_map(|c| desk.carrier(*c).outbox(&tenant)).collect();
    data.sort_by_key(|r| std::cmp::Reverse(r.at));
    ok(&Pages { data, next: None })
}

async fn own(ctx: &Ctx, id: DeliveryId) -> Result<Record<Delivery>> {
    let old = ctx.change::<Delivery>(id).await?;
    match words::reached(ctx, old.body.category) {
        true => Ok(old),
        false => Err(Error::Missing),
    }
}

fn again(old: &Record<Delivery>, ctx: &Ctx) -> Result<Record<Delivery>> {
    match old.body.status {
        Status::Failed | Status::Bounced => {}
        Status::Sent | Status::Delivered => {
            return Err(Error::conflict("already-delivered", "this one has arrived, or is on its way"));
        }
        other => return Err(Error::State { command: "resend", state: other.to_string() }),
    }
    let mut new = old.next(ctx.now());
    new.body.queue();
    (new.body.tries, new.body.held_until, new.body.wanted_at) = (0, None, ctx.now());
    Ok(new)
}

async fn resend(ctx: Ctx, At(id): At<DeliveryId>, Body(why): Body<Why>) -> Answer {
    let old = own(&ctx, id).await?;
    let new = again(&old, &ctx)?;
    let answer = ctx.settle(why.commit(&ctx).update("resend", &old, &new), ctx.shown(200, &new)?).await?;
    write::post(&ctx, &[new]).await;
    Ok(answer)
}

async fn cancel(ctx: Ctx, At(id): At<DeliveryId>, Body(why): Body<Why>) -> Answer {
    let old = own(&ctx, id).await?;
    if !matches!(old.body.status, Status::Queued | Status::Held | Status::Deferred) {
        return Err(Error::State { command: "cancel", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.held, new.body.held_until) = (Status::Cancelled, None, None);
    ctx.settle(why.commit(&ctx).update("cancel", &old, &new), ctx.shown(200, &new)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Many {
    /// Only those of this channel.
    channel: Option<Channel>,
    #[schemars(range(min = 1, max = 1000))]
    max: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
struct Resent {
    resent: usize,
}

async fn resend_many(ctx: Ctx, Body(many): Body<Many>) -> Answer {
    let (most, mut resent) = (many.max.unwrap_or(100), 0);
    let mut wanted = Wanted::by(&[&Status::Failed], 100);
    loop {
        let page = ctx.store().list(&Delivery::LISTS[0], &wanted).await?;
        let next = page.next.clone();
        let fits = |r: &Record<Delivery>| {
            many.channel.is_none_or(|c| c == r.body.channel) && words::reached(&ctx, r.body.category)
        };
        for listed in page.data.into_iter().filter(fits) {
            if resent >= most {
                break;
            }
            let old = ctx.store().fresh::<Delivery>(listed.id).await?;
            let Ok(new) = again(&old, &ctx) else { continue };
            match ctx.store().commit().because(ctx.reason()).update("resend", &old, &new).run().await {
                Ok(()) => resent += 1,
                Err(Error::Stale { .. }) => continue,
                Err(e) => return Err(e.into()),
            }
            write::post(&ctx, &[new]).await;
        }
        match next {
            Some(cursor) if resent < most => wanted.cursor = Some(cursor),
            _ => return Ok(Shown::of(200, &Resent { resent })?.respond()),
        }
    }
}
