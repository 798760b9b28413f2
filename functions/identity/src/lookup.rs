//! Look-up items of the platform: which organisation a name or an address belongs to, where nobody is signed in
//! yet. They hold blind indexes and ids; neither names nor addresses.

use crate::{machine::Registered, user::User};
use events::Envelope;
use kernel::{Error, Result, UserId, error::found};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Caller, Key, Record, Scope, Store, is};
use web::{App, Ctx};

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

/// After a change the address of a user leads to them, and one that they have no more leads nowhere. Changes are heard of
/// twice and in any order: what counts is the record as it is, which is looked at once more at the end.
pub async fn follow(ctx: Ctx, event: Envelope) -> Result<()> {
    let user: UserId = event.record.parse()?;
    let mut had = BTreeSet::new();
    for version in [event.version.saturating_sub(1), event.version] {
        let then = found(ctx.store().version::<User>(user, version).await)?;
        had.extend(then.and_then(|then| then.body.0["email"].as_str().map(str::to_lowercase)));
    }
    let store = platform(ctx.app()).await?;
    loop {
        let now = ctx.store().fresh::<User>(user).await?;
        let address = now.body.email.as_ref().filter(|_| now.deleted_at.is_none()).map(|a| a.to_lowercase());
        if had.iter().eq(&address) {
            return Ok(());
        }
        for left in had.iter().filter(|left| address.as_ref() != Some(left)) {
            // Only while it leads to them: somebody else may have it by now.
            let key = by_address(&store, left, &ctx.scope().to_string());
            found(store.commit().delete_if(&key, is("user", user), |_| Error::Missing).run().await)?;
        }
        if address.is_some() {
            write(ctx.app(), ctx.scope(), &ctx.tenant()?.slug, &now).await?;
        }
        if ctx.store().fresh::<User>(user).await?.version == now.version {
            return Ok(());
        }
        had.extend(address);
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
