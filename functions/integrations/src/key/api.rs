//! Routes of partner keys.

use super::{
    PartnerKey,
    create::{self, New, Secrets},
    rotate::{self, Because, Fresh, Rotate},
    usage,
};
use crate::gateway::Doors;
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use schemars::JsonSchema;
use serde::Serialize;
use web::{
    Answer, Ctx, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/integrations/keys";

/// The record, and what nobody is shown again.
#[derive(Serialize, JsonSchema)]
pub struct Created {
    #[serde(flatten)]
    key: View<'static, PartnerKey>,
    #[serde(flatten)]
    secrets: Secrets,
}

#[derive(Serialize, JsonSchema)]
pub struct Rotated {
    #[serde(flatten)]
    key: View<'static, PartnerKey>,
    #[serde(flatten)]
    secret: Fresh,
}

pub fn routes(doors: &Doors) -> Vec<Route> {
    let (one, view) = (format!("{PATH}/{{id}}"), "partner_key.view");
    let (making, repairing, rotating) = (doors.clone(), doors.clone(), doors.clone());
    let mut routes = vec![
        route(Method::GET, PATH, view, "partner_key.list", get(list))
            .asks_shape(noun::list_shape::<PartnerKey>)
            .gives::<Pages<View<'static, PartnerKey>>>(200)
            .trips(1)
            .says("Partner keys, newest first or by status; a machine sees its own"),
        route(
            Method::POST,
            PATH,
            "partner_key.create",
            "partner_key.create",
            post(move |ctx, body| create::create(ctx, making.clone(), body)),
        )
        .takes::<New>()
        .gives::<Created>(201)
        .trips(3)
        .refuses(&[
            "scope-exceeds-grant",
            "limit-reached",
            "tier-above-plan",
            "gateway-unavailable",
            "made-by-another",
        ])
        .says("A machine's way in; its secret and its API key are shown this once"),
        route(
            Method::POST,
            format!("{one}/repair"),
            "partner_key.create",
            "partner_key.repair",
            post(move |ctx, at| create::repair(ctx, repairing.clone(), at)),
        )
        .gives::<Created>(200)
        .trips(4)
        .refuses(&["gateway-unavailable"])
        .says("creating → active: makes what could not be made at first"),
        route(
            Method::POST,
            format!("{one}/rotate"),
            "partner_key.rotate",
            "partner_key.rotate",
            post(move |ctx, at, body| rotate::rotate(ctx, rotating.clone(), at, body)),
        )
        .takes::<Rotate>()
        .gives::<Rotated>(200)
        .trips(2)
        .says("active → rotating: a new secret, shown this once; the old one lives on for some hours"),
        route(
            Method::POST,
            format!("{one}/revoke"),
            "partner_key.revoke",
            "partner_key.revoke",
            post(rotate::revoke),
        )
        .takes::<Because>()
        .gives::<View<'static, PartnerKey>>(200)
        .trips(2)
        .says("any → revoked: every call is refused within a minute"),
        route(Method::GET, format!("{one}/usage"), view, "partner_key.usage", get(usage::show))
            .asks::<usage::Asked>()
            .gives::<usage::Usage>(200)
            .trips(2)
            .says("Calls, errors and what is left of the day's quota"),
    ];
    routes.extend(noun::reading::<PartnerKey>(PATH, view));
    routes
}

/// A machine's own key is all that it sees.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    if ctx.reach() == Reach::All {
        return noun::list::<PartnerKey>(ctx, RawQuery(query)).await;
    }
    // The same parameters are wrong for everybody.
    noun::wanted::<PartnerKey>(query.as_deref().unwrap_or_default())?;
    let own = match ctx.actor().id() {
        Some(id) => vec![ctx.get::<PartnerKey>(id).await?],
        None => vec![],
    };
    let data = own.into_iter().map(|record| View::owned(&ctx, record)).collect();
    ok(&Pages { data, next: None })
}
