use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn renews(start: &str, end: &str) -> (String, String) {
    let r = renewal(day(start), day(end), day(start).day());
    (r.start.to_string(), r.end.to_string())
}

#[test]
fn a_contract_renews_for_as_many_months_as_it_had() {
    for (start, end, next, last) in [
        ("2026-01-01", "2026-12-31", "2027-01-01", "2027-12-31"),
        ("2026-03-15", "2027-03-14", "2027-03-15", "2028-03-14"),
        ("2026-01-31", "2026-02-27", "2026-02-28", "2026-03-30"),
        // Leap years: to the eve of the anniversary, and to the end of the month.
        ("2024-02-29", "2025-02-27", "2025-02-28", "2026-02-27"),
        ("2024-02-29", "2025-02-28", "2025-03-01", "2026-02-28"),
        ("2027-03-01", "2028-02-29", "2028-03-01", "2029-02-28"),
        // Ten days are ten days.
        ("2026-05-05", "2026-05-14", "2026-05-15", "2026-05-24"),
    ] {
        assert_eq!(renews(start, end), (next.into(), last.into()), "{start} – {end}");
    }
}

#[test]
fn the_thirty_first_comes_back_after_every_february() {
    let mut term = Renewal { start: day("2026-01-31"), end: day("2026-02-27"), anchor_day: 31 };
    let mut ends = vec![];
    for _ in 0..4 {
        term = renewal(term.start, term.end, term.anchor_day);
        ends.push(term.end.to_string());
    }
    assert_eq!(ends, ["2026-03-30", "2026-04-29", "2026-05-30", "2026-06-29"]);
    let leap = renewal(day("2024-02-29"), day("2025-02-27"), 29);
    let mut term = leap;
    while term.start.year() < 2028 {
        term = renewal(term.start, term.end, term.anchor_day);
    }
    assert_eq!(term.start, day("2028-02-29"), "the leap day again, four years on");
}

#[test]
fn periods_follow_one_another_without_gap_or_overlap() {
    let (start, end) = (day("2026-01-31"), day("2027-01-30"));
    let (mut billed, mut all) = (None, vec![]);
    while let Some(period) = next_period(start, 31, 1, billed, end) {
        billed = Some(period.to);
        all.push(period);
    }
    assert_eq!(all.len(), 12);
    let from: Vec<String> = all.iter().take(4).map(|p| p.from.to_string()).collect();
    assert_eq!(from, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
    assert!(all.windows(2).all(|w| w[0].to.saturating_add(1.day()) == w[1].from));
    assert_eq!(all.last().unwrap().to, end);
}

#[test]
fn a_period_that_is_cut_short_knows_what_it_would_have_been() {
    let period = next_period(day("2026-03-31"), 31, 1, None, day("2026-04-09")).unwrap();
    assert_eq!((period.days(), period.whole_days()), (10, 30));
    let january = next_period(day("2026-01-01"), 1, 1, None, day("2026-01-10")).unwrap();
    assert_eq!((january.days(), january.whole_days()), (10, 31));
    assert_eq!(january.months(), ["2026-01"]);
    let quarter = next_period(day("2026-11-15"), 15, 3, None, day("2027-11-14")).unwrap();
    assert_eq!(quarter.months(), ["2026-11", "2026-12", "2027-01"]);
}

#[test]
fn reminders_come_at_notice_and_fourteen_seven_and_one_day_before() {
    let told = reminders(day("2026-12-31"), day("2026-12-01"));
    assert_eq!(told, ["2026-12-01", "2026-12-17", "2026-12-24", "2026-12-30"].map(day));
    assert_eq!(reminders(day("2026-12-31"), day("2026-12-24")).len(), 3, "a day is told once");
}
