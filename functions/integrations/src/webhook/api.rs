//! Routes of webhook endpoints.

use super::{
    Webhook,
    edit::{self, Because, Shared},
    ping::Pinged,
};
use crate::delivery::replay;
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{delete, get, patch, post},
};
use schemars::JsonSchema;
use serde::Serialize;
use store::{Entity, Wanted};
use web::{
    Answer, Ctx, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

pub use super::edit::Means;

const PATH: &str = "/v1/integrations/webhooks";

/// The record, and what nobody is shown again.
#[derive(Serialize, JsonSchema)]
pub struct Made {
    #[serde(flatten)]
    webhook: View<'static, Webhook>,
    #[serde(flatten)]
    shared: Shared,
}

pub fn routes(means: &Means) -> Vec<Route> {
    let (one, view, edit) = (format!("{PATH}/{{id}}"), "webhook.view", "webhook.edit");
    let [m1, m2, m3, m4, m5, m6] = std::array::from_fn(|_| means.clone());
    let command = |name: &str| (Method::POST, format!("{one}/{name}"), format!("webhook.{name}"));
    let (rotate, test, enable, disable, again) =
        (command("rotate_secret"), command("test"), command("enable"), command("disable"), command("replay"));
    let mut routes = vec![
        route(Method::GET, PATH, view, "webhook.list", get(list))
            .asks_shape(noun::list_shape::<Webhook>)
            .gives::<Pages<View<'static, Webhook>>>(200)
            .trips(1)
            .says("Webhook endpoints, newest first or by owner; a machine sees its own"),
        route(Method::POST, PATH, edit, "webhook.create", post(move |c, b| edit::create(c, m1.clone(), b)))
            .takes::<Webhook>()
            .gives::<Made>(201)
            .trips(1)
            .refuses(&["unsafe-url", "limit-reached", "feature-not-licensed", "scope-exceeds-grant"])
            .says("An endpoint that hears of events; its signing secret is shown this once"),
        route(
            Method::PATCH,
            one.as_str(),
            edit,
            "webhook.update",
            patch(move |c, a, b| edit::amend(c, m2.clone(), a, b)),
        )
        .patches::<Webhook>()
        .gives::<View<'static, Webhook>>(200)
        .trips(2)
        .refuses(&["unsafe-url", "scheme-fixed", "scope-exceeds-grant"])
        .says("Changes an endpoint by a merge patch"),
        route(Method::DELETE, one.as_str(), edit, "webhook.delete", delete(noun::remove::<Webhook>))
            .answers(204)
            .trips(2)
            .says("Deletes an endpoint; what waits for it is abandoned. It can be restored"),
        route(
            Method::POST,
            format!("{one}/restore"),
            edit,
            "webhook.restore",
            post(noun::restore::<Webhook>),
        )
        .gives::<View<'static, Webhook>>(200)
        .trips(2)
        .refuses(&["limit-reached"])
        .says("Brings a deleted endpoint back"),
        route(rotate.0, rotate.1, edit, rotate.2, post(move |c, a| edit::rotate(c, m3.clone(), a)))
            .gives::<Made>(200)
            .trips(3)
            .says("A new signing secret, shown this once; for a day both sign"),
        route(test.0, test.1, edit, test.2, post(move |c, a| edit::test(c, m4.clone(), a)))
            .gives::<Pinged>(200)
            .trips(1)
            .says("Sends webhook.ping now and tells what came of it"),
        route(enable.0, enable.1, edit, enable.2, post(move |c, a| edit::enable(c, m5.clone(), a)))
            .gives::<View<'static, Webhook>>(200)
            .trips(2)
            .refuses(&["ping-failed"])
            .says("disabled → enabled, if the endpoint answers a ping with 2xx; what it missed in the last three days follows"),
        route(
            disable.0,
            disable.1,
            edit,
            disable.2,
            post(move |c, a, b| edit::switch_off(c, m6.clone(), a, b)),
        )
        .takes::<Because>()
        .gives::<View<'static, Webhook>>(200)
        .trips(2)
        .says("enabled, failing → disabled"),
        route(again.0, again.1, "webhook.replay", again.2, post(replay::window))
            .takes::<replay::Window>()
            .gives::<replay::Accepted>(202)
            .trips(1)
            .says("Sends again what happened in a window of time, with the same message ids"),
    ];
    routes.extend(noun::reading::<Webhook>(PATH, view));
    routes
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (mut list, mut wanted) = noun::wanted::<Webhook>(query.as_deref().unwrap_or_default())?;
    if ctx.reach() < Reach::All {
        let Wanted { limit, cursor, deleted, .. } = wanted;
        list = &Webhook::LISTS[1];
        wanted = Wanted { cursor, deleted, ..Wanted::by(&[&ctx.actor().user], limit) };
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}
