//! How long somebody will wait. Pure (spec §6).

use crate::host::Host;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Key;

/// The last consultation lengths of a practitioner, in minutes, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    pub minutes: Vec<u32>,
}

const RING: usize = 20;
/// Fewer say nothing.
const FEWEST: usize = 5;
/// Of each end: an hour's emergency and a signature at the door are no measure.
const OUTLIERS: usize = 2;

impl Pace {
    pub fn key(host: Host) -> Key {
        Key::item("prc", host, "pace")
    }
    pub fn add(&mut self, minutes: u32) {
        self.minutes.push(minutes);
        let over = self.minutes.len().saturating_sub(RING);
        self.minutes.drain(..over);
    }
    /// Minutes of one consultation: the mean without the two longest and shortest, else the slot's length.
    pub fn mean(&self, slot_minutes: u32) -> f64 {
        if self.minutes.len() < FEWEST {
            return f64::from(slot_minutes);
        }
        let mut sorted = self.minutes.clone();
        sorted.sort_unstable();
        let middle = &sorted[OUTLIERS..sorted.len() - OUTLIERS];
        middle.iter().sum::<u32>() as f64 / middle.len() as f64
    }
}

/// Minutes, rounded up to five, with a range of a quarter either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Estimate {
    pub minutes: u32,
    pub from: u32,
    pub to: u32,
}

/// `elapsed`: minutes into the consultation under way, if there is one; `ahead`: patients before this one;
/// `active`: practitioners who see this queue.
pub fn estimate(mean: f64, elapsed: Option<f64>, ahead: usize, active: usize) -> Estimate {
    let rest = elapsed.map_or(0.0, |e| (mean - e).max(0.0));
    let minutes = (rest + ahead as f64 * mean) / active.max(1) as f64;
    let fives = |m: f64| (m / 5.0).ceil() as u32 * 5;
    let minutes = fives(minutes);
    let part = f64::from(minutes);
    Estimate { minutes, from: (part * 0.75).floor() as u32, to: (part * 1.25).ceil() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_12_three_ahead_and_four_minutes_in_makes_45() {
        let pace = Pace { minutes: vec![12; 20] };
        let e = estimate(pace.mean(15), Some(4.0), 3, 1);
        assert_eq!((e.minutes, e.from, e.to), (45, 33, 57));
    }

    #[test]
    fn outliers_do_not_count_and_four_values_say_nothing() {
        let pace = Pace { minutes: vec![10, 1, 90, 10, 2, 10, 80] };
        assert_eq!(pace.mean(15), 10.0);
        assert_eq!(Pace { minutes: vec![40; 4] }.mean(15), 15.0);
        assert_eq!(Pace { minutes: vec![40; 5] }.mean(15), 40.0);
    }

    #[test]
    fn the_ring_keeps_the_last_twenty() {
        let mut pace = Pace::default();
        (1..=25).for_each(|n| pace.add(n));
        assert_eq!((pace.minutes.len(), pace.minutes[0], pace.minutes[19]), (20, 6, 25));
    }

    #[test]
    fn a_consultation_over_its_time_adds_nothing_and_two_rooms_halve_the_wait() {
        assert_eq!(estimate(12.0, Some(30.0), 1, 1).minutes, 15);
        assert_eq!(estimate(12.0, None, 5, 2).minutes, 30);
        assert_eq!(estimate(12.0, None, 0, 1).minutes, 0);
    }
}
