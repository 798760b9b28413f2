//! Look-up items of the platform: which organisation a name or an address belongs to, where nobody is signed in
//! yet. They hold blind indexes and ids; neither names nor addresses.

use crate::{machine::Registered, user::User};
use kernel::{Result, UserId};
use serde::{Deserialize, Serialize};
use store::{Caller, Key, Record, Scope, Store};
use web::App;

/// Somebody's place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    pub tenant: String,
    pub user: UserId,
    pub slug: String,
}

fn by_alias(platform: &Store, alias: &str) -> Key {
    Key::item("login", platform.blind("identity.alias", &alias.to_lowercase()), ".")
}

fn by_address(platform: &Store, address: &str, tenant: &str) -> Key {
    Key::item("mail", platform.blind("identity.mail", &address.to_lowercase()), tenant)
}

async fn platform(app: &App) -> Result<Store> {
    let caller = Caller { by: "system:identity".into(), request: "look-up".into(), ..Caller::default() };
    app.vault().open(Scope::Platform, caller).await
}

pub async fn write(app: &App, scope: Scope, slug: &str, user: &Record<User>) -> Result<()> {
    let store = platform(app).await?;
    let found = Found { tenant: scope.to_string(), user: user.id, slug: slug.into() };
    let mut commit = store.commit().put(&by_alias(&store, &user.body.alias(slug)), &found);
    if let Some(address) = &user.body.email {
        commit = commit.put(&by_address(&store, address, &found.tenant), &found);
    }
    commit.run().await
}

/// Takes off the address that a user has no more.
pub async fn moved(app: &App, scope: Scope, old: &User, new: &User) -> Result<()> {
    let store = platform(app).await?;
    let place = |user: &User| user.email.as_ref().map(|a| by_address(&store, a, &scope.to_string()));
    match (place(old), place(new)) {
        (Some(left), now) if now.as_ref() != Some(&left) => store.commit().delete(&left).run().await,
        _ => Ok(()),
    }
}

fn by_client(client_id: &str) -> Key {
    Key::item("client", client_id, ".")
}

/// The organisation and the key that a machine's client belongs to.
pub async fn write_client(app: &App, client_id: &str, registered: &Registered) -> Result<()> {
    platform(app).await?.commit().put(&by_client(client_id), registered).run().await
}

pub async fn forget_client(app: &App, client_id: &str) -> Result<()> {
    platform(app).await?.commit().delete(&by_client(client_id)).run().await
}

/// Who signs in by this name at this organisation.
pub async fn alias(platform: &Store, slug: &str, login_name: &str) -> Result<Option<Found>> {
    platform.read(&by_alias(platform, &format!("{slug}/{login_name}"))).await
}

/// Where this address has an account.
pub async fn address(platform: &Store, address: &str) -> Result<Vec<Found>> {
    let all = platform.under::<Found>(&by_address(platform, address, "."), "", 50).await?;
    Ok(all.into_iter().map(|(_, found)| found).collect())
}
