//! What a request costs at the table, counted around the SDK's client: waves of round trips, items, and read and
//! write units by AWS's rounding rules. Every request of every story is held to the budget of its route.

pub mod budget;
pub mod harvest;
mod layer;
mod ledger;
pub mod parts;
pub mod size;
pub mod units;

pub(crate) use layer::Meter;
pub(crate) use ledger::Ledger;

use parts::Spent;
use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use units::Units;

tokio::task_local! { static TALLY: Arc<Mutex<Tally>>; }

/// What one request or message has cost.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls under way together count once.
    pub trips: u64,
    pub calls: u64,
    /// Items asked for, found or written.
    pub items: u64,
    /// Of the items read and written, entries of indexes not among them.
    pub bytes: u64,
    pub units: Units,
    /// The write units among them by what they went into.
    pub spent: Spent,
    /// Requests to queues, in chunks of 64 KB as SQS counts them.
    pub messages: u64,
    /// Entries of the access log among them, each of which somebody keeps.
    pub looks: u64,
    /// Calls for what an environment reads once and keeps: keys, gates, policies. In no other figure.
    pub standing: u64,
    /// Something was refused, lost or tried again on the way: not what the operation costs.
    pub disturbed: bool,
    /// Time in which a call was under way.
    pub busy: Duration,
    under_way: u64,
    attempts: u64,
    since: Option<Instant>,
    /// Only times: nothing is looked up beside the calls.
    timing: bool,
}

impl Tally {
    fn begins(&mut self) {
        self.calls += 1;
        if self.under_way == 0 {
            self.trips += 1;
            self.since = Some(Instant::now());
        }
        self.under_way += 1;
    }
    fn ends(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        if self.under_way == 0 {
            self.busy += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        }
    }
}

/// Does the work and counts it. What it spawns as tasks of their own is not counted.
pub async fn of<T>(work: impl Future<Output = T>) -> (T, Tally) {
    under(Tally::default(), work).await
}

/// Does the work and times it: how long it took without its calls to the table, and how long these were under way.
pub async fn timed<T>(work: impl Future<Output = T>) -> (T, (Duration, Duration)) {
    let begun = Instant::now();
    let (done, tally) = under(Tally { timing: true, ..Tally::default() }, work).await;
    (done, (begun.elapsed().saturating_sub(tally.busy), tally.busy))
}

async fn under<T>(tally: Tally, work: impl Future<Output = T>) -> (T, Tally) {
    let tally = Arc::new(Mutex::new(tally));
    let done = TALLY.scope(tally.clone(), work).await;
    let mut tally = tally.lock().expect("never poisoned").clone();
    tally.disturbed |= tally.attempts != tally.calls || tally.under_way > 0;
    (done, tally)
}

fn now() -> Option<Arc<Mutex<Tally>>> {
    TALLY.try_with(Clone::clone).ok()
}

/// SQS bills a request for each 64 KB of it.
const CHUNK: usize = 64 * 1024;

/// A message goes to a queue. That a session is alive is told once a minute, whatever is asked.
pub(crate) fn sent(body: &str) {
    if let Some(tally) = now()
        && !body.contains(r#""type":"session.seen""#)
    {
        let mut tally = tally.lock().expect("never poisoned");
        tally.messages += body.len().div_ceil(CHUNK).max(1) as u64;
        tally.looks += u64::from(body.contains(r#""type":"access.looked""#));
    }
}
