//! The table's stream → the bus. Only change records come here (the event source filters); those that carry an
//! event are put on the bus, those that carry a due time are announced to the clock. What can never be sent goes to
//! the dead letters with its reason and holds nobody up; what cannot be sent now comes again, with all behind it.

pub mod anchor;
mod bus;
mod change;
mod replay;

pub use bus::{Bus, EventBridge, Refused};

use change::Change;
use events::Envelope;
use futures::{StreamExt, TryStreamExt, stream};
use kernel::{Id, Result, TenantId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Caller, Scope, Store};
use web::{App, Queue, dead::DeadLetter};

/// An invocation: a batch of the stream, or an operator's `{"replay": {…}}`.
pub async fn handle(app: &App, bus: &dyn Bus, event: &Value) -> Result<Value> {
    match event.get("replay") {
        Some(wanted) => replay::replay(app, bus, wanted).await,
        None => Ok(dispatch(app, bus, event).await),
    }
}

/// One batch of the stream. The answer names the first record that could not be sent now: it and everything behind
/// it comes again, so nothing is lost, and consumers remember what they have seen.
pub async fn dispatch(app: &App, bus: &dyn Bus, batch: &Value) -> Value {
    let records = batch["Records"].as_array().into_iter().flatten();
    let changes: Vec<Change> = records.filter_map(Change::read).collect();
    let stuck = work(app, bus, &changes).await.unwrap_or_else(|error| {
        tracing::error!(%error, cause = ?error, "a batch of the stream was not dispatched");
        Some(0)
    });
    let first = stuck.and_then(|at| changes.get(at));
    let failures: Vec<Value> = first.iter().map(|c| json!({"itemIdentifier": c.sequence})).collect();
    json!({"batchItemFailures": failures})
}

/// The place of the first change that has to come again.
async fn work(app: &App, bus: &dyn Bus, changes: &[Change]) -> Result<Option<usize>> {
    announce(app, changes.iter().filter_map(|change| change.image.as_ref())).await?;
    anchor::send(app, changes.iter().filter_map(|change| change.image.as_ref())).await?;
    let (mut places, mut envelopes, mut poison) = (vec![], vec![], BTreeMap::new());
    for (at, change) in changes.iter().enumerate() {
        match change.event() {
            Ok(Some(envelope)) => {
                places.push(at);
                envelopes.push(envelope);
            }
            Ok(None) => {}
            Err(reason) => drop(poison.insert(at, reason)),
        }
    }
    let sent = bus::send(bus, &envelopes).await;
    let stuck = sent.stuck.map(|n| places[n]);
    poison.extend(sent.refused.into_iter().map(|(n, reason)| (places[n], reason)));
    // Poison behind the first that is stuck comes again with it.
    for (at, reason) in poison.into_iter().take_while(|(at, _)| stuck.is_none_or(|stuck| *at < stuck)) {
        if let Err(error) = give_up(app, &changes[at], &reason).await {
            tracing::error!(%error, reason, "a change could not be given up and comes again");
            return Ok(Some(at));
        }
    }
    Ok(stuck)
}

/// Into the dead letters, with the reason; and a note of it for operators.
async fn give_up(app: &App, change: &Change, reason: &str) -> Result<()> {
    tracing::error!(reason, sequence = change.sequence, "a change is given up");
    let body = change.described(reason).to_string();
    app.post().send(Queue::DispatchDead, body.clone()).await?;
    let mut note = DeadLetter::new("dispatch", &body, reason, app.clock().now());
    note.body = None;
    note.keep(app).await
}

/// Tells the clock: the clock skips tenants whose next due time is later, and one that it has not met.
async fn announce(app: &App, images: impl Iterator<Item = &Value>) -> Result<()> {
    let (mut due, mut begun): (BTreeMap<String, &str>, Vec<Scope>) = (BTreeMap::new(), vec![]);
    for image in images {
        let Some((tenant, record)) = image["pk"].as_str().and_then(|pk| pk.split_once("#chg#")) else {
            continue;
        };
        if let Some(at) = image["due"].as_str() {
            let known = due.entry(tenant.into()).or_insert(at);
            *known = at.min(known);
        }
        if tenant == Scope::Platform.to_string()
            && let Some((TenantId::KIND, id)) = record.split_once('#')
        {
            begun.extend(id.parse().ok().map(Scope::Tenant));
        }
    }
    let known = |(tenant, at): (&String, &&str)| Some((Scope::from_claim(tenant)?, at.to_string()));
    let mut due: Vec<(Scope, String)> = due.iter().filter_map(known).collect();
    // The platform's own rows are looked at with every beat.
    due.retain(|(scope, _)| *scope != Scope::Platform);
    if due.is_empty() && begun.is_empty() {
        return Ok(());
    }
    let platform = open(app, Scope::Platform).await?;
    let announced = due.into_iter().map(|(scope, at)| {
        let platform = platform.clone();
        async move { platform.lower_next_due(scope, &at).await }
    });
    stream::iter(announced).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    for tenant in begun {
        platform.begin_nights(tenant).await?;
    }
    Ok(())
}

/// Writes under way at the same time.
const AT_ONCE: usize = 8;

async fn open(app: &App, scope: Scope) -> Result<Store> {
    app.vault().open(scope, Caller { by: "system:dispatch".into(), ..Caller::default() }).await
}
