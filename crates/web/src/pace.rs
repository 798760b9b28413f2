//! Fairness: how fast one person and one organisation may ask, counted in this environment's memory. Partners
//! are counted by the gateway's usage plans, strangers by its firewall.

use crate::gate::Gate;
use axum::http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use kernel::{Error, Result};
use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use store::Scope;

/// Requests of one person in an hour (tenants' specification, section 7), a burst included.
pub const PERSON: Rate = Rate { most: 6_000.0, per_second: 6_000.0 / 3_600.0 };
/// Requests of a plan in a second where the gate names none; the largest plan's.
const PLAN: i64 = 100;
/// An organisation's share of one environment: this many times what its plan gives a partner.
const TIMES: f64 = 4.0;
/// Seconds of an organisation's rate that may come at once.
const BURST: f64 = 10.0;
/// Buckets remembered; beyond it those that are full again are forgotten.
const REMEMBERED: usize = 10_000;

/// A bucket's size, and how fast it fills again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub most: f64,
    pub per_second: f64,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

/// What is left of the tighter of two buckets; told in every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub limit: u64,
    pub remaining: u64,
    /// Seconds until the bucket is full again.
    pub reset: u64,
}

/// On from the start; tests that ask quickly switch it off.
#[derive(Default)]
pub struct Pace {
    off: AtomicBool,
    buckets: Mutex<HashMap<(Scope, String), Bucket>>,
}

impl Pace {
    pub fn off(&self, off: bool) {
        self.off.store(off, Relaxed);
    }

    /// 429 when the person's or the organisation's bucket is empty; nothing is taken of either then.
    pub(crate) fn take(
        &self,
        scope: Scope,
        user: &str,
        gate: &Gate,
        now: Timestamp,
    ) -> Result<Option<Left>, (Error, Left)> {
        if self.off.load(Relaxed) || user.starts_with("pky_") {
            return Ok(None);
        }
        let plan = gate.tenant.as_ref().map_or(PLAN, |t| t.policy("rate.rps", PLAN)).max(1) as f64 * TIMES;
        let whole = Rate { most: plan * BURST, per_second: plan };
        let asked = [((scope, user.to_string()), PERSON), ((scope, String::new()), whole)];
        let mut all = self.buckets.lock().expect("never poisoned: nothing panics inside");
        if all.len() >= REMEMBERED {
            all.retain(|(_, user), b| {
                filled(*b, if user.is_empty() { whole } else { PERSON }, now).left < PERSON.most
            });
        }
        let mut after = asked.map(|(key, rate)| {
            let bucket = all.get(&key).map_or(Bucket { left: rate.most, at: now }, |b| filled(*b, rate, now));
            (key, rate, bucket)
        });
        if let Some((key, rate, bucket)) = after.iter().find(|(_, _, b)| b.left < 1.0) {
            let whose = if key.1.is_empty() { "your organisation" } else { "you" };
            let wait = ((1.0 - bucket.left) / rate.per_second).ceil().max(1.0) as u32;
            let detail =
                format!("more requests came from {whose} than one pace allows; try again in {wait} s");
            let left = Left { limit: rate.most as u64, remaining: 0, reset: wait.into() };
            return Err((Error::too_many("rate-limited", detail, wait), left));
        }
        let left = after.each_mut().map(|(key, rate, bucket)| {
            bucket.left -= 1.0;
            all.insert(key.clone(), *bucket);
            Left {
                limit: rate.most as u64,
                remaining: bucket.left as u64,
                reset: ((rate.most - bucket.left) / rate.per_second).ceil() as u64,
            }
        });
        Ok(left.into_iter().min_by_key(|l| l.remaining))
    }
}

fn filled(bucket: Bucket, rate: Rate, now: Timestamp) -> Bucket {
    let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
    Bucket { left: (bucket.left + passed * rate.per_second).min(rate.most), at: now.max(bucket.at) }
}

impl Left {
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let mut put =
            |name: &'static str, value: u64| headers.insert(HeaderName::from_static(name), value.into());
        put("ratelimit-limit", self.limit);
        put("ratelimit-remaining", self.remaining);
        put("ratelimit-reset", self.reset);
    }
}
