//! Breaking the glass, closing it, answering for it.

use super::{BreakGlass, KINDS, OPEN, Outcome, REVIEW, ReasonCode, Review, Status};
use crate::user::command::Why;
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use events::IdentityEvent;
use kernel::{BreakGlassId, Error, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::{Entity, Key, Record, Wanted, When, facts};
use web::{
    Answer, At, Body, Ctx, Reach, Route,
    noun::{Because, Pages, View, list_shape, reading, wanted},
    ok, route,
};

const PATH: &str = "/v1/identity/break-glass";

#[derive(Deserialize, JsonSchema)]
pub struct Opening {
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    record: String,
    reason_code: ReasonCode,
    #[schemars(length(min = 20, max = 2000))]
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Reviewing {
    outcome: Outcome,
    #[schemars(length(min = 1, max = 2000))]
    note: Option<String>,
}

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::POST, PATH, "break_glass.open", "break_glass.open", post(open))
            .takes::<Opening>()
            .gives::<View<'static, BreakGlass>>(201)
            .trips(1)
            .refuses(&["no-break-glass"])
            .says("Opens a record outside one's reach for four hours; send its id as X-Break-Glass"),
        route(Method::GET, PATH, "break_glass.view", "break_glass.list", get(list))
            .asks_shape(list_shape::<BreakGlass>)
            .gives::<Pages<View<'static, BreakGlass>>>(200)
            .trips(1)
            .says("Break-glass accesses: all, by status or by user; clinicians see their own"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/close"),
            "break_glass.open",
            "break_glass.close",
            post(close),
        )
        .takes::<Because>()
        .gives::<View<'static, BreakGlass>>(200)
        .trips(2)
        .says("Closes it before its time"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/review"),
            "break_glass.review",
            "break_glass.review",
            post(review),
        )
        .takes::<Reviewing>()
        .gives::<View<'static, BreakGlass>>(200)
        .trips(2)
        .refuses(&["own-request"])
        .says("Says whether it was justified"),
    ];
    routes.extend(reading::<BreakGlass>(PATH, "break_glass.view"));
    routes
}

/// Where the guard looks for it: `crates/web`, by the caller and the record it is about.
pub fn glass(user: &str, record: &str) -> Key {
    Key::fact(facts::GLASS, format!("{user}~{record}"))
}

async fn open(ctx: Ctx, Body(asked): Body<Opening>) -> Answer {
    let kind = asked.record.split('_').next().unwrap_or_default();
    let allowed = |(k, _, may): &&(&str, _, &'static str)| *k == kind && ctx.may(may) > Reach::None;
    let Some((_, exists, _)) = KINDS.iter().find(allowed) else {
        let detail = "records of this kind cannot be opened so, or not by your role";
        return Err(Error::forbidden("no-break-glass", detail).into());
    };
    let user: UserId =
        ctx.actor().id().ok_or_else(|| Error::forbidden("no-user", "only users break the glass"))?;
    let now = ctx.now();
    let body = BreakGlass {
        user: user.to_string(),
        record: asked.record.clone(),
        reason_code: asked.reason_code,
        reason: asked.reason.into(),
        status: Status::Open,
        opened_at: now,
        expires_at: now + OPEN,
        review: None,
        review_due: now + REVIEW,
        escalations: 0,
    };
    let new = Record::new(now, body);
    let event = IdentityEvent::BreakGlassUsed { break_glass: new.id, user, record: asked.record.clone() };
    let fact = json!({"id": new.id, "expires_at": new.body.expires_at});
    let any = When::Absent.or(When::Present);
    let place = glass(&new.body.user, &asked.record);
    let commit = ctx.commit().create(&new).emit(event).require(*exists, &asked.record, || Error::Missing);
    let commit = commit.put_until(&place, &fact, new.body.expires_at, any, |_| Error::Missing);
    let shown = ctx.shown(201, &new)?;
    ctx.settle(commit, shown).await
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (mut list, mut wanted) = wanted::<BreakGlass>(query.as_deref().unwrap_or_default())?;
    if ctx.reach() < Reach::All {
        let Wanted { limit, cursor, .. } = wanted;
        list = &BreakGlass::LISTS[2];
        wanted = Wanted { cursor, ..Wanted::by(&[&ctx.actor().user], limit) };
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

async fn close(ctx: Ctx, At(id): At<BreakGlassId>, Body(why): Body<Why>) -> Answer {
    let old = ctx.change::<BreakGlass>(id).await?;
    if old.body.user != ctx.actor().user {
        return Err(Error::Missing.into());
    }
    if old.body.status != Status::Open {
        return Err(Error::State { command: "close", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.expires_at) = (Status::Closed, new.updated_at);
    let commit = ctx.commit().because(why.reason).update("close", &old, &new);
    let commit = shut(commit, &old);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

/// Takes the fact away, unless a newer opening stands there.
pub fn shut(commit: store::Commit, old: &Record<BreakGlass>) -> store::Commit {
    let own = When::Absent.or(store::is("id", old.id));
    commit.delete_if(&glass(&old.body.user, &old.body.record), own, |_| {
        Error::conflict("opened-again", "this record was opened again since; close that one")
    })
}

async fn review(ctx: Ctx, At(id): At<BreakGlassId>, Body(given): Body<Reviewing>) -> Answer {
    let old = ctx.change::<BreakGlass>(id).await?;
    judge(&ctx, &old)?;
    let mut new = old.next(ctx.now());
    let by = ctx.actor().user.clone();
    let note = given.note.map(Into::into);
    new.body.review = Some(Review { by, outcome: given.outcome, note, at: new.updated_at });
    new.body.status = Status::Reviewed;
    let event = IdentityEvent::BreakGlassReviewed { break_glass: id, outcome: given.outcome.to_string() };
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().update("review", &old, &new).emit(event), shown).await
}

fn judge(ctx: &Ctx, old: &Record<BreakGlass>) -> Result<()> {
    if old.body.user == ctx.actor().user {
        return Err(Error::forbidden("own-request", "nobody reviews their own access"));
    }
    match old.body.status {
        Status::Closed => Ok(()),
        other => Err(Error::State { command: "review", state: other.to_string() }),
    }
}
