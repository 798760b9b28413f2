//! Oneself: who am I, and what I say about myself. Nobody needs a permission for this.

pub mod address;
pub mod mfa;
pub mod phone;
pub mod profile;

use crate::user::User;
use axum::{http::Method, routing::get};
use jiff::Timestamp;
use kernel::{Error, Result, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Serialize;
use std::collections::BTreeMap;
use store::Record;
use web::{Answer, Ctx, Door, Reach, Reached, Route, ok, route};

/// The caller, as every screen needs them first.
#[derive(Serialize, JsonSchema)]
pub struct Me {
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_preference: Option<crate::user::ContactPreference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessibility: Option<crate::user::Accessibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<Where>,
    roles: Vec<String>,
    /// Lent for a while.
    elevated: Vec<String>,
    sites: Vec<String>,
    modules: Vec<String>,
    /// How far each permission reaches; those one lacks are not named.
    permissions: BTreeMap<&'static str, Reach>,
    mfa: Factor,
    signed_in_at: Option<Timestamp>,
}

/// The organisation.
#[derive(Serialize, JsonSchema)]
struct Where {
    id: String,
    slug: String,
    name: String,
    edition: String,
    status: String,
    country: String,
    time_zone: String,
    language: String,
    currency: String,
    /// Modules that are licensed and on, beside those that always are.
    modules: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Factor {
    enabled: bool,
    /// It has to be set up before anything else.
    enrolling: bool,
    recovery_left: u32,
}

pub fn routes(pool: &crate::Pool) -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, "/v1/me", Door::SignedIn, "me.who", get(who))
            .gives::<Me>(200)
            .trips(1)
            .says("Who am I, where, and what may I do"),
    ];
    routes.extend(profile::routes());
    routes.extend(address::routes());
    routes.extend(phone::routes());
    routes.extend(mfa::routes(pool));
    routes
}

/// The caller's own record; none for operators and machines, who have none here.
pub async fn own(ctx: &Ctx) -> Result<Option<Record<User>>> {
    match ctx.actor().id::<UserId>() {
        Some(id) => ctx.store().fresh::<User>(id).await.map(Some),
        None => Ok(None),
    }
}

/// The caller's record where there has to be one; 423 while the organisation is not open for changes.
pub async fn changing(ctx: &Ctx) -> Result<Record<User>> {
    ctx.tenant()?.open(false)?;
    own(ctx).await?.ok_or(Error::Missing)
}

fn listed<T: ToString>(reached: &Reached<T>) -> Vec<String> {
    match reached {
        Reached::All => vec!["*".into()],
        Reached::These(some) => some.iter().map(T::to_string).collect(),
    }
}

async fn who(ctx: Ctx) -> Answer {
    let own = own(&ctx).await?;
    let actor = ctx.actor();
    let permissions = authz::rules().map(|rule| (rule.permission, ctx.may(rule.permission)));
    let body = own.as_ref().map(|r| &r.body);
    ok(&Me {
        user: actor.user.clone(),
        name: body.map(|b| b.called().into()),
        language: body.map(|b| b.language.clone()),
        time_zone: body.map(|b| b.time_zone.clone()),
        contact_preference: body.map(|b| b.contact_preference.clone()),
        accessibility: body.map(|b| b.accessibility.clone()),
        tenant: place(&ctx),
        roles: actor.roles.clone(),
        elevated: actor.elevated.clone(),
        sites: listed(&actor.sites),
        modules: listed(&actor.modules),
        permissions: permissions.filter(|(_, reach)| *reach > Reach::None).collect(),
        mfa: Factor {
            enabled: body.is_some_and(|b| b.mfa.is_on()),
            enrolling: actor.enrolling,
            recovery_left: body.map_or(0, |b| b.mfa.recovery_left),
        },
        signed_in_at: actor.signed_in_at,
    })
}

fn place(ctx: &Ctx) -> Option<Where> {
    let gate = ctx.tenant().ok()?;
    Some(Where {
        id: ctx.scope().tenant()?.to_string(),
        slug: gate.slug.clone(),
        name: gate.name.clone(),
        edition: gate.edition.to_string(),
        status: gate.status.to_string(),
        country: gate.country.clone(),
        time_zone: gate.time_zone.clone(),
        language: gate.language.clone(),
        currency: gate.currency.clone(),
        modules: gate.licensed.iter().filter(|m| gate.on.contains(m)).cloned().collect(),
    })
}
