//! Where the time comes from. Nothing else in the product reads the system's clock.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// The time of one process: the system's in production, moved by hand in tests.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds added to the system's time.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Relaxed));
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
        let now = Timestamp::now();
        // Milliseconds everywhere: what is answered is what is stored and compared.
        Timestamp::from_millisecond((now + ahead).as_millisecond()).expect("within jiff's years")
    }

    /// The calendar day in a zone.
    pub fn today(&self, zone: &TimeZone) -> Date {
        self.now().to_zoned(zone.clone()).date()
    }

    /// Moves a test's time; every clone sees it.
    pub fn advance(&self, by: SignedDuration) {
        self.ahead.fetch_add(by.as_millis() as i64, Relaxed);
    }

    /// Sets a test's time.
    pub fn set(&self, to: Timestamp) {
        let now = self.now();
        self.advance(to.duration_since(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_of_a_clock_moves_together() {
        let clock = Clock::default();
        let other = clock.clone();
        clock.set("2026-12-31T23:30:00Z".parse().unwrap());
        assert_eq!(other.today(&TimeZone::get("Africa/Lagos").unwrap()).to_string(), "2027-01-01");
        assert_eq!(other.today(&TimeZone::UTC).to_string(), "2026-12-31");
    }
}
