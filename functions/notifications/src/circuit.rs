//! A provider that fails again and again for an organisation is left alone for a while. Kept by each environment
//! for itself: it spares a provider in trouble, and nothing is lost without it.

use crate::words::Channel;
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
};
use store::Scope;

/// So many failures
const MOST: usize = 10;
/// within this time
const WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// are followed by this pause.
const PAUSE: SignedDuration = SignedDuration::from_secs(120);

#[derive(Default)]
pub struct Circuit(Mutex<HashMap<(Scope, Channel), Line>>);

#[derive(Default)]
struct Line {
    failures: VecDeque<Timestamp>,
    open_until: Option<Timestamp>,
}

impl Circuit {
    fn lines(&self) -> MutexGuard<'_, HashMap<(Scope, Channel), Line>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
    /// When the pause ends, if there is one.
    pub fn open_until(&self, scope: Scope, channel: Channel, now: Timestamp) -> Option<Timestamp> {
        self.lines().get(&(scope, channel))?.open_until.filter(|until| *until > now)
    }
    pub fn worked(&self, scope: Scope, channel: Channel) {
        self.lines().remove(&(scope, channel));
    }
    pub fn failed(&self, scope: Scope, channel: Channel, now: Timestamp) {
        let mut lines = self.lines();
        let line = lines.entry((scope, channel)).or_default();
        line.failures.push_back(now);
        while line.failures.front().is_some_and(|at| now.duration_since(*at) > WITHIN) {
            line.failures.pop_front();
        }
        if line.failures.len() >= MOST {
            line.failures.clear();
            line.open_until = Some(now + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_within_a_minute_open_it_for_two() {
        let (circuit, now) = (Circuit::default(), Timestamp::UNIX_EPOCH);
        let after = |s| now + SignedDuration::from_secs(s);
        let open = |s| circuit.open_until(Scope::Platform, Channel::Sms, after(s));
        (0..9).for_each(|n| circuit.failed(Scope::Platform, Channel::Sms, after(n)));
        assert_eq!(open(9), None);
        circuit.failed(Scope::Platform, Channel::Sms, after(9));
        assert_eq!(open(10), Some(after(129)));
        assert_eq!(circuit.open_until(Scope::Platform, Channel::Email, after(10)), None, "another provider");
        assert_eq!(open(129), None);
        (0..20).for_each(|n| circuit.failed(Scope::Platform, Channel::Push, after(n * 30)));
        assert_eq!(
            circuit.open_until(Scope::Platform, Channel::Push, after(600)),
            None,
            "slowly is no trouble"
        );
    }
}
