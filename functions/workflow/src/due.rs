//! Due rows, as the clock sends them, and when something is due: in minutes, hours, days or working days, and at
//! the hour of the day that a bare date means.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use kernel::{Error, Fault, Id, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{App, Ctx};

pub use web::live as record;

pub const MODULE: &str = "workflow";

/// The tenant's context and the record's id; none if the message names nothing of ours.
pub async fn read<I: Id>(app: &App, due: &Value) -> Result<Option<(Ctx, I)>> {
    web::named(app, MODULE, due).await
}

kernel::words! {
    pub enum Unit { Minutes = "minutes", Hours = "hours", Days = "days", WorkingDays = "working_days" }
}

/// So much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Within {
    #[schemars(range(min = 1, max = 100000))]
    pub count: i64,
    pub unit: Unit,
}

/// When a day's work is over: what a bare date means.
const CLOSE: i8 = 17;
/// Days that are looked through for working ones: two years of nothing but holidays would be a mistake.
const YEARS: usize = 800;

/// The organisation's zone and the days on which nobody works.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: TimeZone,
    pub holidays: Vec<Date>,
}

impl Calendar {
    pub fn of(ctx: &Ctx) -> Self {
        let days =
            ctx.gate().tenant.as_ref().and_then(|t| t.policies.get("holidays")).and_then(Value::as_array);
        let days = days.into_iter().flatten().filter_map(|d| d.as_str()?.parse().ok());
        Self { zone: ctx.zone(), holidays: days.collect() }
    }
    pub fn works(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.holidays.contains(&day)
    }
    /// 17:00 of a day, as the clocks there say.
    pub fn close_of(&self, day: Date) -> Result<Timestamp> {
        self.at(day, CLOSE)
    }
    pub fn at(&self, day: Date, hour: i8) -> Result<Timestamp> {
        let at = day.at(hour, 0, 0, 0).to_zoned(self.zone.clone());
        at.map(|z| z.timestamp()).map_err(|_| Error::from(far()))
    }
    /// Days and working days end with the working day, by the wall's clock; minutes and hours are counted.
    pub fn later(&self, from: Timestamp, within: Within) -> Result<Timestamp> {
        let day = from.to_zoned(self.zone.clone()).date();
        match within.unit {
            Unit::Minutes => from.checked_add(within.count.minutes()).map_err(|_| far().into()),
            Unit::Hours => from.checked_add(within.count.hours()).map_err(|_| far().into()),
            Unit::Days => self.close_of(self.plus(day, within.count)?),
            Unit::WorkingDays => self.close_of(self.plus_working(day, within.count)?),
        }
    }
    pub fn plus(&self, day: Date, days: i64) -> Result<Date> {
        day.checked_add(days.days()).map_err(|_| far().into())
    }
    pub fn plus_working(&self, from: Date, days: i64) -> Result<Date> {
        let (mut day, mut left) = (from, days);
        for _ in 0..YEARS {
            if left <= 0 {
                return Ok(day);
            }
            day = self.plus(day, 1)?;
            left -= i64::from(self.works(day));
        }
        Err(far().into())
    }
}

struct Far;
fn far() -> Far {
    Far
}
impl From<Far> for Error {
    fn from(_: Far) -> Self {
        Error::Invalid(vec![Fault::new("/due_in", "range", "that lies too far away")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lagos() -> Calendar {
        Calendar {
            zone: TimeZone::get("Europe/London").unwrap(),
            holidays: vec!["2026-12-25".parse().unwrap()],
        }
    }
    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn working_days_pass_over_weekends_and_holidays() {
        let within = |count, unit| lagos().later(at("2026-12-24T10:00:00Z"), Within { count, unit }).unwrap();
        assert_eq!(within(1, Unit::WorkingDays), at("2026-12-28T17:00:00Z"));
        assert_eq!(within(1, Unit::Days), at("2026-12-25T17:00:00Z"));
        assert_eq!(within(36, Unit::Hours), at("2026-12-25T22:00:00Z"));
        assert_eq!(within(90, Unit::Minutes), at("2026-12-24T11:30:00Z"));
    }

    #[test]
    fn a_change_of_clocks_does_not_move_the_end_of_the_day() {
        let calendar = lagos();
        let summer = calendar.later(at("2027-03-26T09:00:00Z"), Within { count: 1, unit: Unit::WorkingDays });
        assert_eq!(summer.unwrap(), at("2027-03-29T16:00:00Z"), "Monday, in summer time");
    }
}
