//! What holds of every table, whatever has happened: each record has its change records and their chain, every guard
//! and every token leads to a record that lives, rows agree with their record, nothing lies under nobody.

use crate::proof::state::{State, number, text, typed};
use dynoxide::Item;
use std::collections::{BTreeMap, BTreeSet};
use store::chain::{Evidence, Head, Link, verify};

/// What does not hold, of the partitions named (none = of all), each in a sentence.
pub(crate) fn broken(state: &State, only: Option<&BTreeSet<String>>) -> Vec<String> {
    let mut found = vec![];
    let records = records(state, only);
    for (pk, record) in &records {
        found.extend(record.broken(pk));
    }
    found.extend(chains(&records));
    match only {
        None => found.extend(state.places().filter_map(|(pk, sk, item)| stray(state, pk, sk, item))),
        Some(only) => {
            let places =
                only.iter().flat_map(|pk| state.under(pk).into_iter().map(move |(sk, item)| (pk, sk, item)));
            found.extend(places.filter_map(|(pk, sk, item)| stray(state, pk, sk, item)));
        }
    }
    found
}

/// The same of the partitions in which something has changed.
pub(crate) fn broken_since(before: &State, now: &State) -> Vec<String> {
    let touched: BTreeSet<String> = now.changed(before).into_iter().map(|(pk, _)| pk).collect();
    broken(now, Some(&touched))
}

/// A record with what lies under it, and its change records.
#[derive(Default)]
struct Around<'a> {
    own: Option<&'a Item>,
    rows: Vec<(&'a str, &'a Item)>,
    parts: Vec<&'a str>,
    changes: Vec<(&'a str, &'a Item)>,
}

/// `<scope>#<kind>#<kind>_…` is a record's partition; its changes lie under `<scope>#chg#<kind>#<id>`.
fn record_of(pk: &str) -> Option<(String, bool)> {
    let words: Vec<&str> = pk.split('#').collect();
    let is_id = |kind: &str, id: &str| id.strip_prefix(kind).is_some_and(|rest| rest.starts_with('_'));
    match words[..] {
        [scope, "chg", kind, id] => Some((format!("{scope}#{kind}#{id}"), true)),
        [_, kind, id] if is_id(kind, id) => Some((pk.into(), false)),
        _ => None,
    }
}

fn records<'a>(state: &'a State, only: Option<&BTreeSet<String>>) -> BTreeMap<String, Around<'a>> {
    let mut all = BTreeMap::<String, Around<'a>>::new();
    match only {
        None => {
            for (pk, sk, item) in state.places() {
                let Some((record, change)) = record_of(pk) else { continue };
                all.entry(record).or_default().take(change, sk, item);
            }
        }
        Some(only) => {
            let records: BTreeSet<String> =
                only.iter().filter_map(|pk| record_of(pk)).map(|(pk, _)| pk).collect();
            for record in records {
                let words: Vec<&str> = record.split('#').collect();
                let changes = format!("{}#chg#{}#{}", words[0], words[1], words[2]);
                let around = all.entry(record.clone()).or_default();
                let own = state.under(&record).into_iter().map(|place| (false, place));
                let changes = state.under(&changes).into_iter().map(|place| (true, place));
                for (change, (sk, item)) in own.chain(changes) {
                    around.take(change, sk, item);
                }
            }
        }
    }
    all
}

impl<'a> Around<'a> {
    fn take(&mut self, change: bool, sk: &'a str, item: &'a Item) {
        match sk {
            _ if change => self.changes.push((sk, item)),
            "." => self.own = Some(item),
            row if row.starts_with("l#") || row.starts_with("due#") => self.rows.push((row, item)),
            part => self.parts.push(part),
        }
    }

    fn broken(&self, pk: &str) -> Vec<String> {
        let Some(own) = self.own else {
            let rows = self.rows.iter().map(|(sk, _)| *sk);
            let orphans: Vec<&str> = rows.chain(self.parts.iter().copied()).collect();
            let mut found = vec![];
            if !self.changes.is_empty() {
                found.push(format!("{pk}: {} change records and no record", self.changes.len()));
            }
            if !orphans.is_empty() {
                found.push(format!("{pk}: parts under no record: {}", orphans.join(", ")));
            }
            return found;
        };
        // An item with a record's key that is no record: it has no history.
        let Some(version) = number(own, "version").filter(|_| own.contains_key("head")) else {
            return vec![];
        };
        let mut found = vec![];
        let count = self.changes.len();
        if count as i64 != version {
            found.push(format!("{pk}: version {version} with {count} change records"));
        }
        for (sk, row) in &self.rows {
            if sk.starts_with("l#")
                && (number(row, "version") != Some(version) || text(row, "head") != text(own, "head"))
            {
                found.push(format!("{pk}: its row {sk} is of another version"));
            }
        }
        if own.contains_key("deleted_at") {
            let due = own.contains_key("gsi3pk") || self.rows.iter().any(|(sk, _)| sk.starts_with("due#"));
            if due {
                found.push(format!("{pk}: deleted, and still due"));
            }
            let listed = ["gsi1pk", "gsi2pk"].into_iter().filter_map(|name| text(own, name));
            for partition in listed.filter(|p| !p.contains("~deleted")) {
                found.push(format!("{pk}: deleted, and still listed in {partition}"));
            }
        }
        found
    }
}

/// Every link's hash and its place in the chain, and the record's own item against its last change.
fn chains(records: &BTreeMap<String, Around<'_>>) -> Vec<String> {
    let mut by_scope = BTreeMap::<&str, (Vec<Link>, Vec<Head>)>::new();
    for (pk, around) in records {
        let scope = pk.split('#').next().unwrap_or_default();
        let (links, heads) = by_scope.entry(scope).or_default();
        links.extend(around.changes.iter().filter_map(|(_, item)| Link::read(&typed(item))));
        heads.extend(around.own.and_then(|item| Head::read(&typed(item))));
    }
    let mut found = vec![];
    for (tenant, (links, heads)) in by_scope {
        let evidence =
            Evidence { tenant: tenant.into(), links, heads: Some(heads), whole: true, ..Evidence::default() };
        let failures = verify(&evidence).findings.into_iter().filter(|f| f.finding.is_failure());
        found.extend(failures.map(|f| format!("{}: {:?}: {}", f.record, f.finding, f.detail)));
    }
    found
}

/// Limits that may be overdrawn: nobody unconscious is turned away for a plan.
const OVERDRAWN: &[&str] = &["patients"];
/// Guards that outlive the deletion of their record: a number is never given twice.
const KEPT: &[&str] = &["number"];

/// Guards, tokens and quotas.
fn stray(state: &State, pk: &str, sk: &str, item: &Item) -> Option<String> {
    let words: Vec<&str> = pk.split('#').collect();
    // Of another module's noun, which this world does not have, a story arranges the guard alone.
    let known = |scope: &str, kind: &str| state.any_under(&format!("{scope}#{kind}#"));
    let record = |scope: &str, kind: &str, id: &str| state.get(&format!("{scope}#{kind}#{id}"), ".");
    let lives = |scope: &str, kind: &str, id: &str| {
        record(scope, kind, id).is_some_and(|record| !record.contains_key("deleted_at"))
    };
    match words[..] {
        [scope, "unique", kind, field, _] if known(scope, kind) => {
            let owner = text(item, "owner").unwrap_or_default();
            // A sign-up holds what will be its organisation's, which has the same ULID.
            let signup = owner.strip_prefix("ten_").map(|ulid| format!("sgn_{ulid}"));
            let held = lives(scope, kind, owner)
                || (KEPT.contains(&field) && record(scope, kind, owner).is_some())
                || signup.is_some_and(|signup| lives(scope, "sgn", &signup));
            (!held).then(|| format!("the guard of {kind}.{field} belongs to nobody: {owner}"))
        }
        [scope, "find", place, ..] => {
            let kind = place.split('=').next().unwrap_or_default();
            let id = text(item, "owner").unwrap_or_else(|| sk.rsplit('#').next().unwrap_or(sk));
            (!lives(scope, kind, id)).then(|| format!("a search token leads to nobody: {id}"))
        }
        [_, "quota", name, _] if !OVERDRAWN.contains(&name) => {
            let left = number(item, "left").unwrap_or_default();
            (left < 0).then(|| format!("of the quota {name}, {left} are left"))
        }
        _ => None,
    }
}
