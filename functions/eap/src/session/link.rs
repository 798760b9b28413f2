//! Where a video session is, and what became of a session.

use super::{Session, api};
use crate::{
    history::{self, Entry, Paging},
    provider::HTTPS,
    words::Mode,
};
use axum::{
    http::Method,
    routing::{get, put},
};
use kernel::{EapSessionId, Error};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use web::{Answer, At, Body, Ctx, Query, Reach, Route, Shown, noun::Pages, ok, route};

/// What may be seen of a session's versions; the link of a call that is over, by nobody.
const FIELDS: &[&str] = &["minutes", "mode", "provider", "starts_at", "status"];

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EapSessionLink")]
struct Link {
    /// None takes it away.
    #[schemars(length(max = 500), regex(pattern = HTTPS))]
    link: Option<String>,
}

pub fn routes(one: &str) -> Vec<Route> {
    vec![
        route(Method::PUT, format!("{one}/link"), "eap_session.complete", "eap_session.link", put(set))
            .takes::<Link>()
            .gives::<api::Seen>(200)
            .trips(3)
            .refuses(&["no-video"])
            .says("The counsellor says where a video session is"),
        route(Method::GET, format!("{one}/history"), "eap_session.view", "eap_session.history", get(past))
            .asks::<Paging>()
            .gives::<Pages<Entry>>(200)
            .trips(4)
            .says("What changed in a session, the newest first"),
    ]
}

async fn set(ctx: Ctx, At(id): At<EapSessionId>, Body(said): Body<Link>) -> Answer {
    let old = ctx.change::<Session>(id).await?;
    if !old.body.is_open() {
        return Err(Error::State { command: "link", state: old.body.status.to_string() }.into());
    }
    if old.body.mode != Mode::Video {
        return Err(Error::field("no-video", "/link", "only a video session has a link").into());
    }
    let mut new = old.next(ctx.now());
    new.body.link = said.link.map(Sealed);
    let shown = Shown::of(200, &api::shown(&ctx, &new))?;
    let commit = ctx.commit().update("link", &old, &new);
    ctx.settle(commit, Shown { version: Some(new.version), ..shown }).await
}

async fn past(ctx: Ctx, At(id): At<EapSessionId>, Query(paging): Query<Paging>) -> Answer {
    ctx.get::<Session>(id).await?;
    let changes = ctx.store().history::<Session>(id, paging.before, paging.limit()).await?;
    ok(&history::page(changes, FIELDS, paging.limit(), ctx.reach() == Reach::Own))
}
