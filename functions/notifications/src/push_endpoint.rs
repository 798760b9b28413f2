//! Devices that a person wants to be reached on.

use crate::{
    carrier::{
        Admission,
        web_push::{encrypt::Keys, vapid},
    },
    desk::Desk,
    ids,
    words::Channel,
};
use axum::{
    Extension,
    http::Method,
    routing::{MethodRouter, delete, get, post},
};
use jiff::Timestamp;
use kernel::{Error, PushEndpointId, Result, error::found};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Entity, List, Record, Row, Wanted};
use web::{
    Actor, Answer, App, At, Body, Ctx, Noun, Reach, Route, Shown,
    noun::{Pages, View},
    ok, route,
};

kernel::words! { pub enum Platform { Fcm = "fcm", Apns = "apns", Webpush = "webpush" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PushEndpoint {
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub user: String,
    pub platform: Platform,
    /// What the platform gave the app, a browser its endpoint's address; never shown again.
    #[schemars(length(min = 8, max = 4096))]
    pub token: Sealed<String>,
    /// Of a browser: what messages to it are encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
    #[schemars(length(min = 1, max = 80))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Sealed<String>>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ok: Option<Timestamp>,
}

/// Devices of one person.
const MOST: usize = 10;

impl Entity for PushEndpoint {
    type Id = PushEndpointId;
    const NOUN: &'static str = "push_endpoint";
    const LISTS: &'static [List<Self>] =
        &[List::by("user", &["user"], |r| vec![Row::new(&[&r.body.user], &[&r.id])])];
}

impl Noun for PushEndpoint {
    fn within(record: &Record<Self>, _: Reach, actor: &Actor) -> bool {
        record.body.user == actor.user
    }
}

/// The devices of a person, the newest first.
pub async fn of(ctx: &Ctx, user: &str) -> Result<Vec<Record<PushEndpoint>>> {
    let wanted = Wanted::by(&[&user], i32::try_from(MOST).unwrap_or(10));
    Ok(ctx.store().list(&PushEndpoint::LISTS[0], &wanted).await?.data)
}

/// The platform says that the app is gone.
pub async fn forget(ctx: &Ctx, old: &Record<PushEndpoint>) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    match ctx.store().commit().update("gone", old, &new).run().await {
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

const PATH: &str = "/v1/notifications/push_endpoints";

/// What a browser subscribes to.
#[derive(Serialize, JsonSchema)]
pub struct Identity {
    /// `applicationServerKey`, in base64url.
    pub public_key: String,
}

pub fn routes(desk: &Arc<Desk>) -> Vec<Route> {
    vec![
        route(Method::GET, format!("{PATH}/key"), "push.register", "push_endpoint.key", get(key))
            .gives::<Identity>(200)
            .trips(3)
            .says("The organisation's public key, which browsers subscribe to (Web Push, RFC 8292)"),
        route(Method::GET, PATH, "push.view", "push_endpoint.list", get(list))
            .gives::<Pages<View<'static, PushEndpoint>>>(200)
            .trips(1)
            .says("One's own devices"),
        route(Method::POST, PATH, "push.register", "push_endpoint.register", registering(desk))
            .takes::<PushEndpoint>()
            .gives::<View<'static, PushEndpoint>>(201)
            .trips(3)
            .refuses(&["too-many-devices", "push-not-configured", "unsafe-url"])
            .says("Registers this device; the same token again is the same device"),
        route(
            Method::DELETE,
            format!("{PATH}/{{id}}"),
            "push.register",
            "push_endpoint.remove",
            delete(remove),
        )
        .answers(204)
        .trips(2)
        .says("Nothing is pushed to this device any more"),
    ]
}

fn registering(desk: &Arc<Desk>) -> MethodRouter<App> {
    post(register).layer(Extension(desk.clone()))
}

async fn key(ctx: Ctx) -> Answer {
    ok(&Identity { public_key: vapid::of(&ctx).await?.public })
}

/// 422 where nothing could ever be pushed to this device.
fn reachable(desk: &Desk, body: &PushEndpoint) -> Result<()> {
    match (body.platform, &body.keys) {
        (Platform::Webpush, None) => {
            let detail = "a browser's keys are needed: PushSubscription.toJSON() gives them";
            return Err(Error::invalid("/keys", "required", detail));
        }
        (Platform::Webpush, Some(keys)) => {
            if let Some(wrong) = keys.fault() {
                let detail = "this is no key of a PushSubscription, in base64url";
                return Err(Error::invalid(format!("/keys/{wrong}"), "key", detail));
            }
        }
        (Platform::Fcm | Platform::Apns, _) => {}
    }
    match desk.carrier(Channel::Push).admits(body.platform, &body.token) {
        Admission::Yes => Ok(()),
        Admission::Unsafe => {
            let detail = "a push service is reached by https at a public address";
            Err(Error::field("unsafe-url", "/token", detail))
        }
        Admission::NoProvider => {
            let detail =
                format!("nothing is pushed by {} here yet; register a browser (webpush)", body.platform);
            Err(Error::field("push-not-configured", "/platform", detail))
        }
    }
}

/// The token and the keys are the app's secrets: they are not shown.
fn shown(mut record: Record<PushEndpoint>) -> Record<PushEndpoint> {
    record.body.keys = None;
    record.body.token = Sealed("••••••••".into());
    record
}

async fn list(ctx: Ctx) -> Answer {
    let data = of(&ctx, &ctx.actor().user).await?;
    let data = data.into_iter().map(|r| View::owned(&ctx, shown(r))).collect();
    ok(&Pages { data, next: None })
}

async fn register(
    ctx: Ctx,
    Extension(desk): Extension<Arc<Desk>>,
    Body(mut body): Body<PushEndpoint>,
) -> Answer {
    reachable(&desk, &body)?;
    body.keys = body.keys.filter(|_| body.platform == Platform::Webpush);
    body.user = ctx.actor().user.clone();
    body.last_ok = None;
    let blind = ctx.store().blind("push.token", &body.token);
    let id: PushEndpointId = ids::fixed(&["push", &body.user, &blind]);
    let known = found(ctx.store().fresh::<PushEndpoint>(id).await)?;
    if known.as_ref().is_none_or(|k| k.deleted_at.is_some()) && of(&ctx, &body.user).await?.len() >= MOST {
        let detail = format!("{MOST} devices are registered; remove one first");
        return Err(Error::conflict("too-many-devices", detail).into());
    }
    let (record, commit) = match known {
        None => {
            let record = Record::with_id(id, ctx.now(), body);
            let commit = ctx.commit().create(&record);
            (record, commit)
        }
        Some(old) => {
            let mut new = old.next(ctx.now());
            (new.body, new.deleted_at) = (body, None);
            let commit = ctx.commit().update("register", &old, &new);
            (new, commit)
        }
    };
    let answer = Shown::record(&ctx, 201, &shown(record))?;
    ctx.settle(commit, answer).await
}

async fn remove(ctx: Ctx, At(id): At<PushEndpointId>) -> Answer {
    let old = ctx.change::<PushEndpoint>(id).await?;
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    ctx.settle(ctx.commit().update("delete", &old, &new), Shown::nothing()).await
}
