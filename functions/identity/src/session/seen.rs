//! Signs of life: functions say at most once a minute that a session is used.

use super::{Alive, Session};
use jiff::Timestamp;
use kernel::{Error, Result, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Entity, Key, Record, Scope, Store, Wanted, When};
use web::{App, Ctx, Task};

/// `session.seen`
#[derive(Deserialize)]
struct Seen {
    tenant: String,
    /// `origin_jti`
    session: String,
    user: String,
    at: Timestamp,
    #[serde(default)]
    ip: String,
    #[serde(default)]
    agent: String,
}

/// Which record a session's tokens belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    pub session: SessionId,
    pub user: String,
    pub client_id: String,
    /// Unix seconds.
    pub seen: i64,
}

impl Known {
    pub fn key(origin: &str) -> Key {
        Key::item("session", origin, ".")
    }
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("session.seen", |app, value| async move { seen(app, value).await })]
}

async fn seen(app: App, value: Value) -> Result<()> {
    let seen: Seen = serde_json::from_value(value).map_err(Error::internal)?;
    let scope = Scope::from_claim(&seen.tenant).ok_or_else(|| Error::internal("a session of no tenant"))?;
    let ctx = Ctx::system(&app, scope, "identity", &seen.session).await?;
    let store = ctx.store();
    let known: Option<Known> = store.read(&Known::key(&seen.session)).await?;
    let known = match known {
        Some(known) if known.user == seen.user => known,
        Some(_) => return Ok(()),
        None => match recognise(store, &seen).await? {
            Some(known) => known,
            None => return Ok(()),
        },
    };
    for key in [Known::key(&seen.session), Alive::key(&known.user, &known.client_id)] {
        mark(store, &key, seen.at).await?;
    }
    Ok(())
}

/// Later only: messages overtake each other.
async fn mark(store: &Store, key: &Key, at: Timestamp) -> Result<()> {
    let seconds = at.as_second();
    let older = |_| Error::conflict("older", "seen later already");
    let commit = store.commit().set_if(key, &[("seen", json!(seconds))], When::Below("seen", seconds), older);
    match commit.run().await {
        Err(Error::Refused(r)) if r.code == "older" => Ok(()),
        other => other,
    }
}

/// The user's newest session that has not been recognised yet gets this name.
async fn recognise(store: &Store, seen: &Seen) -> Result<Option<Known>> {
    let wanted = Wanted::by(&[&seen.user], 10);
    let page = store.list::<Session>(&Session::LISTS[1], &wanted).await?;
    let fresh = |r: &Record<Session>| r.body.origin.is_none() && r.body.ended_at.is_none();
    let Some(old) = page.data.into_iter().find(fresh) else { return Ok(None) };
    let mut new = old.next(store.now());
    new.body.origin = Some(seen.session.clone());
    let given = |text: &String| (!text.is_empty()).then(|| text.clone().into());
    (new.body.ip, new.body.agent) = (given(&seen.ip), given(&seen.agent));
    let (user, client_id) = (new.body.user.clone(), new.body.client_id.clone());
    let known = Known { session: new.id, user, client_id, seen: new.body.started_at.as_second() };
    store.commit().update("recognise", &old, &new).put(&Known::key(&seen.session), &known).run().await?;
    Ok(Some(known))
}
