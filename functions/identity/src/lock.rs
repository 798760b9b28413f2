//! Lockout: five attempts within 15 minutes without a success lock an account for 15 minutes, doubling to a day
//! (`spec/identity.md` §7). The user pool's own throttle stays beneath. It counts attempts, because the pool's
//! trigger comes before the password is checked and is not told how that went.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Key;

/// Operators have fewer.
pub const ATTEMPTS: u32 = 5;
pub const ATTEMPTS_OF_OPERATORS: u32 = 3;
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
const FIRST: i64 = 15;
const LONGEST: i64 = 24 * 60;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Since the last success, within the window.
    pub attempts: u32,
    pub since: Option<Timestamp>,
    /// How often it was locked since the last success.
    pub times: u32,
    pub until: Option<Timestamp>,
}

impl Lock {
    pub fn key(user: &str) -> Key {
        Key::item("lock", user, ".")
    }

    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// One more attempt. The one that reaches the limit still goes on: should its password be right, the sign-in
    /// clears the lock again.
    pub fn attempt(mut self, now: Timestamp, most: u32) -> Self {
        let fresh = self.since.is_none_or(|since| now.duration_since(since) >= WINDOW);
        if fresh || self.until.is_some() {
            (self.attempts, self.since, self.until) = (0, Some(now), None);
        }
        self.attempts += 1;
        if self.attempts >= most {
            let minutes = (FIRST << self.times.min(10)).min(LONGEST);
            self.times += 1;
            self.until = Some(now + SignedDuration::from_mins(minutes));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        "2026-11-20T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
    }
    fn after(lock: Lock, minutes: &[i64]) -> Lock {
        minutes.iter().fold(lock, |lock, m| lock.attempt(at(*m), ATTEMPTS))
    }

    #[test]
    fn the_fifth_attempt_within_a_quarter_of_an_hour_locks_for_a_quarter_of_an_hour() {
        let four = after(Lock::default(), &[0, 1, 2, 3]);
        assert!(!four.is_locked(at(3)));
        let five = after(four, &[4]);
        assert!(five.is_locked(at(4)) && five.is_locked(at(18)) && !five.is_locked(at(19)));
    }

    #[test]
    fn attempts_further_apart_do_not_add_up() {
        assert!(!after(Lock::default(), &[0, 4, 8, 12, 16]).is_locked(at(16)));
    }

    #[test]
    fn each_further_lock_is_twice_as_long_up_to_a_day() {
        let mut lock = Lock::default();
        let mut minute = 0;
        for length in [15, 30, 60, 120, 240, 480, 960, 1440, 1440] {
            lock = after(lock, &[minute; 5]);
            assert!(
                lock.is_locked(at(minute + length - 1)) && !lock.is_locked(at(minute + length)),
                "{length}"
            );
            minute += length;
        }
    }
}
