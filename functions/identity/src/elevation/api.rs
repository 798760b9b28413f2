//! Asking for a role, giving it, ending it.

use super::{Elevation, Status};
use crate::{
    access::{self, Access},
    user::delegation::may_give,
};
use axum::{
    extract::RawQuery,
    http::Method,
    response::Response,
    routing::{get, post},
};
use events::IdentityEvent;
use jiff::SignedDuration;
use kernel::{ElevationId, Error, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Entity, Record, Wanted};
use web::{
    Answer, At, Body, Ctx, Reach, Route,
    gate::Elevated,
    noun::{Because, Pages, View, list_shape, reading, wanted},
    ok, route,
};

const PATH: &str = "/v1/identity/elevations";

#[derive(Deserialize, JsonSchema)]
pub struct Request {
    #[schemars(length(min = 1, max = 40))]
    role: String,
    #[serde(default)]
    #[schemars(length(max = 30), inner(length(min = 1, max = 40)), extend("uniqueItems" = true))]
    sites: Vec<String>,
    #[schemars(range(min = 1, max = 72))]
    hours: i64,
    #[schemars(length(min = 20, max = 2000))]
    reason: String,
}

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    let mut routes = vec![
        route(Method::POST, PATH, "elevation.request", "elevation.request", post(request))
            .takes::<Request>()
            .gives::<View<'static, Elevation>>(201)
            .trips(1)
            .says("Asks for a role for some hours"),
        route(Method::GET, PATH, "elevation.view", "elevation.list", get(list))
            .asks_shape(list_shape::<Elevation>)
            .gives::<Pages<View<'static, Elevation>>>(200)
            .trips(1)
            .says("Elevations: all, by status or by user; who sees their own only gets those"),
    ];
    routes.extend(reading::<Elevation>(PATH, "elevation.view"));
    let command = |name: &'static str, permission: &'static str, handler, says: &str| {
        route(Method::POST, format!("{one}/{name}"), permission, format!("elevation.{name}"), handler)
            .takes::<Because>()
            .gives::<View<'static, Elevation>>(200)
            .trips(3)
            .refuses(&["own-request", "grant-too-wide"])
            .says(says)
    };
    routes.extend([
        command("approve", "elevation.approve", post(approve), "Lends the role, from now on"),
        command("deny", "elevation.approve", post(deny), "Says no"),
        command("end", "elevation.view", post(end), "Ends it before its time"),
    ]);
    routes
}

/// The role may be anything that exists here: whether it may be lent is the approver's limit.
async fn request(ctx: Ctx, Body(asked): Body<Request>) -> Answer {
    let edition = ctx.tenant()?.edition;
    let lendable = authz::role(&asked.role).is_some_and(|r| r.staff && r.exists_in(Some(edition)));
    if !lendable || ctx.actor().roles.contains(&asked.role) {
        return Err(Error::field(
            "unknown-right",
            "/role",
            "ask for a role of this organisation's staff that you do not hold",
        )
        .into());
    }
    let user: UserId =
        ctx.actor().id().ok_or_else(|| Error::forbidden("no-user", "only users ask for roles"))?;
    let body = Elevation {
        user: user.to_string(),
        role: asked.role.clone(),
        sites: asked.sites,
        hours: asked.hours,
        reason: asked.reason.into(),
        status: Status::Requested,
        from: None,
        until: None,
        approver: None,
        ended_at: None,
        ended_by: None,
    };
    let new = Record::new(ctx.now(), body);
    let event = IdentityEvent::ElevationRequested { elevation: new.id, user, role: asked.role };
    let shown = ctx.shown(201, &new)?;
    ctx.settle(ctx.commit().create(&new).emit(event), shown).await
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (mut list, mut wanted) = wanted::<Elevation>(query.as_deref().unwrap_or_default())?;
    if ctx.reach() < Reach::All {
        let Wanted { limit, cursor, .. } = wanted;
        list = &Elevation::LISTS[2];
        wanted = Wanted { cursor, ..Wanted::by(&[&ctx.actor().user], limit) };
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

/// The request as it is now, from somebody else.
async fn of_another(ctx: &Ctx, id: ElevationId) -> Result<Record<Elevation>> {
    let old = ctx.change::<Elevation>(id).await?;
    if old.body.user == ctx.actor().user {
        return Err(Error::forbidden("own-request", "somebody else decides about your request"));
    }
    Ok(old)
}

async fn approve(ctx: Ctx, At(id): At<ElevationId>, Body(_): Body<crate::user::command::Why>) -> Answer {
    let answer = access::retried(|| {
        let ctx = ctx.clone();
        async move {
            let old = of_another(&ctx, id).await?;
            may_give(&ctx, std::slice::from_ref(&old.body.role), &old.body.sites, &[])?;
            match old.body.status {
                Status::Requested => lend(&ctx, old).await,
                // Two at once: the second gets what the first has decided.
                Status::Active => Ok(ctx.shown(200, &old)?.respond()),
                other => Err(Error::State { command: "approve", state: other.to_string() }),
            }
        }
    });
    Ok(answer.await?)
}

async fn lend(ctx: &Ctx, old: Record<Elevation>) -> Result<Response> {
    let mut new = old.next(ctx.now());
    let (from, until) = (new.updated_at, new.updated_at + SignedDuration::from_hours(old.body.hours));
    (new.body.status, new.body.from, new.body.until) = (Status::Active, Some(from), Some(until));
    new.body.approver = Some(ctx.actor().user.clone());
    let Elevation { user, role, .. } = old.body.clone();
    let granted =
        IdentityEvent::ElevationGranted { elevation: new.id, user: user.parse()?, role: role.clone() };
    let commit = ctx.commit().update("approve", &old, &new).emit(granted);
    let lent = Elevated { elevation: new.id.to_string(), user, role, from, until };
    let access = Access::read(ctx.store()).await?.lend(lent);
    let shown = ctx.shown(200, &new)?;
    access::settle(ctx, access.write(commit), shown).await
}

async fn deny(ctx: Ctx, At(id): At<ElevationId>, Body(why): Body<crate::user::command::Why>) -> Answer {
    let old = of_another(&ctx, id).await?;
    if old.body.status != Status::Requested {
        return Err(Error::State { command: "deny", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.approver) = (Status::Denied, Some(ctx.actor().user.clone()));
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().because(why.reason).update("deny", &old, &new), shown).await
}

/// By whoever holds it, or by somebody who could have given it.
async fn end(ctx: Ctx, At(id): At<ElevationId>, Body(why): Body<crate::user::command::Why>) -> Answer {
    let answer = access::retried(|| {
        let (ctx, reason) = (ctx.clone(), why.reason.clone());
        async move {
            let old = ctx.change::<Elevation>(id).await?;
            if old.body.user != ctx.actor().user {
                ctx.need("elevation.approve")?;
            }
            if old.body.status != Status::Active {
                return Err(Error::State { command: "end", state: old.body.status.to_string() });
            }
            let mut new = old.next(ctx.now());
            (new.body.status, new.body.ended_at) = (Status::Ended, Some(new.updated_at));
            new.body.ended_by = Some(ctx.actor().user.clone());
            let Elevation { user, role, .. } = old.body.clone();
            let ended = IdentityEvent::ElevationEnded { elevation: id, user: user.parse()?, role };
            let commit = ctx.commit().because(reason).update("end", &old, &new).emit(ended);
            let access = Access::read(ctx.store()).await?.take_back(id);
            let shown = ctx.shown(200, &new)?;
            access::settle(&ctx, access.write(commit), shown).await
        }
    });
    Ok(answer.await?)
}
