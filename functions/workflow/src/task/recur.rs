//! What comes again: the part of RFC 5545 that work needs.

use jiff::{
    ToSpan, Zoned,
    civil::{Date, Weekday},
};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Every {
    Day,
    Week,
    Month,
    Year,
}

/// `FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH`, `FREQ=MONTHLY;BYMONTHDAY=-1`, with `UNTIL` where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    every: Every,
    interval: i64,
    days: Vec<Weekday>,
    month_day: Option<i8>,
    until: Option<Date>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

impl FromStr for Recurrence {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rule = Self { every: Every::Day, interval: 1, days: vec![], month_day: None, until: None };
        let mut frequent = false;
        for part in text.trim_start_matches("RRULE:").split(';').filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("{part} is no part of a rule"))?;
            let wrong = || format!("{name} may not be {value}");
            match name {
                "FREQ" => {
                    frequent = true;
                    rule.every = match value {
                        "DAILY" => Every::Day,
                        "WEEKLY" => Every::Week,
                        "MONTHLY" => Every::Month,
                        "YEARLY" => Every::Year,
                        _ => return Err(wrong()),
                    };
                }
                "INTERVAL" => {
                    rule.interval = value.parse().ok().filter(|n| (1..=366).contains(n)).ok_or_else(wrong)?;
                }
                "BYDAY" => {
                    for day in value.split(',') {
                        let known = DAYS.iter().find(|(word, _)| *word == day).ok_or_else(wrong)?;
                        rule.days.push(known.1);
                    }
                }
                "BYMONTHDAY" => {
                    let day = value.parse().ok().filter(|d| (1..=31).contains(d) || *d == -1);
                    rule.month_day = Some(day.ok_or_else(wrong)?);
                }
                "UNTIL" => {
                    let day = value.get(..8).and_then(|d| Date::strptime("%Y%m%d", d).ok());
                    rule.until = Some(day.ok_or_else(wrong)?);
                }
                _ => {
                    return Err(format!(
                        "{name} is not known here; FREQ, INTERVAL, BYDAY, BYMONTHDAY, UNTIL are"
                    ));
                }
            }
        }
        match (frequent, rule.every) {
            (false, _) => Err("a rule needs FREQ".into()),
            (_, Every::Day | Every::Week) if rule.month_day.is_some() => {
                Err("BYMONTHDAY goes with MONTHLY".into())
            }
            (_, every) if every != Every::Week && !rule.days.is_empty() => {
                Err("BYDAY goes with WEEKLY".into())
            }
            _ => Ok(rule),
        }
    }
}

impl Recurrence {
    /// The next time after this one, at the same hour of the wall's clock.
    pub fn after(&self, last: &Zoned) -> Option<Zoned> {
        let next = self.day_after(last.date())?;
        if self.until.is_some_and(|until| next > until) {
            return None;
        }
        next.to_datetime(last.time()).to_zoned(last.time_zone().clone()).ok()
    }

    fn day_after(&self, last: Date) -> Option<Date> {
        let n = self.interval;
        match self.every {
            Every::Day => last.checked_add(n.days()).ok(),
            Every::Week if self.days.is_empty() => last.checked_add(n.weeks()).ok(),
            Every::Week => self.weekday_after(last),
            Every::Month => self.in_month(last.first_of_month().checked_add(n.months()).ok()?, last),
            Every::Year => last.checked_add(n.years()).ok(),
        }
    }

    /// The next of the days in this week, else the first of them so many weeks later.
    fn weekday_after(&self, last: Date) -> Option<Date> {
        let monday =
            |day: Date| day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok();
        let week = monday(last)?;
        (1..=7 * self.interval + 7)
            .filter_map(|n| last.checked_add(n.days()).ok())
            .filter(|day| self.days.contains(&day.weekday()))
            .find(|day| {
                let weeks =
                    monday(*day).map(|m| week.duration_until(m).as_hours() / (24 * 7)).unwrap_or_default();
                weeks % self.interval == 0
            })
    }

    fn in_month(&self, first: Date, last: Date) -> Option<Date> {
        let end = first.last_of_month();
        let day = match self.month_day {
            Some(-1) => end.day(),
            Some(day) => day,
            None => last.day(),
        };
        Date::new(first.year(), first.month(), day.min(end.day())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn next(rule: &str, from: &str, zone: &str) -> String {
        let rule: Recurrence = rule.parse().unwrap();
        let from = from.parse::<jiff::Timestamp>().unwrap().to_zoned(TimeZone::get(zone).unwrap());
        rule.after(&from).map_or_else(|| "never".into(), |z| z.timestamp().to_string())
    }

    #[test]
    fn it_comes_again_when_the_rule_says() {
        let from = "2026-11-27T16:00:00Z"; // a Friday, 17:00 in Lagos
        for (rule, wanted) in [
            ("FREQ=DAILY", "2026-11-28T16:00:00Z"),
            ("FREQ=WEEKLY", "2026-12-04T16:00:00Z"),
            ("FREQ=WEEKLY;BYDAY=MO,FR", "2026-11-30T16:00:00Z"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-12-07T16:00:00Z"),
            ("FREQ=MONTHLY", "2026-12-27T16:00:00Z"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-12-31T16:00:00Z"),
            ("FREQ=YEARLY", "2027-11-27T16:00:00Z"),
            ("FREQ=DAILY;UNTIL=20261127", "never"),
        ] {
            assert_eq!(next(rule, from, "Africa/Lagos"), wanted, "{rule}");
        }
        assert_eq!(
            next("FREQ=MONTHLY;BYMONTHDAY=31", "2027-01-31T16:00:00Z", "Africa/Lagos"),
            "2027-02-28T16:00:00Z"
        );
        assert_eq!(next("FREQ=DAILY", "2027-03-27T17:00:00Z", "Europe/London"), "2027-03-28T16:00:00Z");
    }

    #[test]
    fn what_is_no_rule_is_said_to_be_none() {
        for rule in [
            "",
            "FREQ=HOURLY",
            "FREQ=DAILY;BYDAY=MO",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;COUNT=3",
            "INTERVAL=2",
        ] {
            assert!(rule.parse::<Recurrence>().is_err(), "{rule}");
        }
    }
}
