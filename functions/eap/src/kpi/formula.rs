//! Key figures of a programme and how each is computed (`facts/04-eap.md`; EAPA's utilisation after Masi et al. 2022).
//! Exact until the last step: numerator and denominator are whole numbers, and a figure without a denominator is none.

use crate::{
    report::{Period, Uses},
    use_of::Use,
    words::{Referral, Relation},
};

kernel::words! { pub enum Unit { Percent = "percent", Count = "count", Ratio = "ratio", Minutes = "minutes", Score = "score" } }
kernel::words! { pub enum Direction { Up = "up", Down = "down" } }

/// What is known of a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Of every month; `None` where no headcount was ever stated.
    pub headcounts: Option<Vec<u64>>,
    /// Different people with a completed session.
    pub people: u64,
    pub employees: u64,
    /// Employees with a completed session of a clinical category: no family, no missed session, no training.
    pub clinical_employees: u64,
    /// Employees whom a manager sent or advised to come.
    pub by_manager: u64,
    pub sessions: u64,
    pub missed: u64,
    pub satisfied: Satisfied,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Satisfied {
    pub answers: u64,
    /// With a mean of 4 or 5 of 5.
    pub satisfied: u64,
}

impl Satisfied {
    /// One answer more, of scores from 1 to 5.
    pub fn count(&mut self, scores: &[u8]) {
        let sum: usize = scores.iter().map(|score| usize::from(*score)).sum();
        if !scores.is_empty() {
            self.answers += 1;
            self.satisfied += u64::from(sum >= 4 * scores.len());
        }
    }
}

impl Measured {
    pub fn of(uses: &Uses, period: Period, headcounts: Option<&[u64]>, satisfied: Satisfied) -> Self {
        let mut found = Self { headcounts: headcounts.map(Vec::from), satisfied, ..Self::default() };
        for rows in uses.values() {
            let rows: Vec<&Use> = rows
                .iter()
                .filter(|(quarter, _)| period.span().contains(quarter))
                .map(|(_, row)| row)
                .collect();
            found.add(&rows);
        }
        found
    }

    fn add(&mut self, rows: &[&Use]) {
        self.sessions += rows.iter().map(|row| u64::from(row.sessions)).sum::<u64>();
        self.missed += rows.iter().map(|row| u64::from(row.no_shows)).sum::<u64>();
        let used = || rows.iter().filter(|row| row.sessions > 0);
        let any = |is: fn(&Use) -> bool| u64::from(used().any(|row| is(row)));
        self.people += any(|_| true);
        self.employees += any(|row| row.relation == Relation::Employee);
        self.clinical_employees += any(|row| row.relation == Relation::Employee && row.clinical);
        let by_manager =
            |row: &Use| matches!(row.referral, Referral::ManagerFormal | Referral::ManagerInformal);
        self.by_manager += u64::from(used().any(|row| row.relation == Relation::Employee && by_manager(row)));
    }

    /// Average of the months, rounded down; `None` without one.
    pub fn headcount(&self) -> Option<u64> {
        let heads = self.headcounts.as_ref().filter(|heads| !heads.is_empty())?;
        Some(heads.iter().sum::<u64>() / heads.len() as u64)
    }
    /// Heads times months: under a year's people it makes a rate of a year.
    fn head_months(&self) -> u64 {
        self.headcounts.as_ref().map_or(0, |heads| heads.iter().sum())
    }
}

/// A quotient as it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    pub numerator: u64,
    pub denominator: u64,
    pub percent: bool,
}

impl Figure {
    /// To so many decimals, half up; `None` without a denominator.
    pub fn rounded(self, decimals: u32) -> Option<f64> {
        if self.denominator == 0 {
            return None;
        }
        let scale = 10u128.pow(decimals);
        let (over, under) = (
            u128::from(self.numerator) * scale * if self.percent { 100 } else { 1 },
            u128::from(self.denominator),
        );
        Some(((over * 2 + under) / (under * 2)) as f64 / scale as f64)
    }
}

/// A figure that is computed; `manual` ones are entered.
pub struct Formula {
    pub code: &'static str,
    pub unit: Unit,
    pub measure: fn(&Measured) -> (u64, u64),
}

pub const MANUAL: &str = "manual";

pub const FORMULAS: &[Formula] = &[
    // ÷ average headcount × 12 ÷ months is 12 × people ÷ the sum of the months' headcounts.
    Formula {
        code: "utilisation",
        unit: Unit::Percent,
        measure: |m| (12 * m.clinical_employees, m.head_months()),
    },
    Formula { code: "reach", unit: Unit::Percent, measure: |m| (12 * m.people, m.head_months()) },
    Formula { code: "sessions_per_person", unit: Unit::Ratio, measure: |m| (m.sessions, m.people) },
    Formula { code: "no_show", unit: Unit::Percent, measure: |m| (m.missed, m.missed + m.sessions) },
    Formula { code: "supervisor_referral", unit: Unit::Percent, measure: |m| (m.by_manager, m.employees) },
    Formula {
        code: "satisfaction",
        unit: Unit::Percent,
        measure: |m| (m.satisfied.satisfied, m.satisfied.answers),
    },
];

pub fn named(code: &str) -> Option<&'static Formula> {
    FORMULAS.iter().find(|formula| formula.code == code)
}

impl Formula {
    pub fn measure(&self, measured: &Measured) -> Figure {
        let (numerator, denominator) = (self.measure)(measured);
        Figure { numerator, denominator, percent: self.unit == Unit::Percent }
    }
}

kernel::words! { pub enum Light { Green = "green", Amber = "amber", Red = "red" } }

/// Against target and amber, of which amber is the weaker one.
pub fn light(value: f64, target: f64, amber: f64, direction: Direction) -> Light {
    let reaches = |mark: f64| match direction {
        Direction::Up => value >= mark,
        Direction::Down => value <= mark,
    };
    match (reaches(target), reaches(amber)) {
        (true, _) => Light::Green,
        (false, true) => Light::Amber,
        (false, false) => Light::Red,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half_year(heads: u64, clinical_employees: u64) -> Measured {
        Measured { headcounts: Some(vec![heads; 6]), clinical_employees, ..Measured::default() }
    }
    fn utilisation(measured: &Measured) -> Option<f64> {
        named("utilisation").unwrap().measure(measured).rounded(1)
    }

    #[test]
    fn forty_two_of_five_hundred_in_half_a_year_are_16_8_percent_of_a_year() {
        assert_eq!(utilisation(&half_year(500, 42)), Some(16.8));
    }

    #[test]
    fn nobody_to_use_it_is_no_rate_and_not_zero() {
        assert_eq!(utilisation(&half_year(0, 0)), None);
        assert_eq!(utilisation(&Measured::default()), None);
        assert_eq!(utilisation(&half_year(500, 0)), Some(0.0));
    }

    #[test]
    fn a_headcount_that_changes_counts_by_its_months() {
        let measured =
            Measured { headcounts: Some(vec![100, 200, 300]), clinical_employees: 10, ..Measured::default() };
        assert_eq!((utilisation(&measured), measured.headcount()), (Some(20.0), Some(200)));
    }

    #[test]
    fn half_is_rounded_up() {
        let figure = |numerator, denominator| Figure { numerator, denominator, percent: true };
        assert_eq!((figure(1, 8).rounded(0), figure(1, 8).rounded(1)), (Some(13.0), Some(12.5)));
        assert_eq!(figure(1, 3).rounded(1), Some(33.3));
    }

    #[test]
    fn seventy_four_of_a_target_of_80_with_amber_70_is_amber() {
        assert_eq!(light(74.0, 80.0, 70.0, Direction::Up), Light::Amber);
        assert_eq!(light(80.0, 80.0, 70.0, Direction::Up), Light::Green);
        assert_eq!(light(69.9, 80.0, 70.0, Direction::Up), Light::Red);
        assert_eq!(light(12.0, 10.0, 15.0, Direction::Down), Light::Amber);
    }

    #[test]
    fn a_code_names_one_formula_and_none_is_entered_by_hand() {
        let mut codes: Vec<_> = FORMULAS.iter().map(|formula| formula.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), FORMULAS.len());
        assert!(!codes.contains(&MANUAL));
    }
}
