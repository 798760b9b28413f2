//! How a case goes, as far as key figures count it: one row per client, quarter of opening and case, sealed under the
//! clinical label. It is made of the whole case and written with every version that changes it, so that the case's own
//! version keeps two writers apart.

use super::{
    Case,
    file::{Asked, CaseFile, Kept, Outcome, Parts, Referred},
};
use crate::{
    use_of::Quarter,
    words::{Referral, Relation},
};
use jiff::SignedDuration;
use kernel::{ClientOrgId, Result};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Record, Store};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    pub employee: bool,
    /// A manager sent or advised the person to come.
    pub by_manager: bool,
    /// From opening to the first session that was held.
    pub minutes_to_first: Option<u32>,
    /// Held ones.
    pub sessions: u32,
    pub recommended: Recommended,
    pub change: Option<Change>,
}

/// Recommendations to somebody outside, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommended {
    pub given: u32,
    pub accepted: u32,
    pub contacted: u32,
    pub completed: u32,
}

/// After minus before, of the five items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub absenteeism_hours: i32,
    pub presenteeism: i32,
    pub engagement: i32,
    pub life_satisfaction: i32,
    pub distress: i32,
}

impl Change {
    fn between(before: &Outcome, after: &Outcome) -> Self {
        let of = |item: fn(&Outcome) -> i32| item(after) - item(before);
        Self {
            absenteeism_hours: of(|o| o.absenteeism_hours.into()),
            presenteeism: of(|o| o.presenteeism.into()),
            engagement: of(|o| o.engagement.into()),
            life_satisfaction: of(|o| o.life_satisfaction.into()),
            distress: of(|o| o.distress.into()),
        }
    }
}

impl Course {
    pub fn of(case: &Case, file: &CaseFile, parts: &Parts) -> Self {
        let count = |is: fn(&Referred) -> bool| {
            parts.referrals.iter().filter(|placed| is(&placed.part)).count() as u32
        };
        let asked = |when: Asked| {
            parts.outcomes.iter().find(|placed| placed.number == when.to_string()).map(|placed| &placed.part)
        };
        // What lies furthest after the end is the change that lasted.
        let after = asked(Asked::Follow).or(asked(Asked::Post));
        Self {
            employee: file.relation == Relation::Employee,
            by_manager: matches!(file.referral, Referral::ManagerFormal | Referral::ManagerInformal),
            minutes_to_first: case
                .first_contact_at
                .map(|first| minutes(first.duration_since(case.opened_at))),
            sessions: case.held,
            recommended: Recommended {
                given: count(|_| true),
                accepted: count(|r| r.accepted == Some(true)),
                contacted: count(|r| r.contacted == Some(true)),
                completed: count(|r| r.completed == Some(true)),
            },
            change: asked(Asked::Pre).zip(after).map(|(before, after)| Change::between(before, after)),
        }
    }
}

fn minutes(time: SignedDuration) -> u32 {
    u32::try_from(time.as_mins()).unwrap_or(0)
}

/// All rows of a client and quarter lie under one key.
fn key(client: ClientOrgId, quarter: Quarter, case: &str) -> Key {
    Key::item("ecourse", format!("{client}~{quarter}"), case)
}

/// Joins a commit that makes this version of the case. `clinical` is the store under the clinical label.
pub fn keep(clinical: &Store, case: &Record<Case>, file: &CaseFile, parts: &Parts) -> Commit {
    let key = key(case.body.client, Quarter::of(case.body.opened_on), &case.id.to_string());
    clinical.commit().put(&key, &Kept { body: Sealed(Course::of(&case.body, file, parts)) })
}

/// Of every case that was opened in the given quarters.
pub async fn courses(
    clinical: &Store,
    client: ClientOrgId,
    quarters: impl Iterator<Item = Quarter>,
) -> Result<Vec<Course>> {
    let mut all = vec![];
    for quarter in quarters {
        let rows: Vec<(String, Kept<Course>)> = clinical.every(&key(client, quarter, "")).await?;
        all.extend(rows.into_iter().map(|(_, kept)| kept.body.0));
    }
    Ok(all)
}
