use super::*;
use kernel::{Id, Ulid};

fn follow_up() -> FollowUp {
    FollowUp {
        patient_id: PatientId::of(Ulid::from_parts(1, 1)),
        listed_under: None,
        practitioner_id: None,
        practitioner_user: None,
        specialty: Some("cardiology".into()),
        site: SiteId::of(Ulid::from_parts(1, 1)),
        encounter_id: None,
        scheduled_date: jiff::civil::date(2026, 12, 4),
        window_days: 7,
        reason: None,
        notes: None,
        status: Status::Pending,
        appointment_id: None,
        outcome: None,
        zone: "Africa/Lagos".into(),
        reminded: 0,
    }
}

#[test]
fn three_days_and_one_day_before_then_after_the_window() {
    let mut f = follow_up();
    assert_eq!(f.reminder().unwrap().to_string(), "2026-12-01T07:00:00Z");
    f.reminded = 1;
    assert_eq!(f.reminder().unwrap().to_string(), "2026-12-03T07:00:00Z");
    f.reminded = 2;
    assert_eq!(f.reminder(), None);
    // The eleventh is the last day; at its local midnight it is over.
    assert_eq!(f.missed_at().unwrap().to_string(), "2026-12-11T23:00:00Z");
}

#[test]
fn a_visit_counts_from_a_week_before_to_the_end_of_the_window() {
    let f = follow_up();
    let day = |d| jiff::civil::date(2026, 12, d);
    assert!(f.met_on(day(4)) && f.met_on(day(11)) && f.met_on(jiff::civil::date(2026, 11, 27)));
    assert!(!f.met_on(day(12)) && !f.met_on(jiff::civil::date(2026, 11, 26)));
}

#[test]
fn reminders_of_the_past_are_not_sent() {
    let mut f = follow_up();
    f.skip_past("2026-12-02T12:00:00Z".parse().unwrap());
    assert_eq!(f.reminded, 1);
    f.skip_past("2026-12-09T12:00:00Z".parse().unwrap());
    assert_eq!(f.reminded, 2);
}
