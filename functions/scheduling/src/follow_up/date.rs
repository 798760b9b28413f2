//! The date of a follow-up: the day itself if the practitioner works then, else the next day they do.

use crate::availability::Availability;
use jiff::{ToSpan, civil::Date};

/// Days that are looked ahead for a working day.
const AHEAD: i32 = 14;

/// `from` + `days`; moved on to the next day with a rule, at most 14 days, else left where it is.
pub fn scheduled_date<'a>(
    from: Date,
    days: u16,
    rules: impl Iterator<Item = &'a Availability> + Clone,
) -> Date {
    let wanted = from.checked_add(i32::from(days).days()).unwrap_or(from);
    let ahead = (0..=AHEAD).filter_map(|n| wanted.checked_add(n.days()).ok());
    let works = |day: &Date| rules.clone().any(|r| r.occurs(*day));
    ahead.into_iter().find(works).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::{Day, test_rule as rule};
    use jiff::civil::date;

    #[test]
    fn the_next_working_day_within_a_fortnight_else_the_day_itself() {
        // 14 days after Friday 20 November is a Friday.
        let (signed, friday) = (date(2026, 11, 20), date(2026, 12, 4));
        let mondays = [rule(&[Day::Monday])];
        assert_eq!(scheduled_date(signed, 14, [rule(&[Day::Friday])].iter()), friday);
        assert_eq!(scheduled_date(signed, 14, mondays.iter()), date(2026, 12, 7));
        assert_eq!(scheduled_date(signed, 14, [].iter()), friday);
        let later = Availability { valid_from: date(2027, 1, 1), ..rule(&[Day::Monday]) };
        assert_eq!(scheduled_date(signed, 14, [later].iter()), friday);
    }
}
