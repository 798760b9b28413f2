//! How many sessions a contract covers, counted so that no two bookings at once go over it: one item per person (or
//! household) and issue (or year), changed by the transaction of the session itself.
//!
//! `taken` = reserved + used. A booking takes one, a completed session uses one that was taken, a cancelled one gives
//! it back; so each change is one addition, and the only condition is that of a booking.

use crate::contract::{CapScope, Contract};
use jiff::civil::Date;
use kernel::{EapCaseId, EapContractId, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Commit, Key, Record, Store, When, is};

/// What is booked or used, and what a manager added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Balance {
    pub taken: u32,
    pub used: u32,
    pub extra: u32,
}

/// The balance as a case shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    pub used: u32,
    pub booked: u32,
    /// None where the contract has no cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
}

/// A contract's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// None: no cap.
    pub sessions: Option<u32>,
    pub scope: CapScope,
}

impl Rule {
    pub fn of(contract: &Contract) -> Self {
        let sessions = Some(u32::from(contract.session_cap)).filter(|cap| *cap > 0);
        Self { sessions, scope: contract.cap_scope }
    }
}

impl Balance {
    pub fn shown(self, cap: Option<u32>) -> Shown {
        let left = cap.map(|cap| (cap + self.extra).saturating_sub(self.taken));
        Shown { used: self.used, booked: self.taken.saturating_sub(self.used), left }
    }

    pub async fn read(store: &Store, key: &Key) -> Result<Self> {
        Ok(store.read(key).await?.unwrap_or_default())
    }
}

/// Where the count of a session on that day lies, below its pool: the contract with the issue or year. `root` is the
/// contract that the case began with, so that an issue's count goes on in the contract's renewal.
pub fn place(root: EapContractId, of: &Record<Contract>, issue: &str, day: Date) -> String {
    let contract = if of.body.cap_scope == CapScope::Issue { root } else { of.id };
    format!("{contract}#{}", of.body.bucket(issue, day))
}

/// `pool` is the person's reference, or the household's.
pub fn key(pool: &str, place: &str) -> Key {
    Key::item("ecap", pool, place)
}

/// One of what is left, or 409 with the contract's rule in words. `seen` is what was read: an extension that came in
/// between is [`Error::Stale`], and the caller looks again.
pub fn take(commit: Commit, key: &Key, seen: Balance, rule: Rule, case: EapCaseId) -> Commit {
    let Some(cap) = rule.sessions else { return commit.add(key, "taken", 1) };
    let most = i64::from(cap + seen.extra);
    let free = When::Without("taken").or(When::Below("taken", most));
    let same = is("extra", seen.extra);
    let same = if seen.extra == 0 { When::Without("extra").or(same) } else { same };
    commit.add_if(key, "taken", 1, free.and(same), move |old| {
        let now: Balance = old.and_then(|old: Value| serde_json::from_value(old).ok()).unwrap_or_default();
        if now.extra == seen.extra { reached(rule, now, case) } else { Error::meanwhile() }
    })
}

fn reached(rule: Rule, now: Balance, case: EapCaseId) -> Error {
    let cap = rule.sessions.unwrap_or_default();
    let per = match rule.scope {
        CapScope::Issue => "issue",
        CapScope::ContractYear => "year of the contract",
        CapScope::CalendarYear => "calendar year",
    };
    let added = if now.extra == 0 { String::new() } else { format!(" and {} were added", now.extra) };
    let detail = format!(
        "the contract covers {cap} sessions per {per}{added}; {} are used and {} booked. A manager can add some: \
         POST /v1/eap/cases/{case}/extend",
        now.used,
        now.taken.saturating_sub(now.used)
    );
    Error::conflict("session-cap-reached", detail)
        .with("cap", cap)
        .with("extra", now.extra)
        .with("used", now.used)
        .with("booked", now.taken.saturating_sub(now.used))
        .with("scope", rule.scope)
}

/// What was taken is used.
pub fn use_one(commit: Commit, key: &Key) -> Commit {
    commit.add(key, "used", 1)
}

/// What was taken is free again.
pub fn give_back(commit: Commit, key: &Key) -> Commit {
    commit.add(key, "taken", -1)
}

/// Sessions beyond the contract's cap.
pub fn extend(commit: Commit, key: &Key, more: u32) -> Commit {
    commit.add(key, "extra", i64::from(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_counts_what_is_booked() {
        let balance = Balance { taken: 5, used: 3, extra: 2 };
        assert_eq!(balance.shown(Some(6)), Shown { used: 3, booked: 2, left: Some(3) });
        assert_eq!(balance.shown(None).left, None);
    }
}
