//! A day's digest: the tree over what was anchored, yesterday's digest, a signature.

use super::{
    access::AccessLeaf,
    finding::{Broken, Finding},
    form::{canonical, hex_digest},
    link::Leaf,
    merkle,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a digest says of its changes, or of its access entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub count: u64,
    /// Merkle root (RFC 6962) over the hashes, ordered by time and id.
    pub root: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl Summary {
    pub fn of<'a>(leaves: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (ids, hashes): (Vec<&str>, Vec<&str>) = leaves.unzip();
        Self {
            count: ids.len() as u64,
            root: merkle::root(&hashes),
            first: ids.first().map(|id| id.to_string()),
            last: ids.last().map(|id| id.to_string()),
        }
    }
    pub fn of_changes(leaves: &[Leaf]) -> Self {
        Self::of(leaves.iter().map(|l| (l.id.as_str(), l.hash.as_str())))
    }
    pub fn of_access(leaves: &[AccessLeaf]) -> Self {
        Self::of(leaves.iter().map(|l| (l.id.as_str(), l.hash.as_str())))
    }
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayDigest {
    pub v: u8,
    pub tenant: String,
    /// UTC.
    pub day: Date,
    pub changes: Summary,
    pub access: Summary,
    /// What the day's items and its anchors did not agree on.
    pub mismatches: Vec<Finding>,
    /// SHA-256 of yesterday's bytes.
    pub prev: String,
    pub made_at: String,
}

impl DayDigest {
    pub const VERSION: u8 = 1;

    /// What the signature and the next day's `prev` cover.
    pub fn bytes(&self) -> Vec<u8> {
        canonical(&serde_json::to_value(self).expect("texts and numbers"))
    }
    pub fn hash(&self) -> String {
        hex_digest(&self.bytes())
    }
}

/// `prev` of a tenant's first digest.
pub fn genesis_of_digests(tenant: &str) -> String {
    hex_digest(format!("lumina-digest-genesis-v1\n{tenant}").as_bytes())
}

/// `digest.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub digest: DayDigest,
    pub key_id: String,
    /// ECDSA P-256 over SHA-256 (ASN.1 DER), base64.
    pub signature: String,
}

impl Sealed {
    /// `key`: the public key (DER, SubjectPublicKeyInfo).
    pub fn is_signed_by(&self, key: &[u8]) -> bool {
        let signature = STANDARD.decode(&self.signature).unwrap_or_default();
        seal::is_signed(key, &self.digest.bytes(), &signature)
    }
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// A day's files as they lie there; `folder` is the day that their place says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    pub folder: Date,
    /// `None` if there is no digest, or none that can be read.
    pub sealed: Option<Sealed>,
    pub leaves: Vec<Leaf>,
    pub access: Vec<AccessLeaf>,
}

/// Lines of a file, those that cannot be read left out: the root tells that something is missing.
pub fn lines<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Vec<T> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// As the lines of a file.
pub fn to_lines<T: Serialize>(all: &[T]) -> Vec<u8> {
    let mut out = vec![];
    for one in all {
        out.extend(canonical(&serde_json::to_value(one).unwrap_or(Value::Null)));
        out.push(b'\n');
    }
    out
}

/// The sequence of digests from `first` to `last`, by their folders: none missing, each following the one before,
/// signed, and rebuilt by its leaves. `whole`: the first of them is the tenant's first.
pub fn days(
    tenant: &str,
    days: &[Day],
    (first, last, whole): (Date, Date, bool),
    keys: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Vec<Finding> {
    let mut found = vec![];
    let there: BTreeSet<Date> = days.iter().filter(|d| d.sealed.is_some()).map(|d| d.folder).collect();
    let mut day = first;
    while day <= last {
        if !there.contains(&day) {
            let detail = "there is no digest of this day";
            found.push(Finding::of_day(Broken::DigestMissing, &day.to_string(), detail));
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    let mut sealed: Vec<(&Day, &Sealed)> =
        days.iter().filter_map(|d| Some((d, d.sealed.as_ref()?))).collect();
    for (day, file) in &sealed {
        found.extend(one(tenant, day, file, keys));
    }
    sealed.sort_by_key(|(_, file)| file.digest.day);
    found.extend(follow(tenant, &sealed, whole.then_some(first)));
    found
}

fn one(tenant: &str, day: &Day, file: &Sealed, keys: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<Finding> {
    let folder = day.folder.to_string();
    let say = |finding, detail: &str| Finding::of_day(finding, &folder, detail);
    let digest = &file.digest;
    let mut found = vec![];
    let moved = digest.day != day.folder;
    if moved {
        found.push(say(Broken::DigestReordered, &format!("the digest of {} lies here", digest.day)));
    }
    let signed = keys(&file.key_id).is_some_and(|key| file.is_signed_by(&key));
    if !signed {
        found
            .push(say(Broken::SignatureInvalid, "its signature is not that of a known key over these bytes"));
    }
    if digest.tenant != tenant {
        found.push(say(Broken::DigestAltered, "it is another organisation's"));
    }
    if !moved && Summary::of_changes(&day.leaves) != digest.changes {
        found.push(say(Broken::DigestAltered, "its leaves do not rebuild what it says of changes"));
    }
    if !moved && Summary::of_access(&day.access) != digest.access {
        found.push(say(Broken::DigestAltered, "its leaves do not rebuild what it says of access"));
    }
    let ordered = day.leaves.is_sorted_by_key(|l| (&l.at, &l.id));
    if !ordered {
        found.push(say(Broken::Reordered, "its leaves are not in the order of their time"));
    }
    found
}

/// Each names the one before.
fn follow(tenant: &str, sealed: &[(&Day, &Sealed)], first: Option<Date>) -> Vec<Finding> {
    let mut found = vec![];
    for (n, (_, file)) in sealed.iter().enumerate() {
        let before = n.checked_sub(1).map(|n| &sealed[n].1.digest);
        let prev = match before {
            Some(before) if before.day.tomorrow().ok() == Some(file.digest.day) => {
                Some((before.hash(), before.day))
            }
            None if first == Some(file.digest.day) => Some((genesis_of_digests(tenant), file.digest.day)),
            _ => None,
        };
        if let Some((hash, day)) = prev
            && hash != file.digest.prev
        {
            let detail = format!("the digest of {} was made over another one of this day", file.digest.day);
            found.push(Finding::of_day(Broken::DigestAltered, &day.to_string(), detail));
        }
    }
    found
}
