//! Events of a time range, sent again: after a fault of a consumer, or of the stream. Asked for by an operator:
//!
//! ```json
//! {"replay": {"from": "2026-11-29T08:00:00Z", "to": "2026-11-29T09:00:00Z", "tenant": "01JD…",
//!             "types": ["patient.merged"], "to_queue": "scheduling"}}
//! ```
//!
//! Without `tenant` it is everybody's, without `types` every event, without `to_queue` it goes to the bus and so to
//! all that listen. One call sends a part; its answer's `next` is the `cursor` of the following call. Consumers
//! remember for 14 days what they have done, so what was handled is not done again; a range that begins earlier has
//! to say `"forgotten": true`.

use crate::{Bus, announce, bus, open};
use events::Envelope;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    ops::Bound,
    time::{Duration, Instant},
};
use store::{Scope, schema::DAY_SHARDS};
use web::{App, Queue, REMEMBERED};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    from: Timestamp,
    /// Exclusive.
    to: Timestamp,
    tenant: Option<String>,
    #[serde(default)]
    types: Vec<String>,
    to_queue: Option<Queue>,
    cursor: Option<Place>,
    #[serde(default)]
    forgotten: bool,
    /// Events of one call.
    #[serde(default = "most")]
    most: usize,
}

fn most() -> usize {
    2000
}

/// How far a replay has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    tenant: String,
    day: Date,
    shard: u32,
    after: Option<String>,
}

/// One call ends well before the function does.
const BUDGET: Duration = Duration::from_secs(40);
/// Seen items end when they are 14 days old: a little earlier, since a replay takes its time.
const MARGIN: SignedDuration = SignedDuration::from_hours(12);

pub(crate) async fn replay(app: &App, bus: &dyn Bus, wanted: &Value) -> Result<Value> {
    let wanted: Replay = serde_json::from_value(wanted.clone())
        .map_err(|e| Error::internal(format!("a replay that cannot be read: {e}")))?;
    wanted.check(app.clock().now())?;
    let begun = Instant::now();
    let (mut sent, mut read) = (0, 0);
    let tenants = wanted.tenants(app).await?;
    let mut place = wanted.cursor.clone().or_else(|| Some(wanted.at_first(tenants.first()?.clone())));
    while let Some(here) = place.clone() {
        if sent >= wanted.most || begun.elapsed() > BUDGET {
            break;
        }
        let page = wanted.page(app, &here).await?;
        read += page.data.len();
        match wanted.send(app, bus, &page.data).await {
            Ok(count) => sent += count,
            Err(error) => {
                let reason = format!("{error:?}");
                return Ok(json!({"sent": sent, "read": read, "stopped": reason, "next": here}));
            }
        }
        place = match page.next {
            Some(after) => Some(Place { after: Some(after), ..here }),
            None => wanted.following(&here, &tenants)?,
        };
    }
    Ok(json!({"sent": sent, "read": read, "next": place}))
}

impl Replay {
    fn check(&self, now: Timestamp) -> Result<()> {
        if self.from >= self.to {
            return Err(Error::internal("a replay ends after it begins"));
        }
        if !self.forgotten && now.duration_since(self.from) > REMEMBERED - MARGIN {
            let said = "consumers remember 14 days: what is older is done again; say \"forgotten\": true if that is wanted";
            return Err(Error::internal(said));
        }
        Ok(())
    }

    fn days(&self) -> (Date, Date) {
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        (day(self.from), day(self.to))
    }

    /// The tenant that was named; else all that have nights, and the platform.
    async fn tenants(&self, app: &App) -> Result<BTreeSet<String>> {
        if let Some(tenant) = &self.tenant {
            return Ok(BTreeSet::from([tenant.clone()]));
        }
        let platform = open(app, Scope::Platform).await?;
        let (mut all, mut after) = (BTreeSet::from([Scope::Platform.to_string()]), None);
        loop {
            let page = platform.nights(Timestamp::MAX, after.as_deref()).await?;
            all.extend(page.data.iter().map(|night| night.scope.to_string()));
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    fn at_first(&self, tenant: String) -> Place {
        Place { tenant, day: self.days().0, shard: 0, after: None }
    }

    /// The next shard, day or tenant; none when all is done.
    fn following(&self, here: &Place, tenants: &BTreeSet<String>) -> Result<Option<Place>> {
        let next = Place { shard: here.shard + 1, after: None, ..here.clone() };
        if next.shard < DAY_SHARDS {
            return Ok(Some(next));
        }
        if here.day < self.days().1 {
            let day = here.day.tomorrow().map_err(Error::internal)?;
            return Ok(Some(Place { day, shard: 0, ..next }));
        }
        let behind = (Bound::Excluded(here.tenant.as_str()), Bound::Unbounded);
        Ok(tenants.range::<str, _>(behind).next().map(|tenant| self.at_first(tenant.clone())))
    }

    async fn page(&self, app: &App, here: &Place) -> Result<store::Page<Value>> {
        let scope = Scope::from_claim(&here.tenant)
            .ok_or_else(|| Error::internal(format!("no tenant {}", here.tenant)))?;
        match open(app, scope).await {
            Ok(store) => {
                store
                    .changes_to_replay(here.day, here.shard, &(self.from..self.to), here.after.as_deref())
                    .await
            }
            // Erased: its events say nothing to anybody any more.
            Err(Error::Missing) => Ok(store::Page { data: vec![], next: None }),
            Err(error) => Err(error),
        }
    }

    /// How many were sent.
    async fn send(&self, app: &App, bus: &dyn Bus, changes: &[Value]) -> Result<usize> {
        let event = |change: &Value| Envelope::from_change(change["pk"].as_str()?, change);
        let chosen = |e: &Envelope| self.types.is_empty() || self.types.contains(&e.kind);
        let envelopes: Vec<Envelope> = changes.iter().filter_map(event).filter(chosen).collect();
        if let Some(queue) = self.to_queue {
            let bodies = envelopes.iter().map(|e| serde_json::to_string(e).map_err(Error::internal));
            app.post().send_all(queue, bodies.collect::<Result<_>>()?).await?;
            return Ok(envelopes.len());
        }
        // The stream may have lost due times too.
        announce(app, changes.iter()).await?;
        let sent = bus::send(bus, &envelopes).await;
        for (at, reason) in &sent.refused {
            tracing::error!(event = envelopes[*at].id, reason, "never accepted by the bus");
        }
        match sent.stuck {
            None => Ok(envelopes.len() - sent.refused.len()),
            Some(at) => Err(Error::internal(format!("the bus did not take {}", envelopes[at].id))),
        }
    }
}
