//! The beat: schedules → due rows → the owning module's queue. Only tenants whose next due time has come are
//! read, and those whose night it is; a row stays where it is until its module's commit moves it, so a missed beat
//! is caught up by the next and a doubled one sends a message that finds nothing to do.

mod night;
mod owner;
#[cfg(test)]
mod races;

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Mutex,
};
use store::{Caller, DueRow, DueTenant, Scope, Store};
use web::{App, Beat, Queue};

/// Tenants worked on at the same time.
const AT_ONCE: usize = 8;
/// A row that was rung and still stands is rung again after this: a queue that is behind is not filled with the
/// same again and again.
const AGAIN: SignedDuration = SignedDuration::from_mins(3);
/// No tenant is begun later in a beat: the function has 55 seconds, and the next beat goes on.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(40);

/// Who hears of the longer beats.
const TOLD: [Queue; 10] = [
    Queue::Tenants,
    Queue::Identity,
    Queue::Patients,
    Queue::Scheduling,
    Queue::Audit,
    Queue::Documents,
    Queue::Notifications,
    Queue::Integrations,
    Queue::Workflow,
    Queue::Eap,
];

/// One beat by a clock without a memory: what is due is sent, whatever was sent before.
pub async fn beat(app: &App, event: &Value) -> Result<Value> {
    Clock::default().beat(app, event).await
}

/// What one environment remembers between beats, to send less. Nothing is lost with it.
#[derive(Default)]
pub struct Clock {
    rung: Mutex<HashMap<(Scope, DueRow), Timestamp>>,
    /// Tenants that are known to have nights.
    met: Mutex<HashSet<Scope>>,
}

impl Clock {
    /// `{"beat": "minute"}` sends what is due and tells of nights; `{"beat": "hour"}` is told to every module.
    pub async fn beat(&self, app: &App, event: &Value) -> Result<Value> {
        match event["beat"].as_str() {
            Some("minute") => self.minute(app).await,
            Some("hour") => hour(app).await,
            _ => Err(Error::internal("a beat is minute or hour")),
        }
    }

    async fn minute(&self, app: &App) -> Result<Value> {
        let (begun, now) = (std::time::Instant::now(), app.clock().now());
        self.rung.lock().expect("never poisoned").retain(|_, at| now.duration_since(*at) < AGAIN);
        let platform = open(app, Scope::Platform).await?;
        let (own, tenants, nights) = futures::join!(
            self.ring(app, &platform, now),
            self.tenants(app, &platform, now, begun),
            nights(app, &platform, now, begun),
        );
        // One that fails does not keep the others from their beat; it comes again with the next.
        for error in [own.as_ref().err(), tenants.as_ref().err(), nights.as_ref().err()].into_iter().flatten()
        {
            tracing::error!(%error, cause = ?error, "a part of the beat failed");
        }
        let (own, (tenants, sent), nights) = (own?, tenants?, nights?);
        Ok(json!({"beat": "minute", "tenants": tenants, "sent": own.sent + sent, "nights": nights}))
    }

    /// How many tenants had something due, and what was sent for them.
    async fn tenants(
        &self,
        app: &App,
        platform: &Store,
        now: Timestamp,
        begun: std::time::Instant,
    ) -> Result<(usize, usize)> {
        let (mut count, mut sent, mut after) = (0, 0, None);
        loop {
            let page = platform.tenants_due(now, after.as_deref()).await?;
            count += page.data.len();
            let inside = page.data.into_iter().take_while(|_| begun.elapsed() < BUDGET);
            let work = inside.map(|tenant| self.tenant(app, platform, tenant, now));
            let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
            while let Some(done) = work.next().await {
                // The others' beats go on; this one's next due time stands, so the next beat tries again.
                sent += done.unwrap_or_else(|error| {
                    tracing::error!(%error, "a tenant's beat failed");
                    0
                });
            }
            after = page.next.filter(|_| begun.elapsed() < BUDGET);
            if after.is_none() {
                return Ok((count, sent));
            }
        }
    }

    async fn tenant(&self, app: &App, platform: &Store, tenant: DueTenant, now: Timestamp) -> Result<usize> {
        let store = match open(app, tenant.scope).await {
            // Erased: nobody is left to be reminded.
            Err(Error::Missing) => return platform.raise_next_due(&tenant, None).await.map(|()| 0),
            opened => opened?,
        };
        if self.met.lock().expect("never poisoned").insert(tenant.scope) {
            platform.begin_nights(tenant.scope).await?;
        }
        let due = self.ring(app, &store, now).await?;
        if !raises(due.standing, &tenant, now) {
            return Ok(due.sent);
        }
        let next = store.first_due().await?;
        platform.raise_next_due(&tenant, next.as_deref()).await?;
        Ok(due.sent)
    }

    /// Sends what is due in one scope and was not sent a moment ago.
    async fn ring(&self, app: &App, store: &Store, now: Timestamp) -> Result<Due> {
        let (mut due, mut after) = (Due::default(), None);
        loop {
            let page = store.due(now, after.as_deref()).await?;
            due.standing += page.data.len();
            for (queue, rows) in self.fresh(store.scope(), page.data) {
                let bodies = rows.iter().map(|row| message(store.scope(), row)).collect();
                app.post().send_all(queue, bodies).await?;
                due.sent += rows.len();
                let rung = rows.into_iter().map(|row| ((store.scope(), row), now));
                self.rung.lock().expect("never poisoned").extend(rung);
            }
            after = page.next;
            if after.is_none() {
                return Ok(due);
            }
        }
    }

    fn fresh(&self, scope: Scope, rows: Vec<DueRow>) -> BTreeMap<Queue, Vec<DueRow>> {
        let rung = self.rung.lock().expect("never poisoned");
        let mut fresh: BTreeMap<Queue, Vec<DueRow>> = BTreeMap::new();
        for row in rows {
            let key = (scope, row);
            match owner::queue(&key.1.kind) {
                _ if rung.contains_key(&key) => {}
                Some(queue) => fresh.entry(queue).or_default().push(key.1),
                None => tracing::error!(kind = key.1.kind, "a due row of a kind that no module owns"),
            }
        }
        fresh
    }
}

/// Whether the tenant's next due time may be raised: rows that stand are looked at again, and what was announced
/// just now may not be seen yet.
fn raises(standing: usize, tenant: &DueTenant, now: Timestamp) -> bool {
    standing == 0 && tenant.settled(now)
}

#[derive(Default)]
struct Due {
    standing: usize,
    sent: usize,
}

fn message(scope: Scope, row: &DueRow) -> String {
    let DueRow { at, kind, id, what } = row;
    json!({"type": format!("due.{kind}.{what}"), "tenant": scope.to_string(), "id": id, "at": at}).to_string()
}

async fn hour(app: &App) -> Result<Value> {
    let message = json!({"type": Beat::HOUR, "at": app.clock().now()}).to_string();
    for queue in TOLD {
        app.post().send(queue, message.clone()).await?;
    }
    Ok(json!({"beat": "hour"}))
}

/// Tells of the nights that have come; how many messages that took.
async fn nights(app: &App, platform: &Store, now: Timestamp, begun: std::time::Instant) -> Result<usize> {
    let (mut sent, mut after) = (0, None);
    loop {
        let page = platform.nights(now, after.as_deref()).await?;
        let inside = page.data.into_iter().take_while(|_| begun.elapsed() < BUDGET);
        let work = inside.map(|night| night::night(app, platform, night, now));
        let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(done) = work.next().await {
            sent += done.unwrap_or_else(|error| {
                tracing::error!(%error, "a tenant's night failed");
                0
            });
        }
        after = page.next.filter(|_| begun.elapsed() < BUDGET);
        if after.is_none() {
            return Ok(sent);
        }
    }
}

async fn open(app: &App, scope: Scope) -> Result<Store> {
    app.vault().open(scope, Caller { by: "system:clock".into(), ..Caller::default() }).await
}
