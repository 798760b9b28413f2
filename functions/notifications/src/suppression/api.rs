//! Suppressed addresses: seen, added by hand, and lifted with a reason.

use super::{Reason, Suppression, blind, masked};
use crate::{delivery::status::suppress, why::Why, words::Channel};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use kernel::{Error, SuppressionId, phone::E164, text};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use web::{
    Answer, At, Body, Ctx, Route, Shown,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/notifications/suppressions";

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("suppression.view", "suppression.edit");
    let mut routes = vec![
        route(Method::GET, PATH, view, "suppression.list", get(list))
            .asks_shape(noun::list_shape::<Suppression>)
            .gives::<Pages<View<'static, Suppression>>>(200)
            .trips(1)
            .says("Addresses that nothing is sent to, newest first"),
        route(Method::POST, PATH, edit, "suppression.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Suppression>>(201)
            .trips(3)
            .refuses(&["reason-required"])
            .says("Nothing is sent to this address any more; needs a reason"),
        route(Method::POST, format!("{PATH}/{{id}}/lift"), edit, "suppression.lift", post(lift))
            .takes::<Why>()
            .gives::<View<'static, Suppression>>(200)
            .trips(2)
            .refuses(&["reason-required"])
            .says("Something may be sent to it again; needs a reason"),
    ];
    routes.extend(noun::reading::<Suppression>(PATH, view));
    routes
}

async fn list(ctx: Ctx, query: RawQuery) -> Answer {
    noun::list::<Suppression>(ctx, query).await
}

#[derive(Deserialize, JsonSchema)]
struct New {
    channel: Channel,
    #[schemars(length(min = 3, max = 254))]
    address: Sealed<String>,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let reason = ctx.needs_reason(new.reason.as_deref())?;
    let country = ctx.tenant()?.country.parse().unwrap_or(kernel::country::Country::NG);
    let fault = |f: kernel::Fault| Error::Invalid(vec![f]);
    let address = match new.channel {
        Channel::Email => text::email(&new.address).map_err(|e| fault(e.fault("/address")))?,
        Channel::Sms => {
            let read = E164::parse(&new.address, country).map_err(|e| fault(e.fault("/address")))?;
            read.as_str().into()
        }
        Channel::Push => {
            let detail = "devices are removed by their owners: DELETE /v1/notifications/push_endpoints/{id}";
            return Err(Error::field("unsupported", "/channel", detail).into());
        }
    };
    let blind = blind(ctx.store(), new.channel, &address);
    let body = Suppression {
        channel: new.channel,
        blind: blind.clone(),
        address: masked(new.channel, &address).into(),
        reason: Reason::Manual,
        at: ctx.now(),
        detail: Some(Sealed(reason.clone())),
        active: true,
    };
    suppress(&ctx, ctx.commit().because(Some(reason)), body).await?.run().await?;
    let record = ctx.store().fresh::<Suppression>(super::id(new.channel, &blind)).await?;
    Ok(Shown::record(&ctx, 201, &record)?.respond())
}

async fn lift(ctx: Ctx, At(id): At<SuppressionId>, Body(why): Body<Why>) -> Answer {
    let reason = ctx.needs_reason(why.given())?;
    let old = ctx.change::<Suppression>(id).await?;
    if !old.body.active {
        return Err(Error::State { command: "lift", state: "lifted".into() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.active = false;
    let commit = ctx.commit().because(Some(reason)).update("lift", &old, &new);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}
