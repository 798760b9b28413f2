//! The people behind a client's numbers, as reports count them: one class a person and year, from the rows that sessions
//! leave under the clinical label. Nothing read here leaves this room but counts.

use super::frame::{Dimension, Person};
use crate::use_of::{self, Kept, Quarter, Use};
use kernel::{ClientOrgId, Result};
use std::collections::{BTreeMap, BTreeSet};
use store::Store;

/// By person: their rows, by quarter of the year.
pub type Uses = BTreeMap<String, BTreeMap<u8, Use>>;

/// All rows of a client in the given quarters. `clinical` is the store under the clinical label.
pub async fn uses(
    clinical: &Store,
    client: ClientOrgId,
    quarters: impl Iterator<Item = Quarter>,
) -> Result<Uses> {
    let mut all = Uses::new();
    for quarter in quarters {
        for (person, kept) in clinical.every::<Kept>(&use_of::key(client, quarter, "")).await? {
            all.entry(person).or_default().insert(quarter.quarter as u8, kept.row.0);
        }
    }
    Ok(all)
}

/// Who had a completed session, in the class of their first use of the year.
pub fn people(uses: &Uses) -> Vec<Person> {
    uses.values().filter_map(person).collect()
}

fn person(rows: &BTreeMap<u8, Use>) -> Option<Person> {
    let used = || rows.iter().filter(|(_, row)| row.sessions > 0);
    let (_, first) = used().next()?;
    let quarters: BTreeSet<u8> = used().map(|(quarter, _)| *quarter).collect();
    Some(Person { class: class(first), quarters })
}

pub const UNKNOWN: &str = "unknown";
pub const MIXED: &str = "mixed";
/// Employees with a clinical session are told apart from other employees, since utilisation counts them: shown beside a
/// number of all employees it would give the difference away.
pub const EMPLOYEE_CLINICAL: &str = "employee_clinical";
pub const EMPLOYEE_OTHER: &str = "employee_other";

fn class(row: &Use) -> BTreeMap<Dimension, String> {
    let mut modes = row.modes.iter();
    let mode = match (modes.next(), modes.next()) {
        (Some(only), None) => only.to_string(),
        (None, _) => UNKNOWN.into(),
        _ => MIXED.into(),
    };
    BTreeMap::from([
        (Dimension::Unit, row.unit.clone().unwrap_or_else(|| UNKNOWN.into())),
        (Dimension::AgeBand, row.age_band.map_or(UNKNOWN.into(), |band| band.to_string())),
        (Dimension::Relation, relation(row)),
        (Dimension::IssueGroup, row.issue_group.to_string()),
        (Dimension::Mode, mode),
        (Dimension::Referral, row.referral.to_string()),
    ])
}

fn relation(row: &Use) -> String {
    match (row.relation, row.clinical) {
        (crate::words::Relation::Employee, true) => EMPLOYEE_CLINICAL.into(),
        (crate::words::Relation::Employee, false) => EMPLOYEE_OTHER.into(),
        (relation, _) => relation.to_string(),
    }
}
