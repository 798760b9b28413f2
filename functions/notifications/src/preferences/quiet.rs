//! Quiet hours, in the recipient's own zone. Held messages come at the first moment after them, also on the two
//! nights a year on which the clocks change.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody's own hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quiet {
    pub from: Time,
    pub to: Time,
    /// Days on which they begin, Monday = 1; none = every day.
    #[schemars(length(max = 7), inner(range(min = 1, max = 7)), extend("uniqueItems" = true))]
    #[serde(default)]
    pub days: Vec<u8>,
    /// E-mail waits too.
    #[serde(default)]
    pub email: bool,
}

/// Hours of a day, over midnight where the end is not later than the beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub from: Time,
    pub to: Time,
    pub days: Vec<u8>,
}

const fn hours(from: i8, to: i8) -> Window {
    Window { from: Time::constant(from, 0, 0, 0), to: Time::constant(to, 0, 0, 0), days: vec![] }
}

impl Window {
    /// Patients, clients, families.
    pub const SERVED: Window = hours(21, 8);
    pub const STAFF: Window = hours(22, 7);

    pub fn of(own: Option<&Quiet>, staff: bool) -> Self {
        match own {
            Some(Quiet { from, to, days, email: _ }) => Self { from: *from, to: *to, days: days.clone() },
            None if staff => Self::STAFF,
            None => Self::SERVED,
        }
    }

    /// When the quiet ends that holds at this moment; none if none does.
    pub fn until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.from == self.to {
            return None;
        }
        let local = now.to_zoned(zone.clone());
        // The window that began today, or the one that began yesterday and runs over midnight.
        [0i64, 1].into_iter().find_map(|back| {
            let began = local.date().checked_sub(back.days()).ok()?;
            let listed =
                self.days.is_empty() || self.days.iter().any(|d| super::day_of(*d) == Some(began.weekday()));
            let over_midnight = self.to <= self.from;
            let ends = if over_midnight { began.tomorrow().ok()? } else { began };
            // A local time that does not exist moves forward, one that exists twice is the first.
            let from = began.to_datetime(self.from).to_zoned(zone.clone()).ok()?.timestamp();
            let to = ends.to_datetime(self.to).to_zoned(zone.clone()).ok()?.timestamp();
            (listed && from <= now && now < to).then_some(to)
        })
    }
}

/// Up to ten minutes, so that what waited does not all go at once.
pub fn spread(share: f64) -> SignedDuration {
    SignedDuration::from_secs((share * 600.0) as i64)
}

/// The next moment at which this hour of the day begins.
pub fn next_hour(now: Timestamp, zone: &TimeZone, hour: u8) -> Option<Timestamp> {
    let local = now.to_zoned(zone.clone());
    let time = Time::new(i8::try_from(hour).ok()?, 0, 0, 0).ok()?;
    let today = local.date().to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
    match today > now {
        true => Some(today),
        false => {
            Some(local.date().tomorrow().ok()?.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    #[test]
    fn at_two_in_the_morning_a_message_waits_until_eight() {
        let lagos = TimeZone::get("Africa/Lagos").unwrap();
        let until = Window::SERVED.until(at("2026-11-20T01:00:00Z"), &lagos);
        assert_eq!(until, Some(at("2026-11-20T07:00:00Z")));
        assert_eq!(Window::SERVED.until(at("2026-11-20T07:00:00Z"), &lagos), None);
        assert_eq!(
            Window::SERVED.until(at("2026-11-20T20:00:00Z"), &lagos),
            Some(at("2026-11-21T07:00:00Z"))
        );
        assert_eq!(Window::SERVED.until(at("2026-11-20T19:59:59Z"), &lagos), None);
    }

    #[test]
    fn on_the_nights_when_clocks_change_it_is_still_eight_by_the_clock() {
        // Sunday 29 March 2026: one o'clock becomes two. Eight in the morning is seven UTC.
        assert_eq!(
            Window::SERVED.until(at("2026-03-29T00:30:00Z"), &london()),
            Some(at("2026-03-29T07:00:00Z"))
        );
        // Sunday 25 October 2026: two becomes one again. Eight in the morning is eight UTC.
        assert_eq!(
            Window::SERVED.until(at("2026-10-25T00:30:00Z"), &london()),
            Some(at("2026-10-25T08:00:00Z"))
        );
    }

    #[test]
    fn an_end_that_does_not_exist_that_night_moves_forward() {
        let odd = Window { from: Time::constant(22, 0, 0, 0), to: Time::constant(1, 30, 0, 0), days: vec![] };
        // 01:30 on 29 March does not exist in London: the first moment after the gap is 02:30 summer time.
        assert_eq!(odd.until(at("2026-03-29T00:30:00Z"), &london()), Some(at("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn own_days_are_those_on_which_the_quiet_begins() {
        let friday = Window { days: vec![5], ..Window::STAFF };
        let zone = TimeZone::UTC;
        assert!(friday.until(at("2026-11-20T23:00:00Z"), &zone).is_some(), "Friday night");
        assert!(friday.until(at("2026-11-21T06:00:00Z"), &zone).is_some(), "and Saturday morning");
        assert!(friday.until(at("2026-11-21T23:00:00Z"), &zone).is_none(), "not Saturday night");
    }

    #[test]
    fn a_digest_comes_at_the_next_of_its_hours() {
        let lagos = TimeZone::get("Africa/Lagos").unwrap();
        assert_eq!(next_hour(at("2026-11-20T06:00:00Z"), &lagos, 8), Some(at("2026-11-20T07:00:00Z")));
        assert_eq!(next_hour(at("2026-11-20T07:00:00Z"), &lagos, 8), Some(at("2026-11-21T07:00:00Z")));
    }
}
