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

/// Which of a scope's keys seals. What lies under another label than the first opens only where the one who
/// opens the store knows that the caller may see it (in `web`: `Ctx::under`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    Default,
    /// Who comes to an employee-assistance counsellor, and why.
    EapClinical,
}

impl Label {
    /// As keys and the key service name it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::EapClinical => "eap_clinical",
        }
    }
}

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
    cache: Mutex<HashMap<(Scope, Label), Slot>>,
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
        let opened = self.opened(scope, Label::Default).await?;
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

    /// The same part of the table with the keys of another label: what was sealed under one does not open, and is
    /// not found by its blind indexes, under another. A label's first key is made when it is first needed.
    pub async fn under(&self, store: &Store, label: Label) -> Result<Store> {
        let opened = self.opened(store.scope, label).await?;
        Ok(Store { ring: opened.ring, ..store.clone() })
    }

    async fn opened(&self, scope: Scope, label: Label) -> Result<Opened> {
        let cell = self.cell(scope, label);
        Ok(cell.get_or_try_init(|| self.unlock(scope, label)).await?.clone())
    }

    /// One unlocking at a time per scope; a failed one is not kept.
    fn cell(&self, scope: Scope, label: Label) -> Arc<OnceCell<Opened>> {
        let mut cache = self.cache.lock().expect("never poisoned: nothing panics inside");
        let now = Instant::now();
        let slot =
            cache.entry((scope, label)).or_insert_with(|| Slot { until: now + KEPT, cell: Arc::default() });
        if slot.until <= now {
            *slot = Slot { until: now + KEPT, cell: Arc::default() };
        }
        slot.cell.clone()
    }

    async fn unlock(&self, scope: Scope, label: Label) -> Result<Opened> {
        let sdk = (self.clients)(scope);
        let mut wrapped = self.wrapped(&sdk, scope, label).await?;
        // A tenant without its first key does not exist; with it, a further label gets its key here.
        let founding = match label {
            Label::Default => scope == Scope::Platform,
            _ => !self.wrapped(&sdk, scope, Label::Default).await?.is_empty(),
        };
        if wrapped.is_empty() && founding {
            self.add_key(scope, label, 1).await?;
            wrapped = self.wrapped(&sdk, scope, label).await?;
        }
        if wrapped.is_empty() {
            return Err(Error::Missing);
        }
        let name = scope.to_string();
        let mut keys = vec![];
        for (id, bytes) in &wrapped {
            keys.push((*id, self.keys.unwrap(&name, label.as_str(), bytes).await?));
        }
        Ok(Opened { sdk, ring: Arc::new(Ring::new(keys)?) })
    }

    async fn wrapped(&self, sdk: &sdk::Client, scope: Scope, label: Label) -> Result<Vec<(u32, Vec<u8>)>> {
        let out = sdk
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :p")
            .expression_attribute_values(":p", s(key_pk(scope, label)))
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
        self.add_key(scope, Label::Default, 1).await
    }

    /// A further key: new values are sealed with it, old ones still open. Returns its id.
    pub async fn rotate_key(&self, scope: Scope) -> Result<u32> {
        let sdk = (self.clients)(scope);
        let last = self
            .wrapped(&sdk, scope, Label::Default)
            .await?
            .iter()
            .map(|(id, _)| *id)
            .max()
            .ok_or(Error::Missing)?;
        self.add_key(scope, Label::Default, last + 1).await?;
        self.forget(scope);
        Ok(last + 1)
    }

    /// Drops what is cached, so that the next opening reads the keys again.
    pub fn forget(&self, scope: Scope) {
        self.cache.lock().expect("never poisoned: nothing panics inside").retain(|(s, _), _| *s != scope);
    }

    /// The same of every scope.
    pub fn forget_all(&self) {
        self.cache.lock().expect("never poisoned: nothing panics inside").clear();
    }

    async fn add_key(&self, scope: Scope, label: Label, id: u32) -> Result<()> {
        let wrapped = self.keys.generate(&scope.to_string(), label.as_str()).await?;
        let item = Item::from([
            (PK.into(), s(key_pk(scope, label))),
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
                let other = self.opened(to, Label::Default).await?;
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

fn key_pk(scope: Scope, label: Label) -> String {
    format!("{scope}#{}", Key::item("key", label.as_str(), ".").pk)
}
