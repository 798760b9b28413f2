//! Sessions and sign-ins, one's own and others'.

use super::{Session, seen::Known};
use crate::{
    access::{self, Access},
    attempt::Attempt,
    user::{User, api::PATH},
};
use axum::{
    http::Method,
    routing::{delete, get},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Result, SessionId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Entity, Key, Record, Wanted};
use web::{Answer, At, Ctx, Door, Noun, Query, Reach, Route, Shown, ok, route};

#[derive(Deserialize, JsonSchema)]
pub struct Paging {
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(max = 1000))]
    cursor: Option<String>,
}

impl Paging {
    fn of(self, user: &str) -> Wanted {
        Wanted { cursor: self.cursor, ..Wanted::by(&[&user], self.limit.unwrap_or(25)) }
    }
}

/// A session with the last time it was used.
#[derive(Serialize, JsonSchema)]
pub struct Used {
    #[serde(flatten)]
    session: Record<Session>,
    last_seen_at: Timestamp,
    /// The one that asks.
    current: bool,
}

#[derive(Serialize, JsonSchema)]
pub struct Sessions {
    data: Vec<Used>,
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Attempts {
    data: Vec<Record<Attempt>>,
    next: Option<String>,
}

pub fn routes() -> Vec<Route> {
    let me = "/v1/identity/me";
    vec![
        route(Method::GET, format!("{me}/sessions"), Door::SignedIn, "me.sessions", get(mine))
            .trips(2)
            .asks::<Paging>()
            .gives::<Sessions>(200)
            .says("One's own sessions, newest first"),
        route(
            Method::DELETE,
            format!("{me}/sessions/{{id}}"),
            Door::SignedIn,
            "me.end-session",
            delete(end_mine),
        )
        .trips(2)
        .answers(204)
        .says("Ends one of one's own sessions, on every device within a minute"),
        route(Method::GET, format!("{me}/logins"), Door::SignedIn, "me.logins", get(my_logins))
            .trips(2)
            .asks::<Paging>()
            .gives::<Attempts>(200)
            .says("One's own sign-ins, refused ones too"),
        route(Method::GET, format!("{PATH}/{{id}}/sessions"), "session.view", "session.list", get(theirs))
            .trips(3)
            .asks::<Paging>()
            .gives::<Sessions>(200)
            .says("A user's sessions"),
        route(Method::DELETE, "/v1/identity/sessions/{id}", "session.end", "session.end", delete(end))
            .trips(2)
            .answers(204)
            .says("Ends a session"),
        route(Method::GET, format!("{PATH}/{{id}}/logins"), "login.view", "login.list", get(their_logins))
            .trips(2)
            .asks::<Paging>()
            .gives::<Attempts>(200)
            .says("A user's sign-ins, refused ones too"),
    ]
}

async fn mine(ctx: Ctx, Query(paging): Query<Paging>) -> Answer {
    let user = ctx.actor().user.clone();
    sessions(&ctx, paging.of(&user)).await
}

async fn theirs(ctx: Ctx, At(id): At<UserId>, Query(paging): Query<Paging>) -> Answer {
    reached(&ctx, id).await?;
    sessions(&ctx, paging.of(&id.to_string())).await
}

/// 404 for users that the caller does not reach.
async fn reached(ctx: &Ctx, id: UserId) -> Result<()> {
    if id.to_string() != ctx.actor().user {
        ctx.get::<User>(id).await?;
    }
    Ok(())
}

async fn sessions(ctx: &Ctx, wanted: Wanted) -> Answer {
    let page = ctx.store().list::<Session>(&Session::LISTS[1], &wanted).await?;
    let keys: Vec<Key> = page.data.iter().filter_map(|r| r.body.origin.as_deref()).map(Known::key).collect();
    let known = ctx.store().read_many(&keys).await?;
    let seen = |r: &Record<Session>| {
        let known = known.iter().flatten().find(|k| k["session"] == json!(r.id))?;
        Timestamp::from_second(known["seen"].as_i64()?).ok()
    };
    let used = |session: Record<Session>| Used {
        last_seen_at: seen(&session).unwrap_or(session.body.started_at),
        current: session.body.origin.as_deref() == Some(ctx.actor().session.as_str()),
        session,
    };
    ok(&Sessions { next: page.next.clone(), data: page.data.into_iter().map(used).collect() })
}

async fn my_logins(ctx: Ctx, Query(paging): Query<Paging>) -> Answer {
    let user = ctx.actor().user.clone();
    logins(&ctx, paging.of(&user)).await
}

async fn their_logins(ctx: Ctx, At(id): At<UserId>, Query(paging): Query<Paging>) -> Answer {
    reached(&ctx, id).await?;
    logins(&ctx, paging.of(&id.to_string())).await
}

async fn logins(ctx: &Ctx, wanted: Wanted) -> Answer {
    let page = ctx.store().list::<Attempt>(&Attempt::LISTS[1], &wanted).await?;
    ok(&Attempts { data: page.data, next: page.next })
}

async fn end_mine(ctx: Ctx, At(id): At<SessionId>) -> Answer {
    end_within(ctx, id, Reach::Own, "ended by its owner").await
}

async fn end(ctx: Ctx, At(id): At<SessionId>) -> Answer {
    let reach = ctx.reach();
    end_within(ctx, id, reach, "ended by an administrator").await
}

/// Its tokens share one name, which the gate refuses until no refresh can carry the session further.
async fn end_within(ctx: Ctx, id: SessionId, reach: Reach, why: &'static str) -> Answer {
    let answer = access::retried(|| {
        let ctx = ctx.clone();
        async move {
            let old = ctx.store().fresh::<Session>(id).await?;
            if !Session::within(&old, reach, ctx.actor()) {
                return Err(kernel::Error::Missing);
            }
            if old.body.ended_at.is_some() {
                return Ok(Shown::nothing().respond());
            }
            let mut new = old.next(ctx.now());
            (new.body.ended_at, new.body.end_reason) = (Some(new.updated_at), Some(why.into()));
            let mut access = Access::read(ctx.store()).await?;
            if let Some(origin) = &old.body.origin {
                let hours = old.body.client.absolute_hours();
                access = access.end_session(origin, old.body.started_at + SignedDuration::from_hours(hours));
            }
            let commit = access.write(ctx.commit().update("end", &old, &new));
            access::settle(&ctx, commit, Shown::nothing()).await
        }
    });
    Ok(answer.await?)
}
