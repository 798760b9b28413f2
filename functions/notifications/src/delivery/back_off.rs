//! When to try again, and when to give up.

use crate::{ids, words::Channel};
use jiff::{SignedDuration, Timestamp};

/// Seconds after each failed try: 15 s, 1, 5, 15 min, 1, 3, 6, 12 h.
const AFTER: [i64; 8] = [15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600];
/// Tries of one queueing.
const MOST: u32 = 8;

/// Tries end this long after the first was wanted: what would come later helps nobody.
fn patience(channel: Channel) -> SignedDuration {
    match channel {
        Channel::Email => SignedDuration::from_hours(24),
        Channel::Sms => SignedDuration::from_hours(2),
        Channel::Push => SignedDuration::from_hours(1),
    }
}

/// The time of the next try after `tries` failed ones, spread by a fifth either way; none if it is over. A provider
/// that names a time is not asked before it.
pub fn next(
    channel: Channel,
    key: &str,
    tries: u32,
    wanted: Timestamp,
    now: Timestamp,
    asked: Option<SignedDuration>,
) -> Option<Timestamp> {
    if tries >= MOST {
        return None;
    }
    let seconds = AFTER[usize::try_from(tries.saturating_sub(1)).ok()?.min(AFTER.len() - 1)];
    let spread = 0.8 + 0.4 * ids::share(&[key, &tries.to_string()]);
    let wait = SignedDuration::from_millis((seconds as f64 * 1000.0 * spread) as i64);
    let at = now + wait.max(asked.unwrap_or(SignedDuration::ZERO));
    (at <= wanted + patience(channel)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn tries_come_later_each_time_and_end_after_eight() {
        let now = at("2026-11-20T09:00:00Z");
        let wait = |tries| {
            next(Channel::Email, "dlv_1", tries, now, now, None).map(|t| t.duration_since(now).as_secs())
        };
        let waits: Vec<i64> = (1..8).map_while(wait).collect();
        assert_eq!(waits.len(), 7, "{waits:?}");
        for (wait, wanted) in waits.iter().zip(AFTER) {
            assert!((wanted * 8 / 10..=wanted * 12 / 10).contains(wait), "{wait} for {wanted}");
        }
        assert_eq!(wait(8), None);
    }

    #[test]
    fn an_sms_is_not_sent_two_hours_late_and_a_push_not_one() {
        let wanted = at("2026-11-20T09:00:00Z");
        assert!(next(Channel::Sms, "k", 4, wanted, at("2026-11-20T09:30:00Z"), None).is_some());
        assert!(next(Channel::Sms, "k", 5, wanted, at("2026-11-20T10:45:00Z"), None).is_none());
        assert!(next(Channel::Push, "k", 4, wanted, at("2026-11-20T09:55:00Z"), None).is_none());
    }

    #[test]
    fn a_provider_that_names_a_time_is_not_asked_before() {
        let now = at("2026-11-20T09:00:00Z");
        let asked = Some(SignedDuration::from_secs(600));
        assert_eq!(next(Channel::Email, "k", 1, now, now, asked), Some(now + SignedDuration::from_secs(600)));
    }
}
