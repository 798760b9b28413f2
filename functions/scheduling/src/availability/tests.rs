use super::*;
use jiff::civil::{date, time};
use kernel::Ulid;

pub(crate) fn rule(weekdays: &[Day]) -> Availability {
    use kernel::Id;
    Availability {
        practitioner_id: Some(PractitionerId::of(Ulid::from_parts(1, 1))),
        department_id: None,
        site: SiteId::of(Ulid::from_parts(1, 1)),
        valid_from: date(2026, 1, 1),
        valid_to: None,
        recurrence: Recurrence::Weekly,
        interval: 1,
        nth: None,
        weekdays: weekdays.to_vec(),
        dates: vec![],
        start: time(9, 0, 0, 0),
        end: time(12, 0, 0, 0),
        mode: Mode::Slots,
        slot_minutes: Some(15),
        capacity: 1,
        types: vec![],
        breaks: vec![],
        room: None,
    }
}

#[test]
fn every_other_week_counts_from_the_week_it_began() {
    let fortnightly =
        Availability { interval: 2, valid_from: date(2026, 1, 7), ..rule(&[Day::Monday, Day::Friday]) };
    // The week of 5 January is the first one, though its Monday lies before valid_from.
    assert!(!fortnightly.occurs(date(2026, 1, 5)));
    assert!(fortnightly.occurs(date(2026, 1, 9)));
    assert!(!fortnightly.occurs(date(2026, 1, 12)) && !fortnightly.occurs(date(2026, 1, 16)));
    assert!(fortnightly.occurs(date(2026, 1, 19)) && fortnightly.occurs(date(2026, 1, 23)));
    // Over the turn of a year too.
    assert!(fortnightly.occurs(date(2027, 1, 4)) && !fortnightly.occurs(date(2026, 12, 28)));
}

#[test]
fn the_second_and_the_last_tuesday_of_a_month() {
    let second = Availability { recurrence: Recurrence::Monthly, nth: Some(2), ..rule(&[Day::Tuesday]) };
    let last = Availability { nth: Some(-1), ..second.clone() };
    let tuesdays: Vec<i8> = (1..=31).filter(|d| second.occurs(date(2026, 3, *d))).collect();
    assert_eq!(tuesdays, [10]);
    let tuesdays: Vec<i8> = (1..=31).filter(|d| last.occurs(date(2026, 3, *d))).collect();
    assert_eq!(tuesdays, [31]);
    let tuesdays: Vec<i8> = (1..=28).filter(|d| last.occurs(date(2026, 2, *d))).collect();
    assert_eq!(tuesdays, [24]);
}

#[test]
fn a_rule_holds_from_its_first_to_its_last_day() {
    let short = Availability { valid_to: Some(date(2026, 1, 12)), ..rule(&[Day::Monday]) };
    assert!(short.occurs(date(2026, 1, 12)) && !short.occurs(date(2026, 1, 19)));
    assert!(!short.occurs(date(2025, 12, 29)));
    let dates = Availability { recurrence: Recurrence::Dates, dates: vec![date(2026, 5, 2)], ..rule(&[]) };
    assert!(dates.occurs(date(2026, 5, 2)) && !dates.occurs(date(2026, 5, 3)));
}

#[test]
fn what_does_not_go_together_is_named_all_at_once() {
    let wrong = Availability {
        end: time(8, 58, 0, 0),
        capacity: 6,
        slot_minutes: Some(17),
        breaks: vec![Pause { start: time(7, 0, 0, 0), end: time(7, 30, 0, 0) }],
        department_id: Some("dpt_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap()),
        ..rule(&[])
    };
    let mut at: Vec<String> = wrong.check().into_iter().map(|f| f.pointer).collect();
    at.sort();
    at.dedup();
    assert_eq!(at, ["/breaks/0", "/capacity", "/end", "/practitioner_id", "/slot_minutes", "/weekdays"]);
}
