//! Age as it is said: completed years; months under two years, days under one month.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Age {
    pub value: i32,
    pub unit: Unit,
}

kernel::words! {
    pub enum Unit { Years = "years", Months = "months", Days = "days" }
}

/// Born on 29 February counts on 1 March in other years.
pub fn age(born: Date, today: Date) -> Age {
    let months = months(born, today);
    match months {
        m if m >= 24 => Age { value: m / 12, unit: Unit::Years },
        m if m >= 1 => Age { value: m, unit: Unit::Months },
        _ => Age { value: (today - born).get_days().max(0), unit: Unit::Days },
    }
}

/// Completed months; a day that the month does not have is reached on the first of the next.
fn months(born: Date, today: Date) -> i32 {
    let whole = (i32::from(today.year()) - i32::from(born.year())) * 12 + i32::from(today.month())
        - i32::from(born.month());
    (whole - i32::from(today.day() < born.day())).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_the_unit_of_their_time_of_life() {
        let of = |born: &str, today: &str| {
            let a = age(born.parse().unwrap(), today.parse().unwrap());
            format!("{} {}", a.value, a.unit)
        };
        assert_eq!(of("1990-05-17", "2026-05-16"), "35 years");
        assert_eq!(of("1990-05-17", "2026-05-17"), "36 years");
        assert_eq!(of("2004-02-29", "2025-02-28"), "20 years");
        assert_eq!(of("2004-02-29", "2025-03-01"), "21 years");
        assert_eq!(of("2025-01-15", "2026-12-20"), "23 months");
        assert_eq!(of("2024-12-20", "2026-12-20"), "2 years");
        assert_eq!(of("2026-11-01", "2026-11-20"), "19 days");
        assert_eq!(of("2026-11-20", "2026-11-20"), "0 days");
        assert_eq!(of("2026-10-31", "2026-11-30"), "30 days");
    }
}
