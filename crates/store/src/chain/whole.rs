//! A tenant's trail as a whole: what the offline verifier is given.

use super::{
    access::{AccessLeaf, Kept, accesses},
    day::{Day, days},
    finding::{Finding, sorted},
    link::{Chain, Head, Leaf, Link, Seen, record},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that was found of one tenant.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub tenant: String,
    /// Days with their digests, by folder.
    pub days: Vec<Day>,
    /// Anchored since the last digest.
    pub anchored: Vec<Leaf>,
    pub anchored_access: Vec<AccessLeaf>,
    pub links: Vec<Link>,
    /// `None`: records were not exported, only their changes.
    pub heads: Option<Vec<Head>>,
    pub access: Vec<Kept>,
    /// The last day that has to have a digest.
    pub until: Option<Date>,
    /// Changes before this time have to be anchored.
    pub settled: String,
    /// From the tenant's first digest on. Otherwise what lies before the first day is not judged.
    pub whole: bool,
    /// Public keys (DER) by their id.
    pub keys: BTreeMap<String, Vec<u8>>,
}

impl Evidence {
    /// One line of an export that proves itself; false if it is none.
    pub fn take(&mut self, line: &Value) -> bool {
        let Some((word, inner)) = line.as_object().and_then(|map| map.iter().next()) else { return false };
        match word.as_str() {
            "about" => {
                self.tenant = inner["tenant"].as_str().unwrap_or_default().into();
                self.settled = inner["settled"].as_str().unwrap_or_default().into();
                self.whole = inner["whole"] == true;
                self.until = inner["until"].as_str().and_then(|day| day.parse().ok());
                if inner["heads"] == true {
                    self.heads.get_or_insert_default();
                }
                true
            }
            "day" => serde_json::from_value(inner.clone()).map(|day| self.day(day)).is_ok(),
            "change" => Link::read(inner).map(|link| self.links.push(link)).is_some(),
            "access" => serde_json::from_value(inner.clone()).map(|kept| self.access.push(kept)).is_ok(),
            "head" => {
                let head = serde_json::from_value(inner.clone());
                head.map(|head| self.heads.get_or_insert_default().push(head)).is_ok()
            }
            "key" => {
                let der = inner["der"].as_str().and_then(|der| STANDARD.decode(der).ok());
                let id = inner["id"].as_str();
                id.zip(der).map(|(id, der)| self.keys.insert(id.into(), der)).is_some()
            }
            _ => false,
        }
    }

    /// A day that is not sealed yet only tells what is anchored.
    pub fn day(&mut self, day: Day) {
        if day.sealed.is_none() && self.until.is_none_or(|until| day.folder > until) {
            self.anchored.extend(day.leaves);
            self.anchored_access.extend(day.access);
        } else {
            self.days.push(day);
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub changes: u64,
    pub access: u64,
    pub digests: u64,
    pub records: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub checked: Checked,
    /// In the order of their day, time and place.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The first broken link.
    pub fn first_broken(&self) -> Option<&Finding> {
        self.findings.iter().find(|f| f.finding.is_failure())
    }
    pub fn is_intact(&self) -> bool {
        self.first_broken().is_none()
    }
}

/// All checks, all findings.
pub fn verify(evidence: &Evidence) -> Verdict {
    let Evidence { tenant, days: sealed, links, heads, access, settled, .. } = evidence;
    let mut found = vec![];
    let first = sealed.iter().map(|d| d.folder).min();
    if let Some((first, last)) = first.zip(evidence.until.or(sealed.iter().map(|d| d.folder).max())) {
        found.extend(days(tenant, sealed, (first, last, evidence.whole), &|id| {
            evidence.keys.get(id).cloned()
        }));
    }
    let leaves = || sealed.iter().flat_map(|d| &d.leaves).chain(&evidence.anchored);
    let mut anchored: BTreeMap<&str, BTreeMap<u64, Leaf>> = BTreeMap::new();
    for leaf in leaves() {
        anchored.entry(&leaf.record).or_default().insert(leaf.version, leaf.clone());
    }
    let since =
        first.map_or_else(|| leaves().map(|l| l.at.clone()).min().unwrap_or_default(), |d| d.to_string());
    let mut by_record: BTreeMap<&str, Vec<Link>> = BTreeMap::new();
    for link in links {
        by_record.entry(&link.record).or_default().push(link.clone());
    }
    let records: BTreeSet<&str> = by_record.keys().chain(anchored.keys()).copied().collect();
    let nothing = BTreeMap::new();
    for id in &records {
        let mut links = by_record.remove(id).unwrap_or_default();
        links.sort_by_key(|l| l.place);
        let own = anchored.get(id).unwrap_or(&nothing);
        let lowest = own.keys().copied().chain(links.iter().map(|l| l.place)).min().unwrap_or(1);
        let head = match heads {
            None => Seen::Not,
            Some(heads) => heads.iter().find(|h| h.record == **id).map_or(Seen::Gone, Seen::At),
        };
        found.extend(record(&Chain {
            tenant,
            record: id,
            links: &links,
            anchored: own,
            head,
            from: if evidence.whole { 1 } else { lowest },
            to: u64::MAX,
            since: &since,
            settled,
        }));
    }
    let entries: Vec<AccessLeaf> =
        sealed.iter().flat_map(|d| &d.access).chain(&evidence.anchored_access).cloned().collect();
    found.extend(accesses(&entries, access, &since, settled));
    let checked = Checked {
        changes: links.len() as u64,
        access: access.len() as u64,
        digests: sealed.iter().filter(|d| d.sealed.is_some()).count() as u64,
        records: records.len() as u64,
    };
    Verdict { checked, findings: sorted(found) }
}
