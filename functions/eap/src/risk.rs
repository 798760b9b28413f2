//! How urgent a case is, and who has to hear of it when.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};

kernel::words! {
    #[derive(Default)]
    pub enum Risk {
        #[default] None = "none", Low = "low", Moderate = "moderate", High = "high", Imminent = "imminent",
    }
}

/// A high risk is seen within a day of being known.
const HIGH: SignedDuration = SignedDuration::from_hours(24);
/// An alarm that nobody acknowledged goes on to the next person after so long.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// Working days without contact after which a case is called forgotten.
const WORKING_DAYS: u32 = 3;

impl Risk {
    /// Somebody on call is told at once.
    pub fn alarms(self) -> bool {
        self == Self::Imminent
    }

    /// Until when there has to be a first contact.
    pub fn contact_by(self, known: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Imminent => known + PATIENCE,
            Self::High => known + HIGH,
            _ => after_working_days(known, zone),
        }
    }
}

/// The end of the third working day (Monday to Friday) after that day.
fn after_working_days(known: Timestamp, zone: &TimeZone) -> Timestamp {
    let mut day: Date = known.to_zoned(zone.clone()).date();
    let mut left = WORKING_DAYS;
    while left > 0 {
        day = day.saturating_add(jiff::Span::new().days(1));
        left -= u32::from(!matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
    }
    let end = day.at(18, 0, 0, 0).to_zoned(zone.clone());
    end.map_or(known + SignedDuration::from_hours(72), |at| at.timestamp())
}

/// Whoever holds the role, where the rota names no manager: somebody always hears of a danger.
pub const MANAGERS: &str = "role~eap_manager";

/// Whom an alarm tells at each step: two people on call in their order, then the manager, or all of them.
pub fn told<'a>(step: u32, people: &'a [String], manager: Option<&'a str>) -> Option<&'a str> {
    people.iter().take(2).map(String::as_str).chain([manager.unwrap_or(MANAGERS)]).nth(step as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_high_risk_is_seen_within_a_day_and_others_within_three_working_days() {
        let zone = TimeZone::get("Africa/Lagos").unwrap();
        let friday = at("2026-11-27T15:00:00Z");
        assert_eq!(Risk::High.contact_by(friday, &zone), at("2026-11-28T15:00:00Z"));
        assert_eq!(
            Risk::Moderate.contact_by(friday, &zone),
            at("2026-12-02T17:00:00Z"),
            "Wednesday, 18:00 in Lagos"
        );
    }

    #[test]
    fn an_alarm_goes_from_one_to_the_next_and_ends_with_the_manager() {
        let two = ["a".to_string(), "b".to_string()];
        let told = |people, step| told(step, people, Some("m"));
        assert_eq!([0, 1, 2, 3].map(|s| told(&two, s)), [Some("a"), Some("b"), Some("m"), None]);
        assert_eq!([0, 1].map(|s| told(&two[..1], s)), [Some("a"), Some("m")]);
        assert_eq!(told(&[], 0), Some("m"));
        let nobody = |step| super::told(step, &[], None);
        assert_eq!([0, 1].map(nobody), [Some(MANAGERS), None]);
        assert_eq!(super::told(1, &two[..1], None), Some(MANAGERS));
    }
}
