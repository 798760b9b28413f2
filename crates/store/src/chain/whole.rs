//! A tenant's trail as a whole: what the offline verifier is given.

use super::{
    access::{AccessLeaf, Kept, accesses},
    day::{Day, days},
    finding::{Finding, sorted},
    link::{Chain, Head, Leaf, Link, Seen, record},
};
use jiff::civil::Date;
use serde::Serialize;
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

/// `keys`: public keys (DER) by their id.
pub fn verify(evidence: &Evidence, keys: &dyn Fn(&str) -> Option<Vec<u8>>) -> Verdict {
    let Evidence { tenant, days: sealed, links, heads, access, settled, .. } = evidence;
    let mut found = vec![];
    let first = sealed.iter().map(|d| d.folder).min();
    if let Some((first, last)) = first.zip(evidence.until.or(sealed.iter().map(|d| d.folder).max())) {
        found.extend(days(tenant, sealed, (first, last, true), keys));
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
        let head = match heads {
            None => Seen::Not,
            Some(heads) => heads.iter().find(|h| h.record == **id).map_or(Seen::Gone, Seen::At),
        };
        found.extend(record(&Chain {
            tenant,
            record: id,
            links: &links,
            anchored: anchored.get(id).unwrap_or(&nothing),
            head,
            from: 1,
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
