//! Key figures of a programme and how each is computed (`facts/04-eap.md`; EAPA's utilisation after Masi et al. 2022).
//! Exact until the last step: numerator and denominator are whole numbers, and a figure without a denominator is none.

use crate::{
    case::course::{Change, Course},
    report::{Period, Uses},
    use_of::Use,
    words::Relation,
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
    /// Employees with a completed session of a clinical category: no family, no missed session, no training.
    pub clinical_employees: u64,
    pub sessions: u64,
    pub missed: u64,
    pub satisfied: Satisfied,
    /// Of the cases that were opened in the span.
    pub courses: Vec<Course>,
    /// Who came to events for the whole organisation, each as often as they came.
    pub attended: u64,
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
    /// What people used; what else is measured is added to it.
    pub fn of(uses: &Uses, period: Period) -> Self {
        let mut found = Self::default();
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
        self.clinical_employees += any(|row| row.relation == Relation::Employee && row.clinical);
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
    fn cases(&self, is: fn(&Course) -> bool) -> u64 {
        self.courses.iter().filter(|course| is(course)).count() as u64
    }
    fn sum(&self, of: fn(&Course) -> u32) -> u64 {
        self.courses.iter().map(|course| u64::from(of(course))).sum()
    }
    /// Of the minutes from opening to the first session: the middle one, or the two middle ones.
    fn wait(&self) -> (i64, u64) {
        let mut waits: Vec<u32> = self.courses.iter().filter_map(|course| course.minutes_to_first).collect();
        waits.sort_unstable();
        let middle = match waits.len() {
            0 => &[],
            odd if odd % 2 == 1 => &waits[odd / 2..=odd / 2],
            even => &waits[even / 2 - 1..=even / 2],
        };
        (middle.iter().map(|minutes| i64::from(*minutes)).sum(), middle.len() as u64)
    }
    /// Mean of after minus before, of those who answered both.
    fn change(&self, item: fn(&Change) -> i32) -> (i64, u64) {
        let changes = self.courses.iter().filter_map(|course| course.change.as_ref());
        changes.fold((0, 0), |(sum, n), change| (sum + i64::from(item(change)), n + 1))
    }
}

/// A quotient as it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Below zero where something became less.
    pub numerator: i64,
    pub denominator: u64,
    pub percent: bool,
}

impl Figure {
    /// To so many decimals, half up; `None` without a denominator.
    pub fn rounded(self, decimals: u32) -> Option<f64> {
        if self.denominator == 0 {
            return None;
        }
        let scale = 10i128.pow(decimals);
        let over = i128::from(self.numerator) * scale * if self.percent { 100 } else { 1 };
        let under = i128::from(self.denominator);
        Some((over * 2 + under).div_euclid(under * 2) as f64 / scale as f64)
    }
}

/// A figure that is computed; `manual` ones are entered.
pub struct Formula {
    pub code: &'static str,
    pub unit: Unit,
    pub measure: fn(&Measured) -> (i64, u64),
    /// With fewer behind it there is no value: it would tell the account's staff what one person answered.
    pub least: u64,
}

pub const MANUAL: &str = "manual";

/// Answers behind a mean of what people said of themselves.
const PAIRS: u64 = 5;

const fn formula(code: &'static str, unit: Unit, measure: fn(&Measured) -> (i64, u64)) -> Formula {
    Formula { code, unit, measure, least: 1 }
}
const fn outcome(code: &'static str, unit: Unit, measure: fn(&Measured) -> (i64, u64)) -> Formula {
    Formula { code, unit, measure, least: PAIRS }
}
/// One count of another.
const fn over(part: u64, whole: u64) -> (i64, u64) {
    (part as i64, whole)
}

pub const FORMULAS: &[Formula] = &[
    // ÷ average headcount × 12 ÷ months is 12 × people ÷ the sum of the months' headcounts.
    formula("utilisation", Unit::Percent, |m| over(12 * m.clinical_employees, m.head_months())),
    formula("reach", Unit::Percent, |m| over(12 * m.people, m.head_months())),
    formula("all_services_utilisation", Unit::Percent, |m| {
        over(12 * (m.people + m.attended), m.head_months())
    }),
    formula("sessions_per_person", Unit::Ratio, |m| over(m.sessions, m.people)),
    formula("sessions_per_case", Unit::Ratio, |m| over(m.sum(|c| c.sessions), m.cases(|_| true))),
    formula("no_show", Unit::Percent, |m| over(m.missed, m.missed + m.sessions)),
    formula("supervisor_referral", Unit::Percent, |m| {
        over(m.cases(|c| c.employee && c.by_manager), m.cases(|c| c.employee))
    }),
    // Of a thousand cases of employees, those with a recommendation to somebody outside.
    formula("referral_rate", Unit::Ratio, |m| {
        over(1000 * m.cases(|c| c.employee && c.recommended.given > 0), m.cases(|c| c.employee))
    }),
    formula("acceptance", Unit::Percent, |m| {
        over(m.sum(|c| c.recommended.accepted), m.sum(|c| c.recommended.given))
    }),
    formula("follow_through", Unit::Percent, |m| {
        over(m.sum(|c| c.recommended.contacted), m.sum(|c| c.recommended.accepted))
    }),
    formula("completion", Unit::Percent, |m| {
        over(m.sum(|c| c.recommended.completed), m.sum(|c| c.recommended.contacted))
    }),
    formula("time_to_first_session", Unit::Minutes, Measured::wait),
    formula("satisfaction", Unit::Percent, |m| over(m.satisfied.satisfied, m.satisfied.answers)),
    // Minutes of the last four weeks.
    outcome("outcome_absenteeism", Unit::Minutes, |m| m.change(|c| c.absenteeism_hours * 60)),
    outcome("outcome_presenteeism", Unit::Score, |m| m.change(|c| c.presenteeism)),
    outcome("outcome_engagement", Unit::Score, |m| m.change(|c| c.engagement)),
    outcome("outcome_life_satisfaction", Unit::Score, |m| m.change(|c| c.life_satisfaction)),
    outcome("outcome_distress", Unit::Score, |m| m.change(|c| c.distress)),
];

pub fn named(code: &str) -> Option<&'static Formula> {
    FORMULAS.iter().find(|formula| formula.code == code)
}

impl Formula {
    pub fn measure(&self, measured: &Measured) -> Figure {
        let (numerator, denominator) = (self.measure)(measured);
        let percent = self.unit == Unit::Percent;
        match denominator < self.least {
            true => Figure { numerator: 0, denominator: 0, percent },
            false => Figure { numerator, denominator, percent },
        }
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
        let less = Figure { numerator: -5, denominator: 4, percent: false };
        assert_eq!((less.rounded(1), less.rounded(0)), (Some(-1.2), Some(-1.0)), "half up, also below zero");
    }

    fn course(minutes_to_first: Option<u32>, distress: Option<i32>) -> Course {
        let change = distress.map(|distress| Change { distress, ..Change::default() });
        Course { employee: true, minutes_to_first, change, ..Course::default() }
    }
    fn of_courses(code: &str, courses: Vec<Course>) -> Option<f64> {
        named(code).unwrap().measure(&Measured { courses, ..Measured::default() }).rounded(1)
    }

    #[test]
    fn the_wait_is_the_middle_one_and_nobody_waited_who_has_not_come() {
        let waits =
            |all: &[u32]| all.iter().map(|m| course(Some(*m), None)).chain([course(None, None)]).collect();
        assert_eq!(of_courses("time_to_first_session", waits(&[90, 10, 5000])), Some(90.0));
        assert_eq!(of_courses("time_to_first_session", waits(&[90, 10])), Some(50.0));
        assert_eq!(of_courses("time_to_first_session", waits(&[])), None);
    }

    #[test]
    fn what_four_people_said_of_themselves_is_no_figure() {
        let answers = |all: &[i32]| all.iter().map(|change| course(None, Some(*change))).collect();
        assert_eq!(of_courses("outcome_distress", answers(&[-2, -1, 0, 1])), None);
        assert_eq!(of_courses("outcome_distress", answers(&[-2, -1, 0, 1, -3])), Some(-1.0));
    }

    #[test]
    fn of_a_hundred_recommendations_each_step_is_counted_on_the_one_before() {
        use crate::case::course::Recommended;
        let one = Recommended { given: 10, accepted: 8, contacted: 4, completed: 1 };
        let all = || vec![Course { recommended: one, ..course(None, None) }, course(None, None)];
        let figures =
            ["acceptance", "follow_through", "completion", "referral_rate"].map(|c| of_courses(c, all()));
        assert_eq!(figures, [Some(80.0), Some(50.0), Some(25.0), Some(500.0)]);
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
