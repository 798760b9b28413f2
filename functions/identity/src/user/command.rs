//! Commands on somebody's account. Each raises the user's generation and the gate's fact in one commit, so that
//! it acts within a minute on every request; the user pool follows by a reaction.

use super::{Login, Status, User, api::PATH, delegation::may_touch, standing};
use crate::access::{self, Access};
use axum::{
    http::Method,
    response::Response,
    routing::{delete, post},
};
use events::IdentityEvent as Event;
use kernel::{Error, Lifecycle, Result, Step, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Commit, Record};
use web::{
    Answer, At, Body, Ctx, Route, Shown,
    noun::{Because, View},
    route,
};

/// The body of a command: why.
#[derive(Deserialize, JsonSchema)]
pub struct Why {
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}

pub fn routes() -> Vec<Route> {
    let mut routes: Vec<Route> = User::STEPS.iter().map(step_route).collect();
    let one = format!("{PATH}/{{id}}");
    routes.extend([
        route(Method::POST, format!("{one}/signout"), "user.signout", "user.signout", post(sign_out))
            .takes::<Because>()
            .gives::<View<'static, User>>(200)
            .trips(3)
            .says("Ends every session of a user"),
        route(Method::POST, format!("{one}/reset-mfa"), "user.reset_mfa", "user.reset-mfa", post(reset_mfa))
            .takes::<Because>()
            .gives::<View<'static, User>>(200)
            .trips(3)
            .says("Takes a lost second factor off; the next sign-in sets up a new one"),
        route(Method::DELETE, one.as_str(), "user.delete", "user.delete", delete(archive))
            .answers(204)
            .trips(2)
            .says("Archives a disabled user; it can be restored"),
        route(
            Method::POST,
            format!("{one}/restore"),
            "user.delete",
            "user.restore",
            post(web::noun::restore::<User>),
        )
        .gives::<View<'static, User>>(200)
        .trips(2)
        .says("Brings an archived user back, still disabled"),
    ]);
    routes
}

impl web::noun::Hooks for User {}

fn step_route(step: &'static Step<User>) -> Route {
    let handler = move |ctx: Ctx, At(id): At<UserId>, Body(why): Body<Why>| command(ctx, id, why, step);
    let from: Vec<String> = step.from.iter().map(|s| s.to_string()).collect();
    let operation = format!("user.{}", step.command);
    route(Method::POST, format!("{PATH}/{{id}}/{}", step.command), step.permission, operation, post(handler))
        .takes::<Because>()
        .gives::<View<'static, User>>(200)
        .trips(3)
        .refuses(&["own-account", "grant-too-wide", "last-administrator"])
        .says(format!("{} → {}", from.join(", "), step.to))
}

async fn command(ctx: Ctx, id: UserId, why: Why, step: &'static Step<User>) -> Answer {
    let reason = match step.reason {
        true => Some(ctx.needs_reason(why.reason.as_deref())?),
        false => why.reason.or(ctx.reason()),
    };
    let answer = access::retried(|| {
        let (ctx, reason) = (ctx.clone(), reason.clone());
        async move {
            let old = ctx.change::<User>(id).await?;
            may_touch(&ctx, &old)?;
            let mut new = old.next(ctx.now());
            new.body.advance(step, ctx.today())?;
            take(&ctx, step.command, &old, &mut new, reason.clone())?;
            write(&ctx, step.command, &old, new, reason).await
        }
    });
    Ok(answer.await?)
}

/// What a step changes beside the state.
fn take(
    ctx: &Ctx,
    command: &str,
    old: &Record<User>,
    new: &mut Record<User>,
    reason: Option<String>,
) -> Result<()> {
    let body = &mut new.body;
    body.status_reason = reason.map(Into::into);
    match command {
        "resend" => body.invited_at = Some(ctx.now()),
        "renew-login" => {
            (body.login, body.sub, body.mfa) = (Login::Pending, None, Default::default());
            body.invited_at = Some(ctx.now());
        }
        "bar" => body.barred_by = Some(ctx.actor().user.clone()),
        "confirm-bar" if old.body.barred_by.as_deref() == Some(ctx.actor().user.as_str()) => {
            return Err(Error::forbidden("own-request", "a second administrator has to confirm it"));
        }
        "enable" if old.body.barred_by.is_some() => {
            return Err(Error::conflict("user-barred", "this person was barred for good"));
        }
        "enable" if old.body.joined_at.is_none() => {
            (body.status, body.login) = (Status::Invited, old.body.login.min(Login::Made));
            body.invited_at = Some(ctx.now());
        }
        _ => {}
    }
    Ok(())
}

async fn write(
    ctx: &Ctx,
    command: &str,
    old: &Record<User>,
    mut new: Record<User>,
    reason: Option<String>,
) -> Result<Response> {
    let user = new.id;
    let ended = !new.body.status.works();
    let event = match (command, new.body.status) {
        ("resend" | "renew-login", _) | ("enable", Status::Invited) => Event::UserInvited { user },
        ("suspend", _) => Event::UserSuspended { user },
        ("bar", _) => Event::UserBarred { user },
        (_, Status::Active) => Event::UserReactivated { user },
        _ => Event::UserDisabled { user },
    };
    if command != "resend" {
        new.body.raise();
    }
    let commit = ctx.commit().because(reason).update(command, old, &new).emit(event);
    let commit = standing::follow(commit, Some(old), &new);
    let access = Access::read(ctx.store()).await?.revoke(user, new.body.generation, ended);
    let shown = ctx.shown(200, &new)?;
    access::settle(ctx, access.write(commit), shown).await
}

async fn sign_out(ctx: Ctx, At(id): At<UserId>, Body(why): Body<Why>) -> Answer {
    let answer = access::retried(|| {
        let (ctx, reason) = (ctx.clone(), why.reason.clone());
        async move {
            let old = ctx.change::<User>(id).await?;
            let mut new = old.next(ctx.now());
            new.body.raise();
            let event = Event::UserSignedOut { user: id };
            let commit = ctx.commit().because(reason).update("signout", &old, &new).emit(event);
            end_tokens(&ctx, commit, &new).await
        }
    });
    Ok(answer.await?)
}

async fn reset_mfa(ctx: Ctx, At(id): At<UserId>, Body(why): Body<Why>) -> Answer {
    if id.to_string() == ctx.actor().user {
        let detail = "use a recovery code: POST /v1/identity/recover";
        return Err(Error::forbidden("own-account", detail).into());
    }
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let answer = access::retried(|| {
        let (ctx, reason) = (ctx.clone(), reason.clone());
        async move {
            let old = ctx.change::<User>(id).await?;
            may_touch(&ctx, &old)?;
            let mut new = old.next(ctx.now());
            new.body.mfa = Default::default();
            new.body.raise();
            let event = Event::MfaReset { user: id };
            let commit = ctx.commit().because(Some(reason)).update("reset-mfa", &old, &new).emit(event);
            end_tokens(&ctx, commit, &new).await
        }
    });
    Ok(answer.await?)
}

/// Older tokens have ended with this commit; a new sign-in is possible.
pub async fn end_tokens(ctx: &Ctx, commit: Commit, new: &Record<User>) -> Result<Response> {
    let access = Access::read(ctx.store()).await?.revoke(new.id, new.body.generation, false);
    let shown = ctx.shown(200, new)?;
    access::settle(ctx, access.write(commit), shown).await
}

async fn archive(ctx: Ctx, At(id): At<UserId>) -> Answer {
    let old = ctx.change::<User>(id).await?;
    may_touch(&ctx, &old)?;
    if old.body.status != Status::Disabled {
        return Err(Error::State { command: "delete", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    let commit = ctx.commit().update("delete", &old, &new).emit(Event::UserChanged { user: id });
    ctx.settle(standing::follow(commit, Some(&old), &new), Shown::nothing()).await
}
