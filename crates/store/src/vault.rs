//! The only way to a store: opens one scope with its own credentials and its own keys, and keeps both for a
//! while, so that a request costs no look-up.

use crate::{
    Caller, Commit, Key, Scope, Store,
    error::refused,
    item::{Item, b, blob, n, number, s},
    schema::{PK, SK},
    sdk,
};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use kernel::{Clock, Error, Result, TenantId};
use seal::{KeyService, Ring};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// Keys and credentials of one scope, as long as they are cached.
#[derive(Clone)]
pub struct Opened {
    sdk: sdk::Client,
    ring: Arc<Ring>,
}

struct Slot {
    until: Instant,
    cell: Arc<OnceCell<Opened>>,
}

/// The deletion of a tenant's key bites when the last cached copy is gone.
const KEPT: Duration = Duration::from_secs(55 * 60);
/// Retries end this long after the start of a request, where the caller gives no other deadline.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Vault {
    table: Arc<str>,
    /// A client whose credentials reach this scope's keys and no others.
    clients: Box<dyn Fn(Scope) -> sdk::Client + Send + Sync>,
    /// A client that reaches the platform's part and one tenant's; none = the one of the platform does.
    spanning: Option<Box<dyn Fn(TenantId) -> sdk::Client + Send + Sync>>,
    keys: Arc<dyn KeyService>,
    clock: Clock,
    cache: Mutex<HashMap<Scope, Slot>>,
    #[cfg(all(feature = "confusion", debug_assertions))]
    confused: Mutex<Option<(Scope, Scope)>>,
}

impl Vault {
    pub fn new(
        table: &str,
        clients: impl Fn(Scope) -> sdk::Client + Send + Sync + 'static,
        keys: Arc<dyn KeyService>,
        clock: Clock,
    ) -> Self {
        Self {
            table: table.into(),
            clients: Box::new(clients),
            spanning: None,
            keys,
            clock,
            cache: Mutex::default(),
            #[cfg(all(feature = "confusion", debug_assertions))]
            confused: Mutex::default(),
        }
    }

    /// How a commit that spans the platform and one tenant is sent (see [`Vault::across`]).
    pub fn spanning(self, clients: impl Fn(TenantId) -> sdk::Client + Send + Sync + 'static) -> Self {
        Self { spanning: Some(Box::new(clients)), ..self }
    }

    /// The commit, sent with credentials that reach the platform's part and this tenant's: for commits that
    /// were [`Commit::joined`] of both.
    pub fn across(&self, tenant: TenantId, mut commit: Commit) -> Commit {
        #[cfg(all(feature = "confusion", debug_assertions))]
        let tenant = self.really(tenant);
        commit.store.sdk = match &self.spanning {
            Some(clients) => clients(tenant),
            None => (self.clients)(Scope::Platform),
        };
        commit
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Opens a scope for a caller. 404 if the tenant has no key: it does not exist (any more).
    pub async fn open(&self, scope: Scope, caller: Caller) -> Result<Store> {
        let cell = self.cell(scope);
        let opened = cell.get_or_try_init(|| self.unlock(scope)).await?.clone();
        #[cfg(all(feature = "confusion", debug_assertions))]
        let (scope, opened) = self.mistaken(scope, opened).await?;
        Ok(Store {
            sdk: opened.sdk,
            table: self.table.clone(),
            scope,
            ring: opened.ring,
            clock: self.clock.clone(),
            caller: Arc::new(caller),
            deadline: Instant::now() + PATIENCE,
        })
    }

    /// One unlocking at a time per scope; a failed one is not kept.
    fn cell(&self, scope: Scope) -> Arc<OnceCell<Opened>> {
        let mut cache = self.cache.lock().expect("never poisoned: nothing panics inside");
        let now = Instant::now();
        let slot = cache.entry(scope).or_insert_with(|| Slot { until: now + KEPT, cell: Arc::default() });
        if slot.until <= now {
            *slot = Slot { until: now + KEPT, cell: Arc::default() };
        }
        slot.cell.clone()
    }

    async fn unlock(&self, scope: Scope) -> Result<Opened> {
        let sdk = (self.clients)(scope);
        let mut wrapped = self.wrapped(&sdk, scope).await?;
        if wrapped.is_empty() && scope == Scope::Platform {
            self.create_key(scope).await?;
            wrapped = self.wrapped(&sdk, scope).await?;
        }
        if wrapped.is_empty() {
            return Err(Error::Missing);
        }
        let name = scope.to_string();
        let mut keys = vec![];
        for (id, bytes) in &wrapped {
            keys.push((*id, self.keys.unwrap(&name, LABEL, bytes).await?));
        }
        Ok(Opened { sdk, ring: Arc::new(Ring::new(keys)?) })
    }

    async fn wrapped(&self, sdk: &sdk::Client, scope: Scope) -> Result<Vec<(u32, Vec<u8>)>> {
        let out = sdk
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :p")
            .expression_attribute_values(":p", s(key_pk(scope)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| refused("keys", &e))?;
        let key =
            |item: &Item| Some((u32::try_from(number(item, "id")?).ok()?, blob(item, "wrapped")?.to_vec()));
        Ok(out.items.unwrap_or_default().iter().filter_map(key).collect())
    }

    /// The scope's first key, wrapped by the key service; a second run keeps the first.
    pub async fn create_key(&self, scope: Scope) -> Result<()> {
        self.add_key(scope, 1).await
    }

    /// A further key: new values are sealed with it, old ones still open. Returns its id.
    pub async fn rotate_key(&self, scope: Scope) -> Result<u32> {
        let sdk = (self.clients)(scope);
        let last = self.wrapped(&sdk, scope).await?.iter().map(|(id, _)| *id).max().ok_or(Error::Missing)?;
        self.add_key(scope, last + 1).await?;
        self.forget(scope);
        Ok(last + 1)
    }

    /// Drops what is cached, so that the next opening reads the keys again.
    pub fn forget(&self, scope: Scope) {
        self.cache.lock().expect("never poisoned: nothing panics inside").remove(&scope);
    }

    async fn add_key(&self, scope: Scope, id: u32) -> Result<()> {
        let wrapped = self.keys.generate(&scope.to_string(), LABEL).await?;
        let item = Item::from([
            (PK.into(), s(key_pk(scope))),
            (SK.into(), s(format!("{id:010}"))),
            ("id".into(), n(id)),
            ("wrapped".into(), b(wrapped)),
        ]);
        let sdk = (self.clients)(scope);
        let put = sdk.put_item().table_name(&*self.table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            Err(e) if e.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(e) => Err(refused("key", &e)),
        }
    }
}

/// The first wall, switched off: what a mistake of ours would do that takes one tenant's keys for another's.
#[cfg(all(feature = "confusion", debug_assertions))]
impl Vault {
    /// From now on whoever opens `from` gets the keys of `to` in the table, and what opens sealed values there, with
    /// the credentials of `from`: only these keep the two apart then.
    pub fn confuse(&self, between: Option<(Scope, Scope)>) {
        *self.confused.lock().expect("never poisoned: nothing panics inside") = between;
    }
    fn confused(&self) -> Option<(Scope, Scope)> {
        *self.confused.lock().expect("never poisoned: nothing panics inside")
    }
    async fn mistaken(&self, scope: Scope, opened: Opened) -> Result<(Scope, Opened)> {
        match self.confused() {
            Some((from, to)) if from == scope => {
                let cell = self.cell(to);
                let other = cell.get_or_try_init(|| self.unlock(to)).await?;
                Ok((to, Opened { sdk: opened.sdk, ring: other.ring.clone() }))
            }
            _ => Ok((scope, opened)),
        }
    }
    /// Whose session it is: credentials are tagged from the claims.
    fn really(&self, tenant: TenantId) -> TenantId {
        match self.confused() {
            Some((Scope::Tenant(from), Scope::Tenant(to))) if to == tenant => from,
            _ => tenant,
        }
    }
}

const LABEL: &str = "default";

fn key_pk(scope: Scope) -> String {
    format!("{scope}#{}", Key::item("key", LABEL, ".").pk)
}
