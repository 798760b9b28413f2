//! What identity keeps about an operator of the platform, whose record is the tenants module's: the login's
//! `sub`, the second factor, and the generation of their tokens.

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
    pub generation: u64,
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
    let standing = Standing { sub, mfa: Mfa::default(), generation: 1 };
    store.commit().put(&key, &standing).run().await?;
    Ok(standing)
}
