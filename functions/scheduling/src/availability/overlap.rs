//! Rules of one practitioner may not overlap at one moment.

use super::Availability;
use jiff::{ToSpan, civil::Date};

/// Days that are compared: a year and a day beyond the later start covers every weekly and monthly pattern.
const HORIZON: i32 = 367;

/// The first local day on which both rules hold at the same time of day. Compared as local times: one
/// practitioner's sites lie in one zone, and where they do not, the claims still refuse the second booking.
pub fn overlapping(a: &Availability, b: &Availability) -> Option<Date> {
    if a.end <= b.start || b.end <= a.start {
        return None;
    }
    let from = a.valid_from.max(b.valid_from);
    let to = [a.valid_to, b.valid_to].into_iter().flatten().min();
    (0..HORIZON)
        .map_while(|n| from.checked_add(n.days()).ok())
        .take_while(|day| to.is_none_or(|to| *day <= to))
        .find(|day| a.occurs(*day) && b.occurs(*day))
}

#[cfg(test)]
mod tests {
    use super::super::{Day, tests::rule};
    use super::*;
    use jiff::civil::{date, time};

    #[test]
    fn two_rules_of_a_morning_overlap_and_morning_and_afternoon_do_not() {
        let monday = rule(&[Day::Monday]);
        let early = Availability { start: time(8, 0, 0, 0), end: time(9, 5, 0, 0), ..rule(&[Day::Monday]) };
        let after = Availability { start: time(12, 0, 0, 0), end: time(15, 0, 0, 0), ..rule(&[Day::Monday]) };
        assert_eq!(overlapping(&monday, &early), Some(date(2026, 1, 5)));
        assert_eq!(overlapping(&monday, &after), None);
        assert_eq!(overlapping(&monday, &rule(&[Day::Tuesday])), None);
    }

    #[test]
    fn a_rule_that_follows_another_does_not_overlap_it() {
        let old = Availability { valid_to: Some(date(2026, 3, 31)), ..rule(&[Day::Monday]) };
        let new = Availability { valid_from: date(2026, 4, 1), ..rule(&[Day::Monday]) };
        assert_eq!(overlapping(&old, &new), None);
    }

    #[test]
    fn alternating_weeks_do_not_overlap() {
        let even = Availability { interval: 2, ..rule(&[Day::Monday]) };
        let odd = Availability { valid_from: date(2026, 1, 8), interval: 2, ..rule(&[Day::Monday]) };
        assert_eq!(overlapping(&even, &odd), None);
        assert!(overlapping(&even, &even.clone()).is_some());
    }
}
