//! Routes of the delivery log.

use super::{Delivery, replay};
use crate::webhook::Webhook;
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use kernel::{Error, WebhookId};
use web::{
    Answer, Ctx, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/integrations/deliveries";

pub fn routes() -> Vec<Route> {
    let view = "webhook.view";
    let mut routes = vec![
        route(Method::GET, PATH, view, "webhook_delivery.list", get(list))
            .asks_shape(noun::list_shape::<Delivery>)
            .gives::<Pages<View<'static, Delivery>>>(200)
            .trips(2)
            .says("Deliveries of the last 30 days: all, or of an endpoint by status and time"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/replay"),
            "webhook.replay",
            "webhook_delivery.replay",
            post(replay::one),
        )
        .gives::<View<'static, Delivery>>(201)
        .trips(2)
        .says("Sends a delivery that is over once more, under the same message id"),
    ];
    routes.extend(noun::reading::<Delivery>(PATH, view));
    routes
}

/// A machine names one of its own endpoints.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Delivery>(query.as_deref().unwrap_or_default())?;
    if ctx.reach() < Reach::All {
        let named: Option<WebhookId> = wanted.by.first().and_then(|id| id.parse().ok());
        let Some(named) = named else {
            return Err(
                Error::forbidden("list-too-wide", "name one of your endpoints: ?webhook=&status=").into()
            );
        };
        ctx.get::<Webhook>(named).await?;
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}
