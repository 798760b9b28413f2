//! Where the time comes from. Nothing else in the product reads the system's clock.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// The time of one process: the system's in production, moved by hand in tests.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds added to what goes on by itself.
    ahead: Arc<AtomicI64>,
    /// In place of the system's time: so often somebody has looked.
    looks: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// A test's clock, which begins then and goes on by a millisecond with each look, however long that takes: the same
    /// looks see the same times.
    pub fn ticking(from: Timestamp) -> Self {
        Self { ahead: Arc::new(from.as_millisecond().into()), looks: Some(Arc::default()) }
    }

    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
        let system = || Timestamp::now().as_millisecond();
        let now = self.looks.as_ref().map_or_else(system, |looks| looks.fetch_add(1, Relaxed));
        // Milliseconds everywhere: what is answered is what is stored and compared.
        Timestamp::from_millisecond(now + self.ahead.load(Relaxed)).expect("within jiff's years")
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
    fn a_ticking_clock_shows_the_same_times_to_the_same_looks() {
        let from: Timestamp = "2026-11-29T10:00:00Z".parse().unwrap();
        let (clock, ms) = (Clock::ticking(from), SignedDuration::from_millis(1));
        assert_eq!([clock.now(), clock.clone().now()], [from, from + ms]);
        clock.set(from);
        assert!(clock.now().duration_since(from) <= ms);
        let later = from + SignedDuration::from_hours(48);
        clock.set(later);
        assert!(clock.now() >= later);
    }

    #[test]
    fn every_clone_of_a_clock_moves_together() {
        let clock = Clock::default();
        let other = clock.clone();
        clock.set("2026-12-31T23:30:00Z".parse().unwrap());
        assert_eq!(other.today(&TimeZone::get("Africa/Lagos").unwrap()).to_string(), "2027-01-01");
        assert_eq!(other.today(&TimeZone::UTC).to_string(), "2026-12-31");
    }
}
