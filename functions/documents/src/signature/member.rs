//! Signers with a login: their session is their proof.

use super::{
    Signature,
    act::{self, Decline, Sign},
    api::mine,
    public::Reading,
};
use axum::{http::Method, routing::post};
use kernel::SignatureId;
use web::{Answer, At, Body, Ctx, Route, noun::View, ok, route};

pub fn routes(path: &str) -> Vec<Route> {
    vec![
        route(Method::POST, format!("{path}/{{id}}/open"), "signature.sign", "signature.open", post(open))
            .gives::<Reading>(200)
            .trips(5)
            .refuses(&["not-your-turn", "request-closed"])
            .says("Opens what is to be signed, for a signer with a login"),
        route(Method::POST, format!("{path}/{{id}}/sign"), "signature.sign", "signature.sign", post(sign))
            .takes::<Sign>()
            .gives::<View<'static, Signature>>(200)
            .trips(4)
            .refuses(&["not-your-turn", "request-closed", "document-changed", "open-first"])
            .says("Signs"),
        route(
            Method::POST,
            format!("{path}/{{id}}/decline"),
            "signature.decline",
            "signature.decline",
            post(decline),
        )
        .takes::<Decline>()
        .gives::<View<'static, Signature>>(200)
        .trips(5)
        .refuses(&["not-your-turn", "request-closed", "open-first"])
        .says("Declines, with a reason: the request is over"),
    ]
}

async fn open(ctx: Ctx, At(id): At<SignatureId>) -> Answer {
    let (_, n) = mine(&ctx, id).await?;
    ctx.looked_at::<Signature>([id].into_iter()).await?;
    let (record, ticket) = act::open(ctx.store(), id, n).await?;
    ok(&Reading::of(ctx.app(), ctx.store(), &record, ticket).await?)
}

async fn sign(ctx: Ctx, At(id): At<SignatureId>, Body(given): Body<Sign>) -> Answer {
    let (_, n) = mine(&ctx, id).await?;
    let behalf = ctx.store().caller().on_behalf.clone();
    let record = act::sign(ctx.store(), id, n, &given, behalf).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

async fn decline(ctx: Ctx, At(id): At<SignatureId>, Body(given): Body<Decline>) -> Answer {
    let (_, n) = mine(&ctx, id).await?;
    let record = act::decline(ctx.store(), id, n, &given).await?;
    Ok(ctx.shown(200, &record)?.respond())
}
