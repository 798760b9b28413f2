//! The rules of slots without a table (SCH-1; stories 1, 3, 18).

use super::*;
use crate::availability::{Availability, Day, Pause, test_rule as rule};
use jiff::{
    civil::{Date, date, time},
    tz::TimeZone,
};
use kernel::{AppointmentId, Id, Ulid};
use proptest::prelude::*;

const WEEK: &[Day] = &[Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday];

fn lagos() -> TimeZone {
    TimeZone::get("Africa/Lagos").unwrap()
}
fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}
fn host() -> Host {
    Host::Practitioner(PractitionerId::of(Ulid::from_parts(1, 1)))
}
fn day(rule: &Availability, day: Date, zone: &TimeZone) -> Vec<Period> {
    period(None, rule, day, zone, 15, 0).into_iter().collect()
}
fn everything() -> Wanted {
    Wanted { from: Timestamp::MIN, to: Timestamp::MAX, minutes: None, kind: None }
}
fn local(slots: &[Slot], zone: &TimeZone) -> Vec<String> {
    slots.iter().map(|s| s.start.to_zoned(zone.clone()).strftime("%H:%M").to_string()).collect()
}
fn instant_of(text: &str) -> Timestamp {
    text.parse().unwrap()
}
fn taken(spans: &[(&str, u32, u16)]) -> Taken {
    let mut taken = Taken::default();
    for (start, minutes, lane) in spans {
        for unit in Span::of(instant_of(start), *minutes).units() {
            taken.lanes.entry(unit).or_default().insert(*lane, AppointmentId::of(Ulid::from_parts(1, 1)));
        }
    }
    taken
}
fn wish(start: &str, minutes: Option<u32>) -> Wish {
    Wish { start: instant_of(start), minutes, kind: "routine".into(), overbook: false }
}
fn refusal(wish: &Wish, periods: &[Period], blocks: &[Span], taken: &Taken) -> &'static str {
    place(wish, periods, blocks, taken, 15).map_or_else(|e| e.code(), |_| "fits")
}

#[test]
fn a_morning_with_a_break_has_eleven_slots_and_a_day_of_leave_none() {
    let rule = Availability {
        breaks: vec![Pause { start: time(10, 30, 0, 0), end: time(10, 45, 0, 0) }],
        ..rule(WEEK)
    };
    let monday = day(&rule, date(2026, 11, 23), &lagos());
    let slots = free(host(), &monday, &[], &Taken::default(), &everything());
    assert_eq!(slots.len(), 11);
    assert_eq!(local(&slots, &lagos())[5..7], ["10:15", "10:45"]);
    let leave = Span { from: instant_of("2026-11-23T00:00:00Z"), to: instant_of("2026-11-24T00:00:00Z") };
    assert!(free(host(), &monday, &[leave], &Taken::default(), &everything()).is_empty());
    assert!(day(&rule, date(2026, 11, 22), &lagos()).is_empty(), "no rule on a Sunday");
}

#[test]
fn overlaps_of_unequal_lengths_clash_after_the_grid_has_changed() {
    let booked = taken(&[("2026-11-23T08:00:00Z", 30, 0)]);
    let now_twenty = Availability { slot_minutes: Some(20), ..rule(WEEK) };
    let periods = day(&now_twenty, date(2026, 11, 23), &lagos());
    let lanes = |start: &str| place(&wish(start, None), &periods, &[], &booked, 15).unwrap().lanes;
    assert!(lanes("2026-11-23T08:20:00Z").is_empty(), "09:20 overlaps 09:00–09:30");
    assert_eq!(lanes("2026-11-23T08:40:00Z"), [0]);
}

#[test]
fn london_skips_the_hour_that_does_not_exist_and_offers_the_double_one_once() {
    let night = Availability { start: time(0, 0, 0, 0), end: time(3, 0, 0, 0), ..rule(&[Day::Sunday]) };
    let spring = day(&night, date(2026, 3, 29), &london());
    let slots = free(host(), &spring, &[], &Taken::default(), &everything());
    assert!(local(&slots, &london()).iter().all(|t| !t.starts_with("01:")), "{:?}", local(&slots, &london()));
    assert_eq!(slots.len(), 8, "00:00–01:00 and 02:00–03:00");
    let autumn = day(&night, date(2026, 10, 25), &london());
    let slots = free(host(), &autumn, &[], &Taken::default(), &everything());
    let ones: Vec<_> = slots
        .iter()
        .filter(|s| s.start.to_zoned(london()).strftime("%H:%M").to_string() == "01:00")
        .collect();
    assert_eq!(ones.len(), 1);
    assert_eq!(ones[0].start, instant_of("2026-10-25T00:00:00Z"), "the first of the two");
    let mut starts: Vec<_> = slots.iter().map(|s| s.start).collect();
    starts.dedup();
    assert_eq!(starts.len(), 12);
}

#[test]
fn every_place_that_is_no_slot_is_refused_in_its_own_word() {
    let breaks = vec![Pause { start: time(10, 30, 0, 0), end: time(10, 45, 0, 0) }];
    let rule = Availability { breaks, types: vec!["routine".into()], ..rule(WEEK) };
    let periods = day(&rule, date(2026, 11, 23), &lagos());
    let none = Taken::default();
    let code = |start: &str, minutes| refusal(&wish(start, minutes), &periods, &[], &none);
    assert_eq!(code("2026-11-23T08:00:00Z", None), "fits");
    assert_eq!(code("2026-11-23T08:05:00Z", None), "not-a-slot");
    assert_eq!(code("2026-11-23T08:02:00Z", None), "not-a-slot");
    assert_eq!(code("2026-11-23T08:00:00.5Z", None), "not-a-slot");
    assert_eq!(code("2026-11-23T07:45:00Z", None), "outside-availability");
    assert_eq!(code("2026-11-23T11:00:00Z", None), "outside-availability", "12:00 is the end");
    assert_eq!(code("2026-11-23T09:30:00Z", None), "outside-availability", "the break");
    assert_eq!(code("2026-11-23T09:15:00Z", Some(30)), "outside-availability", "into the break");
    assert_eq!(code("2026-11-23T10:45:00Z", Some(20)), "outside-availability", "over the end");
    let block = Span { from: instant_of("2026-11-23T08:10:00Z"), to: instant_of("2026-11-23T08:20:00Z") };
    assert_eq!(refusal(&wish("2026-11-23T08:00:00Z", None), &periods, &[block], &none), "practitioner-away");
    let other = Wish { kind: "vaccination".into(), ..wish("2026-11-23T08:00:00Z", None) };
    assert_eq!(refusal(&other, &periods, &[], &none), "type-not-offered");
    let over = Wish { overbook: true, ..wish("2026-11-23T20:05:00Z", None) };
    assert_eq!(refusal(&over, &periods, &[block], &none), "fits", "overbooked");
}

#[test]
fn a_buffer_widens_the_grid_and_is_kept_free() {
    let rule = rule(WEEK);
    let periods: Vec<_> = period(None, &rule, date(2026, 11, 23), &lagos(), 15, 5).into_iter().collect();
    let slots = free(host(), &periods, &[], &Taken::default(), &everything());
    assert_eq!(local(&slots, &lagos())[..3], ["09:00", "09:20", "09:40"]);
    // 09:00 for 20 minutes claims 25 with its buffer: 09:20 is not free any more.
    let booked = taken(&[("2026-11-23T08:00:00Z", 25, 0)]);
    let slots = free(host(), &periods, &[], &booked, &everything());
    assert_eq!(local(&slots, &lagos())[0], "09:40");
}

#[test]
fn lanes_are_counted_and_a_long_appointment_needs_one_lane_for_its_whole_length() {
    let rule = Availability { capacity: 2, ..rule(WEEK) };
    let periods = day(&rule, date(2026, 11, 23), &lagos());
    // Lane 0 is busy in the first quarter, lane 1 in the second: half an hour fits into neither.
    let booked = taken(&[("2026-11-23T08:00:00Z", 15, 0), ("2026-11-23T08:15:00Z", 15, 1)]);
    let slots = free(host(), &periods, &[], &booked, &everything());
    assert_eq!(slots[0].remaining, 1);
    let long = place(&wish("2026-11-23T08:00:00Z", Some(30)), &periods, &[], &booked, 15).unwrap();
    assert!(long.lanes.is_empty());
    let short = place(&wish("2026-11-23T08:00:00Z", None), &periods, &[], &booked, 15).unwrap();
    assert_eq!(short.lanes, [1]);
}

#[test]
fn the_nearest_three_come_first() {
    let periods = day(&rule(WEEK), date(2026, 11, 23), &lagos());
    let booked = taken(&[("2026-11-23T09:00:00Z", 15, 0)]);
    let slots = free(host(), &periods, &[], &booked, &everything());
    let near = nearest(slots, instant_of("2026-11-23T09:00:00Z"));
    assert_eq!(local(&near, &lagos()), ["09:45", "10:15", "09:30"]);
}

proptest! {
    /// Whatever is offered fits, and whatever fits and is on no claim was offered.
    #[test]
    fn what_is_offered_can_be_booked(
        start in 0u32..20, length in 1u32..12, slot in 1u32..8, buffer in 0u32..4,
        busy in proptest::collection::vec((0u32..36, 1u32..6), 0..5),
    ) {
        let minute = |m: u32| time((m / 60) as i8, (m % 60) as i8, 0, 0);
        let rule = Availability {
            start: minute(start * 30), end: minute((start * 30 + length * 20).min(1435)),
            slot_minutes: Some(slot * 5), ..rule(WEEK)
        };
        prop_assume!(rule.end > rule.start);
        let periods: Vec<_> = period(None, &rule, date(2026, 11, 23), &lagos(), 15, buffer * 5).into_iter().collect();
        let midnight = instant_of("2026-11-22T23:00:00Z");
        let mut taken = Taken::default();
        for (at, units) in busy {
            let from = midnight + jiff::SignedDuration::from_mins(i64::from(start * 30 + at * 5));
            for unit in Span::of(from, units * 5).units() {
                taken.lanes.entry(unit).or_default().insert(0, AppointmentId::of(Ulid::from_parts(1, 1)));
            }
        }
        let slots = free(host(), &periods, &[], &taken, &everything());
        for slot in &slots {
            let wish = Wish { start: slot.start, minutes: None, kind: "routine".into(), overbook: false };
            prop_assert_eq!(place(&wish, &periods, &[], &taken, 15).unwrap().lanes, vec![0]);
        }
        for pair in slots.windows(2) {
            let end = pair[0].start + jiff::SignedDuration::from_mins(i64::from(pair[0].minutes + buffer * 5));
            prop_assert!(end <= pair[1].start, "slots and their buffers never overlap");
        }
        let offered: Vec<_> = slots.iter().map(|s| s.start).collect();
        for start in periods.iter().flat_map(|p| &p.starts).filter(|s| !offered.contains(s)) {
            let wish = Wish { start: *start, minutes: None, kind: "routine".into(), overbook: false };
            prop_assert!(place(&wish, &periods, &[], &taken, 15).unwrap().lanes.is_empty());
        }
    }
}
