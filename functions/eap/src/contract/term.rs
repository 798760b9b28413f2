//! Dates of contracts: periods, renewals, reminders. Pure; days are the client's.

use jiff::{ToSpan, civil::Date};

/// A day of a month, or that month's last where it has no such day.
fn clamped(month: Date, day: i8) -> Date {
    let last = month.last_of_month().day();
    month.first_of_month().saturating_add(i32::from(day.min(last) - 1).days())
}

/// The same day some months later: 31 January, 28 February, 31 March.
pub fn months_on(anchor: Date, months: i32) -> Date {
    clamped(anchor.first_of_month().saturating_add(months.months()), anchor.day())
}

fn month_number(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month())
}

/// The days of a renewal, and the day of the month to which its months are clamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    pub start: Date,
    pub end: Date,
    pub anchor_day: i8,
}

/// What follows a contract: it starts the day after the end and lasts as many months. A contract that began on the
/// 31st keeps ending on the eve of the 31st, also after a February; one that is not whole months lasts as many days.
pub fn renewal(start: Date, end: Date, anchor_day: i8) -> Renewal {
    let next = end.saturating_add(1.day());
    let whole = |months: i32, anchor_day: i8| {
        let begins = clamped(next, anchor_day);
        let last = clamped(begins.first_of_month().saturating_add(months.months()), anchor_day);
        Renewal { start: next, end: last.saturating_sub(1.day()), anchor_day }
    };
    let months = month_number(next) - month_number(start);
    if months > 0 && next == clamped(next, anchor_day) {
        return whole(months, anchor_day);
    }
    // From 29 February 2024 to 28 February 2025: months that end with their last day, and so begin with the first.
    let to_its_end = month_number(end) - month_number(start);
    if to_its_end > 0 && end == end.last_of_month() && anchor_day > end.day() {
        return whole(to_its_end, 1);
    }
    let days = end.since(start).map(|span| span.get_days()).unwrap_or_default();
    Renewal { start: next, end: next.saturating_add(days.days()), anchor_day: next.day() }
}

/// Days before the end on which everybody is told again, beside the day of notice.
const TOLD: [i32; 3] = [14, 7, 1];

/// The days on which the end is announced, in their order.
pub fn reminders(end: Date, notice: Date) -> Vec<Date> {
    let mut days: Vec<Date> = TOLD.iter().map(|n| end.saturating_sub(n.days())).collect();
    days.push(notice);
    days.sort();
    days.dedup();
    days
}

/// A period of a bill: its first and last day, and the last day it would have, were it not cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: Date,
    pub to: Date,
    pub whole_to: Date,
}

impl Period {
    /// Of itself alone, and not cut short.
    pub fn of(from: Date, to: Date) -> Self {
        Self { from, to, whole_to: to }
    }
    pub fn days(&self) -> i64 {
        days(self.from, self.to)
    }
    pub fn whole_days(&self) -> i64 {
        days(self.from, self.whole_to)
    }
    /// The months that it is made of, each by the month in which it begins: `2026-11`.
    pub fn months(&self) -> Vec<String> {
        let count = month_number(self.whole_to.saturating_add(1.day())) - month_number(self.from);
        let month =
            |n: i32| self.from.first_of_month().saturating_add(n.months()).strftime("%Y-%m").to_string();
        (0..count.max(1)).map(month).collect()
    }
}

fn days(from: Date, to: Date) -> i64 {
    from.until(to).map(|span| i64::from(span.get_days())).unwrap_or_default() + 1
}

/// The period that begins on this day; none if none does.
pub fn period_from(start: Date, anchor_day: i8, months: i32, from: Date, end: Date) -> Option<Period> {
    let mut billed = None;
    loop {
        let period = next_period(start, anchor_day, months, billed, end)?;
        match period.from.cmp(&from) {
            std::cmp::Ordering::Less => billed = Some(period.to),
            std::cmp::Ordering::Equal => return Some(period),
            std::cmp::Ordering::Greater => return None,
        }
    }
}

/// The period that begins after `billed_to`, of so many months each, anchored to the day on which the contract began;
/// none when everything up to `end` is billed.
pub fn next_period(
    start: Date,
    anchor_day: i8,
    months: i32,
    billed_to: Option<Date>,
    end: Date,
) -> Option<Period> {
    let from = billed_to.map_or(start, |day| day.saturating_add(1.day()));
    if from > end {
        return None;
    }
    // Counted from the first period, so that no February shortens those after it.
    let first = start.first_of_month();
    let boundary = |n: i32| clamped(first.saturating_add((n * months).months()), anchor_day);
    let whole_to = (1..=1200).map(boundary).find(|b| *b > from)?.saturating_sub(1.day());
    Some(Period { from, to: whole_to.min(end), whole_to })
}

#[cfg(test)]
mod tests;
