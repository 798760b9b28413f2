//! The page behind an invitation's link.

use super::{Claimed, open, read, signed};
use crate::{
    login,
    logins::Pool,
    organisation::Organisation,
    password,
    user::{Login, User},
};
use axum::{
    Extension,
    http::Method,
    routing::{get, post},
};
use events::IdentityEvent;
use jiff::Timestamp;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Record, Scope, Store};
use web::{Answer, Anyone, Body, Door, Named, Route, ok, route};

/// What the page shows.
#[derive(Serialize, JsonSchema)]
pub struct Invitation {
    pub organisation: String,
    pub slug: String,
    pub given_name: Sealed<String>,
    pub login_name: Sealed<String>,
    pub until: Timestamp,
    /// What a password has to be.
    pub password: Vec<&'static str>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Accept {
    #[schemars(length(min = 1, max = 256))]
    pub password: String,
}

/// How to sign in from now on.
#[derive(Serialize, JsonSchema)]
pub struct Accepted {
    pub slug: String,
    pub login_name: Sealed<String>,
    /// What the hosted login takes as the user's name.
    pub login_hint: Sealed<String>,
}

pub fn routes(pool: &Pool) -> Vec<Route> {
    let path = "/v1/identity/invitations/{token}";
    vec![
        route(Method::GET, path, Door::Public, "invitation.show", get(show))
            .trips(2)
            .gives::<Invitation>(200)
            .refuses(&["invitation-used", "invitation-ended"])
            .says("What an invitation's link stands for"),
        route(
            Method::POST,
            path,
            Door::Public,
            "invitation.accept",
            post(accept).layer(Extension(pool.clone())),
        )
        .trips(3)
        .takes::<Accept>()
        .gives::<Accepted>(200)
        .refuses(&["invitation-used", "invitation-ended", "weak-password"])
        .says("Takes an invitation up: sets the password and the name to sign in with"),
    ]
}

/// The invited user, if the link is theirs and still works. Whatever is wrong with a link, it is not found.
async fn invited(anyone: &Anyone, token: &str) -> Result<(Store, Record<User>, Claimed)> {
    let claimed = read(token).ok_or(Error::Missing)?;
    anyone.hourly("invitation", 600).await?;
    let by = format!("public:{}", claimed.user);
    let store = anyone.open(Scope::Tenant(claimed.tenant), &by).await?;
    if !signed(&store, token) {
        return Err(Error::Missing);
    }
    let user = store.fresh::<User>(claimed.user).await?;
    open(&user, claimed, store.now())?;
    Ok((store, user, claimed))
}

async fn show(anyone: Anyone, Named(token): Named) -> Answer {
    let (store, user, claimed) = invited(&anyone, &token).await?;
    let organisation = Organisation::of(&store).await?;
    let User { given_name, login_name, .. } = user.body;
    ok(&Invitation {
        organisation: organisation.name,
        slug: organisation.slug,
        given_name,
        login_name,
        until: claimed.until,
        password: password::RULES.iter().map(|rule| rule.says).collect(),
    })
}

/// The pool first, then our record: whatever fails in between, the link still works and everything is repeated.
async fn accept(
    anyone: Anyone,
    Extension(pool): Extension<Pool>,
    Named(token): Named,
    Body(accept): Body<Accept>,
) -> Answer {
    let (store, user, _) = invited(&anyone, &token).await?;
    password::judge(&accept.password)?;
    let organisation = Organisation::of(&store).await?;
    let user = login::ensure(&store, &pool, user).await?;
    let (name, alias) = (user.id.to_string(), user.body.alias(&organisation.slug));
    pool.set_password(&name, &accept.password).await?;
    pool.set_alias(&name, &alias, user.body.email.as_ref().map(|e| e.as_str())).await?;
    let mut new = user.next(store.now());
    new.body.login = Login::Ready;
    // The link came by this address.
    new.body.email_verified_at = new.body.email.is_some().then_some(new.updated_at);
    let event = IdentityEvent::UserChanged { user: new.id };
    store.commit().update("accept", &user, &new).emit(event).run().await?;
    let User { login_name, .. } = new.body;
    ok(&Accepted { slug: organisation.slug, login_name, login_hint: alias.into() })
}
