//! Availability: the rules by which somebody can be booked (FHIR Schedule). Local times of the site's zone.

mod api;
mod overlap;
pub use api::{of_host, routes};
pub use overlap::overlapping;

use crate::{host::Host, practitioner};
use jiff::civil::{Date, Time, Weekday};
use kernel::{AvailabilityId, DepartmentId, Fault, PractitionerId, Result, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Day {
        Monday = "monday", Tuesday = "tuesday", Wednesday = "wednesday", Thursday = "thursday",
        Friday = "friday", Saturday = "saturday", Sunday = "sunday",
    }
}
kernel::words! {
    pub enum Mode {
        /// Single slots on a grid.
        Slots = "slots",
        /// One meeting for many: an antenatal clinic.
        Session = "session",
    }
}
kernel::words! {
    /// The part of RFC 5545's rules that clinics use.
    pub enum Recurrence { Weekly = "weekly", Monthly = "monthly", Dates = "dates" }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    pub start: Time,
    pub end: Time,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// Either a practitioner or, for session clinics, a department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<PractitionerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<DepartmentId>,
    pub site: SiteId,
    pub valid_from: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    #[serde(default = "weekly")]
    pub recurrence: Recurrence,
    /// Every so many weeks (counted from the week of `valid_from`) or months.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 52))]
    pub interval: u8,
    /// For monthly rules: the first to fifth such weekday, or the last (−1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 5))]
    pub nth: Option<i8>,
    #[serde(default)]
    #[schemars(length(max = 7), extend("uniqueItems" = true))]
    pub weekdays: Vec<Day>,
    #[serde(default)]
    #[schemars(length(max = 200), extend("uniqueItems" = true))]
    pub dates: Vec<Date>,
    pub start: Time,
    pub end: Time,
    #[serde(default = "slots")]
    pub mode: Mode,
    /// 5–120, a multiple of 5; else the practitioner's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 120))]
    pub slot_minutes: Option<u32>,
    /// Patients at once: 1–5 per slot, 1–100 per session.
    #[serde(default = "single")]
    #[schemars(range(min = 1, max = 100))]
    pub capacity: u16,
    /// Types that may be booked; empty = all that the practitioner offers.
    #[serde(default)]
    #[schemars(length(max = 20), inner(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$")))]
    pub types: Vec<String>,
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub breaks: Vec<Pause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub room: Option<String>,
}

fn weekly() -> Recurrence {
    Recurrence::Weekly
}
fn one() -> u8 {
    1
}
fn single() -> u16 {
    1
}
fn slots() -> Mode {
    Mode::Slots
}

impl Day {
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

impl Availability {
    pub fn host(&self) -> Option<Host> {
        Host::named(self.practitioner_id, self.department_id).ok()
    }

    /// Whether the rule holds on this local day.
    pub fn occurs(&self, date: Date) -> bool {
        if date < self.valid_from || self.valid_to.is_some_and(|to| date > to) {
            return false;
        }
        match self.recurrence {
            Recurrence::Dates => self.dates.contains(&date),
            Recurrence::Weekly => {
                let monday = |d: Date| days(d) - i64::from(d.weekday().to_monday_zero_offset());
                let weeks = (monday(date) - monday(self.valid_from)) / 7;
                self.weekdays.contains(&Day::of(date)) && weeks % i64::from(self.interval) == 0
            }
            Recurrence::Monthly => {
                let month = |d: Date| i64::from(d.year()) * 12 + i64::from(d.month());
                let months = month(date) - month(self.valid_from);
                let last = date.day() + 7 > date.days_in_month();
                let this = (date.day() - 1) / 7 + 1;
                let nth = self.nth.is_some_and(|n| n == this || n == -1 && last);
                self.weekdays.contains(&Day::of(date)) && months % i64::from(self.interval) == 0 && nth
            }
        }
    }

    /// The last day it can hold, as lists sort it.
    fn ends(&self) -> Date {
        let listed =
            (self.recurrence == Recurrence::Dates).then(|| self.dates.iter().max().copied()).flatten();
        let ends = [listed, self.valid_to].into_iter().flatten().min();
        ends.unwrap_or(Date::constant(9999, 12, 31))
    }
}

/// Days since the year 0, for counting.
fn days(date: Date) -> i64 {
    i64::from(date.since(Date::constant(0, 1, 1)).map_or(0, |s| s.get_days()))
}

impl Entity for Availability {
    type Id = AvailabilityId;
    const NOUN: &'static str = "availability";
    /// Sorted by the last day they hold, so that rules of the past are never read when booking.
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("practitioner", &["practitioner"], |r| {
            r.body.practitioner_id.iter().map(|p| Row::new(&[p], &[&r.body.ends(), &r.id])).collect()
        })
        .range()
        .oldest_first(),
        List::<Self>::by("department", &["department"], |r| {
            r.body.department_id.iter().map(|d| Row::new(&[d], &[&r.body.ends(), &r.id])).collect()
        })
        .range()
        .oldest_first(),
    ];
}

impl Noun for Availability {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::Site | Reach::Team => actor.sites.has(&record.body.site),
            _ => false,
        }
    }
    /// Practitioners keep their own rules.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        practitioner::is_caller(ctx, record.body.practitioner_id).await
    }

    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        let mut fault = |wrong: bool, at: &str, code, detail: &str| {
            if wrong {
                faults.push(Fault::new(at, code, detail));
            }
        };
        let off = |t: Time| t.minute() % 5 != 0 || t.second() != 0 || t.subsec_nanosecond() != 0;
        let five = "on a full five minutes";
        fault(
            self.host().is_none(),
            "/practitioner_id",
            "host",
            "name either a practitioner or a department",
        );
        fault(self.end <= self.start, "/end", "order", "after start, on the same day");
        fault(off(self.start), "/start", "not-five-minutes", five);
        fault(off(self.end), "/end", "not-five-minutes", five);
        fault(
            self.valid_to.is_some_and(|to| to < self.valid_from),
            "/valid_to",
            "order",
            "not before valid_from",
        );
        let minutes = self.slot_minutes.unwrap_or(5);
        fault(!minutes.is_multiple_of(5), "/slot_minutes", "not-five-minutes", "a multiple of 5 minutes");
        let crowded = self.mode == Mode::Slots && self.capacity > 5;
        fault(crowded, "/capacity", "range", "at most 5 patients in one slot; use mode session for more");
        match self.recurrence {
            Recurrence::Dates => fault(self.dates.is_empty(), "/dates", "required", "name the dates"),
            Recurrence::Weekly => fault(self.weekdays.is_empty(), "/weekdays", "required", "name the days"),
            Recurrence::Monthly => {
                fault(self.weekdays.is_empty(), "/weekdays", "required", "name the days");
                let wrong = !matches!(self.nth, Some(-1 | 1..=5));
                fault(wrong, "/nth", "required", "1 to 5, or -1 for the last");
            }
        }
        for (n, pause) in self.breaks.iter().enumerate() {
            let outside = pause.start < self.start || pause.end > self.end || pause.end <= pause.start;
            fault(
                outside || off(pause.start) || off(pause.end),
                &format!("/breaks/{n}"),
                "break",
                "inside the rule",
            );
        }
        faults
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::rule as test_rule;
