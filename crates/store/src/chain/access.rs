//! Access entries: who looked at what. Each is hashed by whoever sends it; a day's hashes are in its digest.

use super::{
    finding::{Broken, Finding},
    form::{canonical, hex_digest},
    typed::{number, text, texts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the sender says; the hash covers all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `acc_…`
    pub id: String,
    pub tenant: String,
    pub by: String,
    #[serde(default)]
    pub roles: Vec<String>,
    /// To the millisecond, UTC.
    pub at: String,
    pub request: String,
    /// The route's operation: `patient.show`.
    pub action: String,
    /// Kind of what was shown; empty where a refused request named no record.
    pub of: String,
    /// In the order shown, at most 100.
    pub ids: Vec<String>,
    /// The persons whom the records are about, as far as the sender knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// `asked`, `shown`, `refused`, `failed`
    pub outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The problem's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
    /// The elevation, broken glass or operator's context that made it possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevated: Option<String>,
    /// Address, agent and purpose, sealed by the sender at the place `access|<id>`; base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl Entry {
    /// What is sealed stands as the digest of its ciphertext.
    pub fn hash(&self) -> String {
        let mut form = serde_json::to_value(self).expect("texts and numbers");
        if let Some(context) = &self.context {
            let bytes = STANDARD.decode(context).unwrap_or_default();
            form["context"] = hex_digest(&bytes).into();
        }
        let mut bytes = b"lumina-access-v1\n".to_vec();
        bytes.extend(canonical(&form));
        hex_digest(&bytes)
    }

    /// Where it lies: under the record, or in the kind's list.
    pub fn key(&self) -> String {
        let of = if self.of.is_empty() { "any" } else { &self.of };
        match &self.ids[..] {
            [one] => format!("{of}#{one}"),
            _ => format!("{of}#list"),
        }
    }
    pub fn place(&self) -> String {
        format!("{}#{}", self.at, self.id)
    }
    pub fn leaf(&self) -> AccessLeaf {
        let Self { at, id, by, action, outcome, ids, .. } = self;
        AccessLeaf {
            at: at.clone(),
            id: id.clone(),
            key: self.key(),
            by: by.clone(),
            action: action.clone(),
            outcome: outcome.clone(),
            ids: ids.clone(),
            hash: self.hash(),
        }
    }
}

/// What stands in the anchors of an entry; also where the appearances of a record in lists are looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccessLeaf {
    pub at: String,
    pub id: String,
    /// `<kind>#<record or list>`
    pub key: String,
    pub by: String,
    pub action: String,
    pub outcome: String,
    pub ids: Vec<String>,
    pub hash: String,
}

/// An entry as it lies there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    pub entry: Entry,
    pub hash: String,
    /// How often the very same refusal came within one batch.
    pub count: u64,
    /// The person, where it is one: told by the sender or looked up afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How many persons it touches; stands in the indexes as `version`.
    #[serde(default, rename = "version")]
    pub persons: u64,
}

impl Kept {
    pub fn read(item: &Value) -> Option<Self> {
        let some = |name: &str| text(item, name).map(String::from);
        let (tenant, _) = text(item, "pk")?.split_once("#access#")?;
        let entry = Entry {
            id: some("id")?,
            tenant: tenant.into(),
            by: some("by").unwrap_or_default(),
            roles: texts(item, "roles"),
            at: some("at")?,
            request: some("request").unwrap_or_default(),
            action: some("action").unwrap_or_default(),
            of: some("of").unwrap_or_default(),
            ids: texts(item, "ids"),
            subjects: texts(item, "subjects"),
            outcome: some("outcome").unwrap_or_default(),
            status: number(item, "status").and_then(|s| u16::try_from(s).ok()),
            problem: some("problem"),
            reach: some("reach"),
            elevated: some("elevated"),
            context: item["context"]["B"].as_str().map(String::from),
        };
        let (hash, subject) = (some("hash").unwrap_or_default(), some("subject"));
        let (count, persons) = (number(item, "count").unwrap_or(1), number(item, "version").unwrap_or(0));
        Some(Self { entry, hash, count, subject, persons })
    }
}

/// Anchored entries against those that lie there. `since` and `settled` as for changes.
pub fn accesses(anchored: &[AccessLeaf], there: &[Kept], since: &str, settled: &str) -> Vec<Finding> {
    let by_id: BTreeMap<&str, &Kept> = there.iter().map(|k| (k.entry.id.as_str(), k)).collect();
    let leaves: BTreeMap<&str, &AccessLeaf> = anchored.iter().map(|l| (l.id.as_str(), l)).collect();
    let say = |finding, at: &str, id: &str, detail: &str| Finding {
        record: id.into(),
        at: at.into(),
        ..Finding::of_day(finding, at.get(..10).unwrap_or_default(), detail)
    };
    let mut found = vec![];
    for (id, leaf) in &leaves {
        match by_id.get(id) {
            None => found.push(say(Broken::AccessDeleted, &leaf.at, id, "this entry does not lie there")),
            Some(kept) if kept.hash != leaf.hash || kept.entry.hash() != leaf.hash => {
                found.push(say(Broken::AccessAltered, &leaf.at, id, "this entry is not what was anchored"));
            }
            Some(_) => {}
        }
    }
    for (id, kept) in by_id {
        let at = kept.entry.at.as_str();
        if leaves.contains_key(id) {
            continue;
        }
        if kept.entry.hash() != kept.hash {
            found.push(say(Broken::AccessAltered, at, id, "its hash is not that of what it says"));
        } else if at >= since && at < settled {
            found.push(say(Broken::AccessInserted, at, id, "this entry was never anchored"));
        }
    }
    found
}
