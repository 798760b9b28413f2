//! Guessing ends: after five wrong tries nothing is tried for half an hour.

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

const TRIES: u32 = 5;
const PAUSE: SignedDuration = SignedDuration::from_mins(30);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    #[serde(default)]
    pub tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Lock {
    /// 429 while it is shut.
    pub fn open(&self, now: Timestamp) -> Result<()> {
        match self.until.filter(|until| *until > now) {
            None => Ok(()),
            Some(until) => {
                let seconds = u32::try_from(until.duration_since(now).as_secs()).unwrap_or(0).max(1);
                Err(Error::too_many("locked", "too many wrong tries: try again in half an hour", seconds))
            }
        }
    }
    /// One more wrong one.
    pub fn wrong(&mut self, now: Timestamp) {
        self.tries += 1;
        if self.tries >= TRIES {
            *self = Self { tries: 0, until: Some(now + PAUSE) };
        }
    }
    pub fn right(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_wrong_try_shuts_it_for_half_an_hour() {
        let now: Timestamp = "2026-11-23T06:00:00Z".parse().unwrap();
        let mut lock = Lock::default();
        for _ in 0..4 {
            lock.wrong(now);
            assert!(lock.open(now).is_ok());
        }
        lock.wrong(now);
        assert_eq!(lock.open(now).unwrap_err().code(), "locked");
        assert!(lock.open(now + SignedDuration::from_mins(29)).is_err());
        assert!(lock.open(now + PAUSE).is_ok());
    }
}
