//! The facts every request stands on, read together and kept for 30 seconds: is the organisation open, have
//! somebody's rights been taken, and how much have its machines called. So suspension and revocation act within a minute, without a read
//! per request. They are never conditions of a commit: every write of the tenant would contend on them.

mod access;
mod calls;
mod tenant;

pub use access::{AccessGate, AccessRule, Elevated, Mode, Revoked};
pub use calls::{Calls, MONTHLY, Today, month_of, next_month};
pub use tenant::{BUILT, CORE, Status, TenantGate};

use kernel::{Error, Result};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use store::{Key, Scope, Store, facts};

/// These facts of one tenant.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// None for the platform itself.
    pub tenant: Option<TenantGate>,
    pub access: AccessGate,
    pub calls: Calls,
}

const KEPT: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct Gates(Mutex<HashMap<Scope, (Instant, Arc<Gate>)>>);

impl Gates {
    pub(crate) async fn of(&self, store: &Store) -> Result<Arc<Gate>> {
        let scope = store.scope();
        if let Some((until, gate)) = self.0.lock().expect("never poisoned").get(&scope)
            && *until > Instant::now()
        {
            return Ok(gate.clone());
        }
        let gate = Arc::new(read(store).await?);
        // An organisation that is being set up opens within seconds: its first people do not wait for this cache.
        let settled = match &gate.tenant {
            Some(tenant) => tenant.status != Status::Provisioning,
            None => scope == Scope::Platform,
        };
        if settled {
            self.0.lock().expect("never poisoned").insert(scope, (Instant::now() + KEPT, gate.clone()));
        }
        Ok(gate)
    }

    /// Forgets what is cached: the module that has just changed a fact need not wait for itself, and tests
    /// need not wait at all.
    pub fn forget(&self, scope: Scope) {
        self.0.lock().expect("never poisoned").remove(&scope);
    }
    /// As a new process begins.
    pub fn forget_all(&self) {
        self.0.lock().expect("never poisoned").clear();
    }
}

async fn read(store: &Store) -> Result<Gate> {
    let keys = [facts::TENANT, facts::ACCESS, facts::API_CALLS].map(|fact| Key::fact(fact, "self"));
    let mut found = store.read_many(&keys).await?.into_iter();
    let mut next = || found.next().flatten();
    let tenant = next().map(serde_json::from_value).transpose().map_err(Error::internal)?;
    let access = next().map(serde_json::from_value).transpose().map_err(Error::internal)?;
    let calls = next().map(serde_json::from_value).transpose().map_err(Error::internal)?;
    Ok(Gate { tenant, access: access.unwrap_or_default(), calls: calls.unwrap_or_default() })
}
