//! Quarters of a calendar year: `2026-Q3`, `2026-H1`, `2026-9M` and `2026`.

use super::frame::Span;
use crate::use_of::Quarter;
use jiff::{ToSpan, civil::Date};
use kernel::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// Days after its end before a span may be reported: what is entered by then belongs to it.
const LATE: i64 = 5;

/// How a span of quarters is written behind its year.
const SPANS: &[(&str, u8, u8)] = &[
    ("-Q1", 1, 1),
    ("-Q2", 2, 2),
    ("-Q3", 3, 3),
    ("-Q4", 4, 4),
    ("-H1", 1, 2),
    ("-H2", 3, 4),
    ("-9M", 1, 3),
    ("", 1, 4),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub year: i16,
    first: u8,
    last: u8,
}

impl Period {
    pub fn span(self) -> Span {
        self.first..=self.last
    }
    pub fn quarters(self) -> impl Iterator<Item = Quarter> {
        self.span().map(move |quarter| Quarter { year: self.year, quarter: quarter as i8 })
    }
    /// Every quarter of its year up to its end: a person's class is that of their first use in the year.
    pub fn year_so_far(self) -> impl Iterator<Item = Quarter> {
        (1..=self.last).map(move |quarter| Quarter { year: self.year, quarter: quarter as i8 })
    }
    /// `2026-07` and so on.
    pub fn months(self) -> Vec<String> {
        let (first, last) = (self.first * 3 - 2, self.last * 3);
        (first..=last).map(|month| format!("{:04}-{month:02}", self.year)).collect()
    }
    /// First and last day.
    pub fn days(self) -> (Date, Date) {
        let month = |month: u8| Date::constant(self.year, month as i8, 1);
        (month(self.first * 3 - 2), month(self.last * 3).last_of_month())
    }
    /// The first day on which it may be reported.
    fn opens(self) -> Date {
        self.days().1.saturating_add((LATE + 1).days())
    }
    /// 422 while its last quarter still runs, or is not five days over.
    pub fn is_over(self, today: Date) -> Result<()> {
        if today < self.opens() {
            let detail = format!("{self} can be reported from {} on", self.opens());
            return Err(Error::field("period-open", "/period", detail));
        }
        Ok(())
    }
}

impl FromStr for Period {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let short = || {
            Error::field("period-too-short", "/period", "quarters of a year: 2026-Q3, 2026-H1, 2026-9M, 2026")
        };
        let (year, rest) = text.split_at_checked(4).ok_or_else(short)?;
        let year: i16 = year.parse().ok().filter(|year| *year >= 2000).ok_or_else(short)?;
        let (_, first, last) = *SPANS.iter().find(|(name, ..)| *name == rest).ok_or_else(short)?;
        Ok(Self { year, first, last })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = SPANS.iter().find(|(_, first, last)| (*first, *last) == (self.first, self.last));
        write!(f, "{:04}{}", self.year, rest.map_or("", |(name, ..)| name))
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|_| D::Error::custom("a span of quarters, such as 2026-Q3"))
    }
}
impl JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReportPeriod".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{4}(-(Q[1-4]|H[12]|9M))?$"})
    }
    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn every_span_reads_as_it_is_written() {
        for (rest, first, last) in SPANS {
            let period: Period = format!("2026{rest}").parse().unwrap();
            assert_eq!((period.span(), period.to_string()), (*first..=*last, format!("2026{rest}")));
        }
    }

    #[test]
    fn a_month_is_too_short_and_nothing_else_is_a_span() {
        for text in ["2026-07", "2026-Q5", "2026-W1", "Q3", "", "1999-Q1", "2026-q1"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_quarter_is_reported_five_days_after_its_end() {
        let period: Period = "2026-Q1".parse().unwrap();
        assert!(period.is_over(date(2026, 4, 5)).is_err());
        assert!(period.is_over(date(2026, 4, 6)).is_ok());
        assert_eq!(period.months(), ["2026-01", "2026-02", "2026-03"]);
    }
}
