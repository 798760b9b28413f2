//! A change of a user by somebody else. Rights change only with a reason, never one's own, and end the tokens
//! that were given out with the old ones.

use super::{
    Status, User,
    delegation::{may_give, may_touch, require_sites},
    standing,
};
use crate::{
    access::{self, Access},
    spelling,
};
use events::IdentityEvent;
use kernel::{Error, Fault, Result, UserId, error::faultless};
use serde_json::Value;
use store::Record;
use web::{Answer, At, Ctx, Raw, check};

pub async fn amend(ctx: Ctx, At(id): At<UserId>, Raw(patch): Raw) -> Answer {
    let old = ctx.change::<User>(id).await?;
    may_touch(&ctx, &old)?;
    let body = changed(&ctx, &old.body, &patch)?;
    let rights = |u: &User| (u.roles.clone(), u.sites.clone(), u.modules.clone());
    if rights(&old.body) == rights(&body) {
        return details(&ctx, &old, body).await;
    }
    ctx.needs_reason(None)?;
    may_give(&ctx, &body.roles, &body.sites, &body.modules)?;
    // An organisation of one administrator could never have a second.
    ctx.waits_unless_alone();
    let answer = access::retried(|| {
        let (ctx, body) = (ctx.clone(), body.clone());
        async move { regrant(&ctx, id, body).await }
    });
    Ok(answer.await?)
}

/// The patched user in the spelling that is kept.
pub fn changed(ctx: &Ctx, old: &User, patch: &Value) -> Result<User> {
    let mut new: User = check::merge_patch(old, patch)?;
    let mut faults = vec![];
    let country = ctx.gate().tenant.as_ref().map(|t| t.country.clone()).unwrap_or_default();
    new.given_name.0 = spelling::name(new.given_name.0, "/given_name", &mut faults);
    new.family_name.0 = spelling::name(new.family_name.0, "/family_name", &mut faults);
    new.preferred_name =
        new.preferred_name.map(|n| spelling::name(n.0, "/preferred_name", &mut faults).into());
    new.email = spelling::email(new.email.map(|e| e.0), &mut faults).map(Into::into);
    if new.phone != old.phone {
        new.phone = spelling::phone(new.phone.map(|p| p.0), &country, &mut faults).map(Into::into);
        new.phone_verified_at = None;
    }
    spelling::zone(&new.time_zone, &mut faults);
    readdress(old, &mut new, &mut faults);
    faultless(faults)?;
    Ok(new)
}

/// An address that was never used may be corrected; later only its owner changes it, by a code sent to it.
fn readdress(old: &User, new: &mut User, faults: &mut Vec<Fault>) {
    if (&old.email, &old.username) == (&new.email, &new.username) {
        return;
    }
    if !matches!(old.status, Status::Invited | Status::Lapsed) {
        faults.push(Fault::new(
            "/email",
            "confirmed-by-owner",
            "its owner changes it: POST /v1/identity/me/email",
        ));
    }
    match new.email.clone().or(new.username.clone()) {
        Some(name) => new.login_name = name,
        None => faults.push(Fault::new("/email", "required", "an e-mail address or a username is needed")),
    }
}

async fn details(ctx: &Ctx, old: &Record<User>, body: User) -> Answer {
    let mut new = old.next(ctx.now());
    new.body = body;
    let commit = ctx.commit().update("update", old, &new).emit(IdentityEvent::UserChanged { user: new.id });
    let commit = standing::follow(commit, Some(old), &new);
    let commit = standing::require_manager(commit, Some(&old.body), &new)?;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

async fn regrant(ctx: &Ctx, id: UserId, body: User) -> Result<axum::response::Response> {
    let old = ctx.change::<User>(id).await?;
    if old.body.generation != body.generation {
        return Err(Error::Stale { current: old.version, demanded: ctx.if_match().is_some() });
    }
    let mut new = old.next(ctx.now());
    new.body = body;
    new.body.raise();
    let generation = new.body.generation;
    let event = IdentityEvent::UserRightsChanged { user: id, generation };
    let commit = ctx.commit().update("update", &old, &new).emit(event);
    let added: Vec<String> = new.body.sites.iter().filter(|s| !old.body.sites.contains(s)).cloned().collect();
    let commit = require_sites(standing::follow(commit, Some(&old), &new), &added)?;
    let commit = standing::require_manager(commit, Some(&old.body), &new)?;
    let access = Access::read(ctx.store()).await?.revoke(id, generation, false);
    let shown = ctx.shown(200, &new)?;
    access::settle(ctx, access.write(commit), shown).await
}
