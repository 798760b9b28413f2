//! An organisation closes itself only when a second administrator agrees, whatever its own policies say; they may ask
//! for more. The wish waits as every command's does (`web::approval`). Once it is closing nothing can be changed there any
//! more, so calling it off is the platform's: `POST /v1/tenants/{id}/cancel-closing`.

use crate::{
    doors,
    fact::Standing,
    tenant::{self, Reason, Tenant, begin_closing, life},
};
use axum::{http::Method, routing::post};
use events::TenantEvent;
use store::Scope;
use web::{Answer, Body, Ctx, Route, noun::View, route};

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/v1/tenants/self/close", "tenant.close", "tenant.close_self", post(close))
            .takes::<Reason>()
            .gives::<View<'static, Tenant>>(200)
            .approvable("tenant.close")
            .refuses(&["reason-required"])
            .trips(5)
            .says("Closes the organisation: a second administrator has to approve"),
    ]
}

async fn close(ctx: Ctx, Body(body): Body<Reason>) -> Answer {
    let tenant = doors::own(&ctx)?;
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let platform = doors::platform(&ctx).await?;
    let standing = Standing::read(&platform, ctx.store(), tenant).await?;
    let now = ctx.now();
    let today = now.to_zoned(standing.ten.body.zone()).date();
    life::possible(&tenant::CLOSE, &standing.ten.body, today)?;
    let event = TenantEvent::Closing { tenant };
    let turn = standing.turn(platform.commit(), ctx.store(), "close", Some(event), |t| begin_closing(t, now));
    let commit = doors::both(&ctx, tenant).because(Some(reason)).joined(turn.commit);
    let shown = ctx.shown(200, &turn.new)?;
    ctx.needs_second_person();
    let answer = ctx.settle(commit, shown).await?;
    ctx.app().gates().forget(Scope::Tenant(tenant));
    Ok(answer)
}
