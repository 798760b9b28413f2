//! Everything the decision stands on, in one batch of reads with the tenant's own credentials.

use crate::{Event, refusal::refuse};
use identity::{
    attempt::{Attempt, Outcome},
    lock::Lock,
    operator::Standing,
    session::{Alive, Client, enrolling},
    user::{Mfa, Status, User},
};
use jiff::Timestamp;
use kernel::{Error, OperatorId, Result, UserId};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use store::{Caller, Key, Record, Scope, Store, facts};
use web::{
    App,
    gate::{AccessGate, TenantGate},
};

/// Who asks, and where their records lie.
pub struct Asked {
    pub store: Store,
    pub user: String,
    pub sub: String,
    pub client_id: String,
    pub refreshes: bool,
}

impl Asked {
    /// The tenant and the user are immutable attributes of the login; nothing else names them.
    pub async fn of(app: &App, event: &Event) -> Result<Self> {
        let stranger = || Error::forbidden("no-user", "this login belongs to nobody here");
        let attribute = |name| event.request.attribute(name).ok_or_else(stranger);
        let scope = Scope::from_claim(attribute("custom:tenant")?).ok_or_else(stranger)?;
        let (user, sub) = (attribute("custom:user")?.to_string(), attribute("sub")?.to_string());
        let known = user.parse::<UserId>().is_ok()
            || (scope == Scope::Platform && user.parse::<OperatorId>().is_ok());
        if !known {
            return Err(stranger());
        }
        let caller = Caller {
            by: user.clone(),
            request: format!("token-{}", kernel::Ulid::new()),
            ..Caller::default()
        };
        let store = app.vault().open(scope, caller).await.map_err(|_| stranger())?;
        let client_id = event.caller_context.client_id.clone();
        Ok(Self { store, user, sub, client_id, refreshes: event.refreshes() })
    }

    pub fn attempt(&self, outcome: Outcome, reason: Option<String>) -> Attempt {
        Attempt {
            user: self.user.clone(),
            outcome,
            reason,
            method: if self.refreshes { "refresh" } else { "password" }.into(),
            client_id: self.client_id.clone(),
            ip: None,
            at: self.store.now(),
        }
    }
}

/// A person as the token needs them: a user of an organisation, or an operator.
pub struct Person {
    pub roles: Vec<String>,
    pub sites: Vec<String>,
    pub modules: Vec<String>,
    pub generation: u64,
    pub mfa: Mfa,
    pub sub: Option<String>,
    /// May have tokens, as far as their own state goes.
    pub active: bool,
    /// The record, where a sign-in may change it.
    pub record: Option<Record<User>>,
}

/// What was read.
pub struct Found {
    pub tenant: Option<TenantGate>,
    pub access: AccessGate,
    pub person: Person,
    pub alive: Option<Alive>,
    pub lock: Lock,
    pub enrolling: bool,
}

/// An app client that belongs to one organisation, or is a machine's. The product's own clients have no entry.
#[derive(Clone, Debug, Deserialize)]
pub struct Registered {
    #[serde(default)]
    pub tenant: Option<String>,
    pub kind: Client,
    /// `pky_…`, of a machine.
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub generation: u64,
    #[serde(default)]
    pub sites: Vec<String>,
    #[serde(default)]
    pub modules: Vec<String>,
    /// Permissions.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The gateway's key that has to come with the token.
    #[serde(default)]
    pub gateway_key: String,
}

/// From the platform's look-up items.
pub async fn registered(app: &App, client_id: &str) -> Result<Option<Registered>> {
    let caller = Caller { by: "system:token".into(), request: "look-up".into(), ..Caller::default() };
    let platform = app.vault().open(Scope::Platform, caller).await?;
    platform.read(&Key::item("client", client_id, ".")).await
}

pub async fn find(asked: &Asked) -> Result<Found> {
    let Asked { store, user, client_id, .. } = asked;
    let operator = user.parse::<OperatorId>().ok();
    let record = match (user.parse::<UserId>(), operator) {
        (Ok(id), _) => Key::record(id),
        (_, Some(id)) => Key::record(id),
        _ => return Err(Error::Missing),
    };
    let keys = [
        record,
        Key::fact(facts::TENANT, "self"),
        Key::fact(facts::ACCESS, "self"),
        Alive::key(user, client_id),
        Lock::key(user),
        enrolling(user),
        Standing::key(user),
    ];
    let mut found = store.read_many(&keys).await?.into_iter();
    let mut next = || found.next().flatten();
    let record = next();
    let (tenant, access) = (read(next())?, read(next())?);
    let (alive, lock) = (read(next())?, read(next())?);
    let (begun, standing) = (read::<Begun>(next())?, read(next())?);
    // The table drops what has run out late.
    let enrolling = begun.is_some_and(|b| store.now() < b.until);
    let person = match (record, operator) {
        (None, _) => None,
        (Some(value), Some(_)) => operates(value, standing)?,
        (Some(value), None) => Some(works(value)?),
    };
    let person = match person {
        Some(person) => person,
        None => return Err(refuse(asked, "no-user").await),
    };
    let (access, lock) = (access.unwrap_or_default(), lock.unwrap_or_default());
    Ok(Found { tenant, access, person, alive, lock, enrolling })
}

/// Since when a second factor may be set up.
#[derive(Deserialize)]
struct Begun {
    until: Timestamp,
}

fn read<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>> {
    value.map(serde_json::from_value).transpose().map_err(Error::internal)
}

/// What of a stored record is not the noun's own.
#[derive(Deserialize)]
struct Meta {
    id: UserId,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(default)]
    deleted_at: Option<Timestamp>,
    head: String,
}

fn works(value: Value) -> Result<Person> {
    let Meta { id, version, created_at, updated_at, deleted_at, head } =
        serde_json::from_value(value.clone()).map_err(Error::internal)?;
    let body: User = serde_json::from_value(value).map_err(Error::internal)?;
    let active = deleted_at.is_none() && matches!(body.status, Status::Invited | Status::Active);
    let record = Record { id, version, created_at, updated_at, deleted_at, head, body };
    let body = &record.body;
    Ok(Person {
        roles: body.roles.clone(),
        sites: body.sites.clone(),
        modules: body.modules.clone(),
        generation: body.generation,
        mfa: body.mfa.clone(),
        sub: body.sub.clone(),
        active,
        record: Some(record),
    })
}

/// An operator's record is the tenants module's; without a login of ours there is no token.
fn operates(value: Value, standing: Option<Standing>) -> Result<Option<Person>> {
    #[derive(Deserialize)]
    struct Operator {
        roles: Vec<String>,
        status: String,
        #[serde(default)]
        generation: u64,
        #[serde(default)]
        deleted_at: Option<Timestamp>,
    }
    let Operator { roles, status, generation, deleted_at } =
        serde_json::from_value(value).map_err(Error::internal)?;
    let all = || vec!["*".to_string()];
    Ok(standing.map(|Standing { sub, mfa }| Person {
        roles,
        sites: all(),
        modules: all(),
        generation,
        mfa,
        sub: Some(sub),
        active: status == "active" && deleted_at.is_none(),
        record: None,
    }))
}
