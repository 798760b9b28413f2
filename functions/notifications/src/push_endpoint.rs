//! Devices that a person wants to be reached on.

use crate::ids;
use axum::{
    http::Method,
    routing::{delete, get, post},
};
use jiff::Timestamp;
use kernel::{Error, PushEndpointId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Wanted};
use web::{
    Actor, Answer, At, Body, Ctx, Noun, Reach, Route, Shown,
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
    /// What the platform gave the app; never shown again.
    #[schemars(length(min = 8, max = 4096))]
    pub token: Sealed<String>,
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
    const LISTS: &'static [List<Self>] = &[List {
        name: "user",
        by: &["user"],
        then: &[],
        range: false,
        newest_first: true,
        rows: |r| vec![Row::new(&[&r.body.user], &[&r.id])],
    }];
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

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, PATH, "push.view", "push_endpoint.list", get(list))
            .gives::<Pages<View<'static, PushEndpoint>>>(200)
            .trips(1)
            .says("One's own devices"),
        route(Method::POST, PATH, "push.register", "push_endpoint.register", post(register))
            .takes::<PushEndpoint>()
            .gives::<View<'static, PushEndpoint>>(201)
            .trips(3)
            .refuses(&["too-many-devices"])
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

/// The token is the app's secret: it is not shown.
fn shown(mut record: Record<PushEndpoint>) -> Record<PushEndpoint> {
    record.body.token = Sealed("••••••••".into());
    record
}

async fn list(ctx: Ctx) -> Answer {
    let data = of(&ctx, &ctx.actor().user).await?;
    let data = data.into_iter().map(|r| View::owned(&ctx, shown(r))).collect();
    ok(&Pages { data, next: None })
}

async fn register(ctx: Ctx, Body(mut body): Body<PushEndpoint>) -> Answer {
    body.user = ctx.actor().user.clone();
    body.last_ok = None;
    let blind = ctx.store().blind("push.token", &body.token);
    let id: PushEndpointId = ids::fixed(&["push", &body.user, &blind]);
    let known = match ctx.store().fresh::<PushEndpoint>(id).await {
        Ok(known) => Some(known),
        Err(Error::Missing) => None,
        Err(e) => return Err(e.into()),
    };
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
