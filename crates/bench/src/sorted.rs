//! Percentiles of what was measured.

use serde_json::{Value, json};
use std::time::Duration;

pub struct Sorted(Vec<Duration>);

impl Sorted {
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self(all)
    }
    /// Microseconds that at least this share of all does not exceed.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        let found = self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        (found.as_secs_f64() * 1e7).round() / 10.0
    }
    pub fn json(&self) -> Value {
        json!({"p50": self.at(0.5), "p99": self.at(0.99), "count": self.0.len()})
    }
}
