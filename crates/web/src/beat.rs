//! Beats: what a module does each hour, and each night and week of a tenant's own place.
//!
//! The clock tells every module of each local day once it is over, at 02:30 of the tenant's zone, and of each week
//! (Monday to Sunday) together with its Sunday. A beat comes at least once: days missed by an outage are told
//! one by one, in any order, and a message may come twice. So what a handler does, it does under
//! `ctx.once_for(commit, "<what>", &beat.id())` or in another way that is the same the second time.

use crate::{App, Ctx, Task};
use jiff::{Timestamp, civil::Date};
use kernel::{Error, Result, error::found};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Scope;

/// `{"type": "beat.night", "tenant": "…", "day": "2026-11-29", "at": "…"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    #[serde(rename = "type")]
    pub name: String,
    /// The tenant's key prefix.
    pub tenant: String,
    /// The local day that is over; of a week its last. At 02:30 its UTC day is over too, as far east as UTC+2.
    pub day: Date,
    /// When the clock told of it: later than that night after an outage.
    pub at: Timestamp,
}

impl Beat {
    pub const HOUR: &str = "beat.hour";
    pub const NIGHT: &str = "beat.night";
    pub const WEEK: &str = "beat.week";

    /// What a consumer remembers to do a thing once.
    pub fn id(&self) -> String {
        format!("{}#{}", self.name, self.day)
    }

    pub fn read(message: &Value) -> Result<Self> {
        serde_json::from_value(message.clone())
            .map_err(|e| Error::internal(format!("a beat that cannot be read: {e}")))
    }
}

impl Task {
    /// Once for each local day of each tenant, in the night after it. `what` names who acts in change records.
    pub fn nightly<F>(
        what: &'static str,
        run: impl Fn(Ctx, Beat) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::local(Beat::NIGHT, what, run)
    }

    /// Once for each week of each tenant, in the night after its Sunday.
    pub fn weekly<F>(what: &'static str, run: impl Fn(Ctx, Beat) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::local(Beat::WEEK, what, run)
    }

    /// Every hour, for the whole platform: what concerns no tenant, or all of them at once.
    pub fn hourly<F>(run: impl Fn(App, Timestamp) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::on(Beat::HOUR, move |app, message| {
            let (run, at) = (run.clone(), message["at"].as_str().and_then(|at| at.parse().ok()));
            async move { run(app, at.ok_or_else(|| Error::internal("an hour without its time"))?).await }
        })
    }

    fn local<F>(
        name: &'static str,
        what: &'static str,
        run: impl Fn(Ctx, Beat) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::on(name, move |app, message| {
            let run = run.clone();
            async move {
                let beat = Beat::read(&message)?;
                let scope =
                    Scope::from_claim(&beat.tenant).ok_or_else(|| Error::internal("a beat of no tenant"))?;
                // None where the tenant was erased after the clock had told of it.
                match found(Ctx::system(&app, scope, what, &beat.id()).await)? {
                    Some(ctx) => run(ctx, beat).await,
                    None => Ok(()),
                }
            }
        })
    }
}
