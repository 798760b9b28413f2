//! The second factor: an authenticator app, and ten codes for the day it is lost.

use super::changing;
use crate::{
    access::{self, Access},
    letter,
    logins::Pool,
    operator::Standing,
    recovery::{self, Codes},
    session::enrolling,
    user::{Method as Factor, Mfa, User},
};
use axum::{
    Extension,
    http::{HeaderMap, Method, header},
    routing::post,
};
use events::IdentityEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, OperatorId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Record, When};
use web::{Answer, Body, Ctx, Door, Route, Shown, ok, route};

/// How long a session may set a factor up once it has asked to.
const LASTS: SignedDuration = SignedDuration::from_mins(30);

/// What an authenticator app is told.
#[derive(Serialize, JsonSchema)]
pub struct Secret {
    /// Base32.
    secret: Sealed<String>,
    /// `otpauth://totp/…`, to be shown as a QR code.
    uri: Sealed<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Code {
    #[schemars(regex(pattern = r"^[0-9]{6}$"))]
    code: String,
}

/// Shown once.
#[derive(Serialize, JsonSchema)]
pub struct Enrolled {
    enabled_at: Timestamp,
    recovery_codes: Sealed<Vec<String>>,
}

pub fn routes(pool: &Pool) -> Vec<Route> {
    let path = "/v1/identity/me/mfa";
    vec![
        route(Method::POST, format!("{path}/begin"), Door::SignedIn, "mfa.begin", post(begin))
            .trips(1)
            .answers(202)
            .says("Marks the session for enrolment: refresh the token, then ask for a secret"),
        route(
            Method::POST,
            format!("{path}/totp"),
            Door::SignedIn,
            "mfa.totp",
            post(totp).layer(Extension(pool.clone())),
        )
        .trips(1)
        .gives::<Secret>(200)
        .refuses(&["mfa-not-begun"])
        .says("A secret for an authenticator app"),
        route(
            Method::POST,
            format!("{path}/verify"),
            Door::SignedIn,
            "mfa.verify",
            post(verify).layer(Extension(pool.clone())),
        )
        .trips(3)
        .takes::<Code>()
        .gives::<Enrolled>(200)
        .refuses(&["wrong-code", "mfa-not-begun"])
        .says("Turns the second factor on and shows ten recovery codes, once"),
    ]
}

async fn begin(ctx: Ctx) -> Answer {
    let until = ctx.now() + LASTS;
    let commit = ctx.commit().put_until(
        &enrolling(&ctx.actor().user),
        &json!({"until": until}),
        until,
        always(),
        |_| Error::Missing,
    );
    commit.run().await?;
    let next = json!({"message": "refresh your token, then POST /v1/identity/me/mfa/totp", "until": until});
    Ok(Shown::of(202, &next)?.respond())
}

fn always() -> When {
    When::Absent.or(When::Present)
}

/// The caller's own token: the pool gives secrets to nobody else.
fn bearer(headers: &HeaderMap) -> Result<&str> {
    let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = token.map(|t| t.trim_start_matches("Bearer ").trim()).filter(|t| !t.is_empty());
    token.ok_or_else(|| Error::stranger("not-signed-in", "send an access token: Authorization: Bearer …"))
}

/// Only a token that enrols has the scope for it at the pool.
fn must_enrol(ctx: &Ctx) -> Result<()> {
    if ctx.actor().enrolling {
        return Ok(());
    }
    Err(Error::forbidden(
        "mfa-not-begun",
        "begin first: POST /v1/identity/me/mfa/begin, then refresh your token",
    ))
}

async fn totp(ctx: Ctx, Extension(pool): Extension<Pool>, headers: HeaderMap) -> Answer {
    must_enrol(&ctx)?;
    let secret = pool.associate_totp(bearer(&headers)?).await?;
    let label = match super::own(&ctx).await? {
        Some(own) => own.body.login_name.0,
        None => ctx.actor().user.clone(),
    };
    let issuer = ctx.tenant().map_or_else(|_| "Lumina".into(), |t| format!("Lumina ({})", t.name));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("secret", secret.as_str()), ("issuer", issuer.as_str())])
        .finish()
        .replace('+', "%20");
    let label: String = url::form_urlencoded::byte_serialize(label.as_bytes()).collect();
    ok(&Secret { uri: format!("otpauth://totp/{label}?{query}").into(), secret: secret.into() })
}

async fn verify(
    ctx: Ctx,
    Extension(pool): Extension<Pool>,
    headers: HeaderMap,
    Body(Code { code }): Body<Code>,
) -> Answer {
    must_enrol(&ctx)?;
    if !pool.verify_totp(bearer(&headers)?, &code).await? {
        return Err(
            Error::field("wrong-code", "/code", "the code is not right; wait for the next one").into()
        );
    }
    pool.prefer_totp(&ctx.actor().user, true).await?;
    if ctx.actor().id::<OperatorId>().is_some() {
        return operator(&ctx).await;
    }
    let answer = access::retried(|| {
        let ctx = ctx.clone();
        async move { enable(&ctx, changing(&ctx).await?).await }
    })
    .await?;
    if let (Some(own), Ok(tenant)) = (super::own(&ctx).await?, ctx.tenant())
        && let Some(letter) =
            letter::notice(&own.body, &tenant.name, "A second factor was set up for your account.")
    {
        ctx.app().mail().send(letter).await?;
    }
    Ok(answer)
}

/// The old tokens say `enrol`; they end with the commit, and the next one says no more of it.
async fn enable(ctx: &Ctx, old: Record<User>) -> Result<axum::response::Response> {
    let mut new = old.next(ctx.now());
    let (codes, shown) = Codes::fresh(ctx.store());
    new.body.mfa =
        Mfa { method: Factor::Totp, enabled_at: Some(new.updated_at), recovery_left: codes.left() };
    new.body.raise();
    let user = ctx.actor().user.clone();
    let commit =
        ctx.commit().update("enable-mfa", &old, &new).emit(IdentityEvent::MfaEnabled { user: new.id });
    let commit = commit.put(&recovery::place(&user), &codes).delete(&enrolling(&user));
    let access = Access::read(ctx.store()).await?.revoke(&user, new.body.generation, false);
    let answer = Shown::of(200, &Enrolled { enabled_at: new.updated_at, recovery_codes: shown.into() })?;
    access::settle(ctx, access.write(commit), answer).await
}

/// An operator's factor stands with their login; recovery is another operator's task. The token that enrolled may do
/// nothing else and ends by itself; the tenants module alone ends operators' tokens.
async fn operator(ctx: &Ctx) -> Answer {
    let user = ctx.actor().user.clone();
    let key = Standing::key(&user);
    let mut standing: Standing = ctx.store().read(&key).await?.ok_or(Error::Missing)?;
    let enabled_at = ctx.now();
    standing.mfa = Mfa { method: Factor::Totp, enabled_at: Some(enabled_at), recovery_left: 0 };
    ctx.commit().put(&key, &standing).delete(&enrolling(&user)).run().await?;
    ok(&Enrolled { enabled_at, recovery_codes: vec![].into() })
}
