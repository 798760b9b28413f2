//! What identity keeps about an operator of the platform, whose record (roles, state, generation of tokens) is the
//! tenants module's: the login's `sub` and the second factor.

use crate::{
    logins::{NewLogin, Pool},
    user::Mfa,
};
use kernel::{Error, OperatorId, Result};
use serde::{Deserialize, Serialize};
use store::{Key, Scope, Store};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub sub: String,
    #[serde(default)]
    pub mfa: Mfa,
}

impl Standing {
    pub fn key(operator: &str) -> Key {
        Key::item("operator", operator, ".")
    }
}

/// Makes an operator's login, or finds it; `store` is the platform's. The password and the name to sign in with
/// are set by whoever appoints them.
pub async fn appoint(store: &Store, pool: &Pool, operator: OperatorId) -> Result<Standing> {
    if store.scope() != Scope::Platform {
        return Err(Error::internal("operators live in the platform's own part"));
    }
    let name = operator.to_string();
    let key = Standing::key(&name);
    if let Some(known) = store.read(&key).await? {
        return Ok(known);
    }
    let sub = pool.create(&NewLogin { user: name, tenant: "platform".into() }).await?;
    let standing = Standing { sub, mfa: Mfa::default() };
    store.commit().put(&key, &standing).run().await?;
    Ok(standing)
}

/// The login follows the operator's state. Whoever is suspended or gone has none that works.
pub async fn follow(store: &Store, pool: &Pool, operator: OperatorId, status: &str) -> Result<()> {
    let name = operator.to_string();
    appoint(store, pool, operator).await?;
    if status == "active" {
        return pool.enable(&name).await;
    }
    pool.disable(&name).await?;
    pool.sign_out(&name).await
}
