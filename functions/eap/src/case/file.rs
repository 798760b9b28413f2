//! What a case is about, sealed under the clinical label. Every change is a page of its own, numbered by the version of
//! the case that it came with; none is ever written over.

use super::Case;
use crate::{
    risk::Risk,
    use_of::Use,
    words::{AgeBand, Issue, Referral, Relation},
};
use jiff::{Timestamp, civil::Date};
use kernel::{BeneficiaryId, EapCaseId, EapSessionId, Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeSet;
use store::{Commit, Key, Record, Store, When};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    #[schemars(length(min = 1, max = 500))]
    pub scope: String,
    pub signed_at: Timestamp,
}

/// The case's file as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseFile {
    pub beneficiary: BeneficiaryId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_band: Option<AgeBand>,
    pub relation: Relation,
    pub presenting_issue: Issue,
    #[serde(default)]
    pub secondary: Vec<Issue>,
    pub referral: Referral,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Who wrote this page, and when.
    pub by: String,
    pub at: Timestamp,
}

impl CaseFile {
    /// What of it goes into the quarter's row.
    pub fn counted(&self) -> Use {
        Use {
            unit: self.unit.clone(),
            age_band: self.age_band,
            relation: self.relation,
            issue_group: self.presenting_issue.group(),
            modes: BTreeSet::new(),
            referral: self.referral,
            clinical: false,
            sessions: 0,
            no_shows: 0,
        }
    }
}

/// Signed by writing it; whoever has to correct one writes another that says which it amends.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    #[schemars(length(min = 1, max = 20_000))]
    pub text: String,
    /// Not for the person's own eyes.
    #[serde(default)]
    pub private: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<EapSessionId>,
    /// The place of the note that this one corrects.
    #[schemars(length(min = 1, max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub by: String,
}

kernel::words! { pub enum Asked { Pre = "pre", Post = "post", Follow = "follow" } }

/// Five items, before and after; their wording is licensed text that the tenant brings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Hours of the last four weeks.
    #[schemars(range(min = 0, max = 240))]
    pub absenteeism_hours: u16,
    #[schemars(range(min = 1, max = 5))]
    pub presenteeism: u8,
    #[schemars(range(min = 1, max = 5))]
    pub engagement: u8,
    #[schemars(range(min = 1, max = 5))]
    pub life_satisfaction: u8,
    #[schemars(range(min = 1, max = 5))]
    pub distress: u8,
}

/// Somebody outside whom the person was recommended to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Referred {
    #[schemars(length(min = 1, max = 100))]
    pub kind: String,
    #[schemars(length(min = 1, max = 500))]
    pub to: String,
    pub given: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<bool>,
}

/// What was told to somebody outside, and on what ground.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Disclosure {
    #[schemars(length(min = 1, max = 500))]
    pub to: String,
    #[schemars(length(min = 1, max = 500))]
    pub legal_basis: String,
    #[schemars(length(min = 1, max = 5000))]
    pub what: String,
    /// Stands here and not in the trail, which people read who may not know of it.
    #[schemars(length(min = 1, max = 2000))]
    pub reason: String,
}

/// A part as it is shown: with its place, by which others refer to it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Part")]
pub struct Placed<T> {
    pub number: String,
    #[serde(flatten)]
    pub part: T,
}

/// Everything that lies beside a case.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Parts {
    pub notes: Vec<Placed<Note>>,
    pub outcomes: Vec<Placed<Outcome>>,
    pub referrals: Vec<Placed<Referred>>,
    pub disclosures: Vec<Placed<Disclosure>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Kept<T> {
    pub body: Sealed<T>,
}

/// Where a part lies that came with this version of the case.
pub fn place(case: EapCaseId, part: &str, version: u64) -> Key {
    Key::part(case, part, format!("{version:010}"))
}

/// Writes a part, once; `clinical` is the store under the clinical label.
pub fn write<T: Serialize>(clinical: &Store, key: &Key, body: &T) -> Commit {
    let kept = Kept { body: Sealed(body) };
    clinical.commit().put_if(key, &kept, When::Absent, |_| {
        Error::conflict("written-already", "this was written already, and stays as it was written")
    })
}

/// Writes a part over itself: 404 if it is not there.
pub fn write_again<T: Serialize>(clinical: &Store, key: &Key, body: &T) -> Commit {
    clinical.commit().put_if(key, &Kept { body: Sealed(body) }, When::Present, |_| Error::Missing)
}

/// A case with everything, in one round trip.
pub async fn whole(clinical: &Store, id: EapCaseId) -> Result<(Record<Case>, CaseFile, Parts)> {
    let (case, items) = clinical.whole::<Case>(id).await?;
    let (mut file, mut parts) = (None, Parts::default());
    for (place, item) in items {
        let Some((part, number)) = place.split_once('#') else { continue };
        match part {
            // In the order of their versions: the last one stands.
            "file" => file = Some(read::<CaseFile>(item)?),
            "note" => parts.notes.push(placed(number, item)?),
            "out" => parts.outcomes.push(placed(number, item)?),
            "ref" => parts.referrals.push(placed(number, item)?),
            "disc" => parts.disclosures.push(placed(number, item)?),
            _ => {}
        }
    }
    let file = file.ok_or_else(|| Error::internal("a case without its file"))?;
    Ok((case, file, parts))
}

/// The pages of a case's file, each with the version that it came with.
pub async fn pages(clinical: &Store, id: EapCaseId) -> Result<Vec<(u64, CaseFile)>> {
    let (_, items) = clinical.whole::<Case>(id).await?;
    let page = |(place, item): (String, Value)| {
        let version = place.strip_prefix("file#")?.parse().ok()?;
        Some(read::<CaseFile>(item).map(|file| (version, file)))
    };
    items.into_iter().filter_map(page).collect()
}

fn placed<T: DeserializeOwned>(number: &str, item: Value) -> Result<Placed<T>> {
    Ok(Placed { number: number.into(), part: read(item)? })
}

/// What does not read is not quoted: causes are logged.
fn read<T: DeserializeOwned>(item: Value) -> Result<T> {
    let kept: Kept<T> =
        serde_json::from_value(item).map_err(|_| Error::internal("a part of a case that does not read"))?;
    Ok(kept.body.0)
}
