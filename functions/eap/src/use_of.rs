//! What a person's use of the programme leaves for reports: one row per client, quarter and person, kept in the
//! transaction of each session that ends, and the only thing that reports to a client are made of. A row names nobody:
//! its place is the person's reference under the clinical index key, its content is sealed under the clinical label.

use crate::words::{AgeBand, IssueGroup, Mode, Referral, Relation};
use jiff::civil::Date;
use kernel::ClientOrgId;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};
use store::{Commit, Key};

/// A person's use in a quarter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// Code of the client's reporting unit.
    pub unit: Option<String>,
    /// Unknown where no birth date is.
    pub age_band: Option<AgeBand>,
    pub relation: Relation,
    pub issue_group: IssueGroup,
    pub modes: BTreeSet<Mode>,
    pub referral: Referral,
    /// At least one session was of a clinical category.
    pub clinical: bool,
    /// Completed ones.
    pub sessions: u32,
    pub no_shows: u32,
}

/// How a session ended, as far as reports count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Completed { clinical: bool, mode: Mode },
    Missed,
}

impl Use {
    /// With one more session. What is known of the person is what was known last.
    pub fn with(mut self, latest: &Use, ended: Ended) -> Self {
        let Use { unit, age_band, relation, issue_group, referral, .. } = latest.clone();
        (self.unit, self.age_band, self.relation) = (unit, age_band, relation);
        (self.issue_group, self.referral) = (issue_group, referral);
        match ended {
            Ended::Completed { clinical, mode } => {
                self.sessions += 1;
                self.clinical |= clinical;
                self.modes.insert(mode);
            }
            Ended::Missed => self.no_shows += 1,
        }
        self
    }
}

/// A calendar quarter: `2026-Q3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    pub year: i16,
    /// 1–4
    pub quarter: i8,
}

impl Quarter {
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), quarter: (day.month() - 1) / 3 + 1 }
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-Q{}", self.year, self.quarter)
    }
}

/// A row as the table keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Raised by every change, so that two at once do not lose one another.
    pub rev: u64,
    pub row: Sealed<Use>,
}

/// Where a person's row lies; all rows of a client and quarter lie under one key.
pub fn key(client: ClientOrgId, quarter: Quarter, person_ref: &str) -> Key {
    Key::item("euse", format!("{client}~{quarter}"), person_ref)
}

/// Adds one session, in the transaction that ends it. `seen` is the row as it was read.
pub fn count(commit: Commit, key: &Key, seen: Option<&Kept>, latest: &Use, ended: Ended) -> Commit {
    let (rev, row) = seen.map_or((0, latest.clone()), |kept| (kept.rev, kept.row.0.clone()));
    let kept = Kept { rev: rev + 1, row: Sealed(row.with(latest, ended)) };
    commit.put_over(key, rev, &kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn first() -> Use {
        Use {
            unit: Some("LAG".into()),
            age_band: Some(AgeBand::From30),
            relation: Relation::Employee,
            issue_group: IssueGroup::Work,
            modes: BTreeSet::new(),
            referral: Referral::Own,
            clinical: false,
            sessions: 0,
            no_shows: 0,
        }
    }

    #[test]
    fn a_missed_session_is_no_use() {
        let row = first().with(&first(), Ended::Missed);
        assert_eq!((row.sessions, row.no_shows, row.clinical), (0, 1, false));
        let moved = Use { unit: Some("ABV".into()), ..first() };
        let row = row.with(&moved, Ended::Completed { clinical: true, mode: Mode::Video });
        assert_eq!((row.sessions, row.no_shows, row.clinical), (1, 1, true));
        assert_eq!((row.unit.as_deref(), row.modes.len()), (Some("ABV"), 1));
    }

    #[test]
    fn quarters_are_of_the_calendar() {
        assert_eq!(Quarter::of(date(2026, 3, 31)).to_string(), "2026-Q1");
        assert_eq!(Quarter::of(date(2026, 4, 1)).to_string(), "2026-Q2");
        assert_eq!(Quarter::of(date(2026, 12, 31)).to_string(), "2026-Q4");
    }
}
