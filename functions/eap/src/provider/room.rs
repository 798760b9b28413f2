//! A counsellor's standing room for video sessions. Whoever has its address can walk in, so it lies sealed beside the
//! record and is shown to the counsellor alone; each video session that is booked takes it along, for the person too.

use super::Provider;
use axum::{http::Method, routing::get};
use kernel::{EapProviderId, Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Key, Record, Store};
use web::{Answer, At, Body, Ctx, Route, Shown, ok, route};

/// An address that can be opened: by https, at a host, without a name or password in it.
pub const HTTPS: &str = r"^https://[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}(:[0-9]{1,5})?(/[^\s]*)?$";

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapVideoRoom")]
pub struct Room {
    /// None: the link of each session is set by itself.
    #[schemars(length(max = 500), regex(pattern = HTTPS))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Sealed<String>>,
}

pub fn routes(path: &str) -> Vec<Route> {
    let (view, at) = ("eap_provider.view", format!("{path}/{{id}}/video_room"));
    vec![
        route(Method::GET, at.as_str(), view, "eap_provider.video_room", get(show))
            .gives::<Room>(200)
            .trips(2)
            .says("The counsellor's own standing room; nobody else sees it")
            .hidden(),
        route(Method::PUT, at, view, "eap_provider.set_video_room", axum::routing::put(set))
            .takes::<Room>()
            .gives::<Room>(200)
            .trips(2)
            .says("The counsellor sets their standing room; sessions booked from then on have it")
            .hidden(),
    ]
}

fn key(provider: EapProviderId) -> Key {
    Key::part(provider, "room", "1")
}

pub async fn of(store: &Store, provider: EapProviderId) -> Result<Option<Sealed<String>>> {
    Ok(store.read::<Room>(&key(provider)).await?.and_then(|room| room.url))
}

fn own(ctx: &Ctx, provider: &Record<Provider>) -> Result<()> {
    let own = provider.body.user.is_some_and(|u| u.to_string() == ctx.actor().user);
    if own { Ok(()) } else { Err(Error::Missing) }
}

async fn show(ctx: Ctx, At(id): At<EapProviderId>) -> Answer {
    own(&ctx, &ctx.get::<Provider>(id).await?)?;
    ok(&Room { url: of(ctx.store(), id).await? })
}

async fn set(ctx: Ctx, At(id): At<EapProviderId>, Body(room): Body<Room>) -> Answer {
    let old = ctx.change::<Provider>(id).await?;
    own(&ctx, &old)?;
    let new = old.next(ctx.now());
    let commit = ctx.commit().update("video_room", &old, &new);
    let commit = match room.url {
        Some(_) => commit.put(&key(id), &room),
        None => commit.delete(&key(id)),
    };
    let shown = Shown::of(200, &room)?;
    ctx.settle(commit, Shown { version: Some(new.version), ..shown }).await
}
