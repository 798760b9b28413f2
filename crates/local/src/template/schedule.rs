//! Schedule expressions: `rate(5 minutes)` and the six fields of `cron(…)`, in UTC.

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};

#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    Every(SignedDuration),
    /// Allowed minutes, hours, days, months and weekdays (Sunday = 1); the year is not looked at.
    At {
        minutes: Vec<i8>,
        hours: Vec<i8>,
        days: Vec<i8>,
        months: Vec<i8>,
        weekdays: Vec<i8>,
    },
}

impl Schedule {
    pub fn parse(expression: &str) -> Option<Schedule> {
        let (kind, rest) = expression.trim().split_once('(')?;
        let mut fields = rest.strip_suffix(')')?.split_whitespace();
        if kind == "rate" {
            let count: i64 = fields.next()?.parse().ok().filter(|n| *n > 0)?;
            let seconds = match fields.next()?.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => return None,
            };
            return Some(Schedule::Every(SignedDuration::from_secs(count * seconds)));
        }
        let fields: Vec<&str> = fields.collect();
        let [minute, hour, day, month, weekday, _year] = fields.as_slice() else { return None };
        Some(Schedule::At {
            minutes: allowed(minute, 0, 59, &[])?,
            hours: allowed(hour, 0, 23, &[])?,
            days: allowed(day, 1, 31, &[])?,
            months: allowed(month, 1, 12, &MONTHS)?,
            weekdays: allowed(weekday, 1, 7, &WEEKDAYS)?,
        })
    }

    /// The first time after `last` at which it is due, to the minute. `None`: not within a year.
    pub fn next(&self, last: Timestamp) -> Option<Timestamp> {
        let Schedule::At { minutes, hours, days, months, weekdays } = self else {
            let Schedule::Every(period) = self else { return None };
            return last.checked_add(*period).ok();
        };
        let whole = Timestamp::from_second(last.as_second() - last.as_second().rem_euclid(60)).ok()?;
        let mut at = whole.checked_add(SignedDuration::from_mins(1)).ok()?;
        for _ in 0..366 * 24 * 60 {
            let time = at.to_zoned(TimeZone::UTC);
            let day = days.contains(&time.day()) && months.contains(&time.month());
            let weekday = weekdays.contains(&(Weekday::to_sunday_one_offset(time.weekday())));
            if !day || !weekday || !hours.contains(&time.hour()) {
                // Nothing in this hour: on to the next.
                let left = SignedDuration::from_mins(60 - i64::from(time.minute()));
                at = at.checked_add(left).ok()?;
                continue;
            }
            if minutes.contains(&time.minute()) {
                return Some(at);
            }
            at = at.checked_add(SignedDuration::from_mins(1)).ok()?;
        }
        None
    }
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// `*`, `?`, `5`, `1-5`, `0/15`, `MON,WED`.
fn allowed(field: &str, from: i8, to: i8, names: &[&str]) -> Option<Vec<i8>> {
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = named.map(|n| n as i8 + from).or_else(|| text.parse().ok())?;
        (from..=to).contains(&value).then_some(value)
    };
    let mut found = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().ok().filter(|step| *step > 0)?;
        let (first, last) = match range {
            "*" | "?" => (from, to),
            _ => match range.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(range)?, if part.contains('/') { to } else { number(range)? }),
            },
        };
        found.extend((first..=last).step_by(step));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, from: &str) -> String {
        Schedule::parse(expression).unwrap().next(from.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn schedules_name_their_next_time() {
        // 2026-11-20 is a Friday.
        let now = "2026-11-20T10:02:31Z";
        assert_eq!(next("rate(1 minute)", now), "2026-11-20T10:03:31Z");
        assert_eq!(next("cron(0 * * * ? *)", now), "2026-11-20T11:00:00Z");
        assert_eq!(next("cron(20 0 * * ? *)", now), "2026-11-21T00:20:00Z");
        assert_eq!(next("cron(0 3 ? * MON *)", now), "2026-11-23T03:00:00Z");
        assert_eq!(next("cron(0/15 8-9 1,15 DEC ? *)", now), "2026-12-01T08:00:00Z");
        assert_eq!(next("cron(5 10 ? * MON-FRI *)", "2026-11-20T10:05:00Z"), "2026-11-23T10:05:00Z");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            "",
            "rate(0 minutes)",
            "rate(1 week)",
            "cron(0 3 ? * MON)",
            "cron(61 3 ? * MON *)",
            "cron(0 3 ? * XXX *)",
            "cron(0/0 * * * ? *)",
        ] {
            assert_eq!(Schedule::parse(bad), None, "{bad}");
        }
    }
}
