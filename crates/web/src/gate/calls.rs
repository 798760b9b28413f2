//! The fact `api_calls#self`: how many calls the organisation's machines have made, in the month and each key today.
//! Written by the integrations module when the numbers have moved by a hundredth of what is allowed; so a limit closes
//! within a minute of being reached, and not to the call.

use super::TenantGate;
use crate::pace::Left;
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use kernel::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Its name among the plan's limits.
pub const MONTHLY: &str = "api_calls_month";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// Raised by every change, so that two at once cannot lose one another.
    #[serde(default)]
    pub rev: u64,
    /// `2026-11`, UTC.
    #[serde(default)]
    pub month: String,
    /// Calls of live keys in that month.
    #[serde(default)]
    pub used: u64,
    /// By key: those that have called today, or lately.
    #[serde(default)]
    pub keys: BTreeMap<String, Today>,
}

/// One key's day, UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Today {
    pub day: Date,
    pub used: u64,
    /// What its usage plan allows a day.
    pub allowed: u64,
    /// A sandbox's calls are none of the month's.
    pub sandbox: bool,
}

/// `2026-11`
pub fn month_of(at: Timestamp) -> String {
    let day = at.to_zoned(TimeZone::UTC).date();
    format!("{:04}-{:02}", day.year(), day.month())
}

fn next_midnight(at: Timestamp) -> Timestamp {
    start(at.to_zoned(TimeZone::UTC).date().saturating_add(1.day()))
}

/// When the month's limit opens again.
pub fn next_month(at: Timestamp) -> Timestamp {
    start(at.to_zoned(TimeZone::UTC).date().first_of_month().saturating_add(1.month()))
}

fn start(day: Date) -> Timestamp {
    let midnight = DateTime::from(day).to_zoned(TimeZone::UTC);
    midnight.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

/// A limit and how it stands.
struct Standing {
    allowed: u64,
    used: u64,
    opens: Timestamp,
}

impl Standing {
    fn left(&self, now: Timestamp) -> Left {
        let seconds = self.opens.duration_since(now).as_secs().max(1);
        Left {
            limit: self.allowed,
            remaining: self.allowed.saturating_sub(self.used),
            reset: seconds.unsigned_abs(),
        }
    }
}

impl Calls {
    /// Calls of the organisation in the month of `now`.
    pub fn of_month(&self, now: Timestamp) -> u64 {
        if self.month == month_of(now) { self.used } else { 0 }
    }

    fn day(&self, key: &str, now: Timestamp) -> Option<Standing> {
        let today = self.keys.get(key).filter(|t| t.day == now.to_zoned(TimeZone::UTC).date())?;
        Some(Standing { allowed: today.allowed, used: today.used, opens: next_midnight(now) })
    }

    /// Of a key that has not called lately it is not known yet whether it is a sandbox's: it is let in, and known then.
    fn month(&self, key: &str, tenant: &TenantGate, now: Timestamp) -> Option<Standing> {
        if self.keys.get(key)?.sandbox {
            return None;
        }
        let allowed = *tenant.limits.get(MONTHLY)?;
        Some(Standing { allowed, used: self.of_month(now), opens: next_month(now) })
    }

    /// What is left of the nearer limit; 429 with how it stands if one is used up. None where nothing is limited.
    pub(crate) fn take(
        &self,
        key: &str,
        tenant: &TenantGate,
        now: Timestamp,
    ) -> Result<Option<Left>, (Error, Left)> {
        let (day, month) = (self.day(key, now), self.month(key, tenant, now));
        if let Some(over) = month.as_ref().filter(|s| s.used >= s.allowed) {
            let plans = tenant.lifted_by.get(MONTHLY).cloned().unwrap_or_default();
            let detail = format!(
                "the calls that the plan {} gives to partners in a month ({}) are used up: they begin anew at {}; a wider plan has more",
                tenant.plan, over.allowed, over.opens
            );
            return Err((used_up(over, MONTHLY, detail, now).with("lifted_by", plans), over.left(now)));
        }
        if let Some(over) = day.as_ref().filter(|s| s.used >= s.allowed) {
            let detail = format!(
                "this key has used up its {} calls of the day: they begin anew at {}",
                over.allowed, over.opens
            );
            return Err((used_up(over, "calls_day", detail, now), over.left(now)));
        }
        Ok([day, month].into_iter().flatten().map(|s| s.left(now)).min_by_key(|left| left.remaining))
    }
}

fn used_up(over: &Standing, limit: &str, detail: String, now: Timestamp) -> Error {
    let wait = u32::try_from(over.left(now).reset).unwrap_or(u32::MAX);
    Error::too_many("quota-exceeded", detail, wait)
        .with("limit", limit)
        .with("allowed", over.allowed)
        .with("used", over.used)
        .with("opens_at", over.opens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn today(day: &str, used: u64, sandbox: bool) -> Today {
        Today { day: day.parse().unwrap(), used, allowed: 1000, sandbox }
    }

    #[test]
    fn months_and_days_begin_at_midnight_utc() {
        assert_eq!(month_of(at("2026-11-30T23:59:59Z")), "2026-11");
        assert_eq!(next_month(at("2026-12-31T23:59:59Z")), at("2027-01-01T00:00:00Z"));
        assert_eq!(next_midnight(at("2026-11-30T00:00:00Z")), at("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn what_was_used_yesterday_is_not_of_today() {
        let calls =
            Calls { keys: [("pky_1".into(), today("2026-11-22", 1000, false))].into(), ..Calls::default() };
        assert!(calls.day("pky_1", at("2026-11-23T00:00:00Z")).is_none());
        let over = calls.day("pky_1", at("2026-11-22T23:00:00Z")).unwrap();
        assert_eq!(over.left(at("2026-11-22T23:00:00Z")), Left { limit: 1000, remaining: 0, reset: 3600 });
    }

    #[test]
    fn last_months_calls_are_none_of_this_one() {
        let calls = Calls { month: "2026-10".into(), used: 7, ..Calls::default() };
        assert_eq!(
            (calls.of_month(at("2026-10-31T23:00:00Z")), calls.of_month(at("2026-11-01T00:00:00Z"))),
            (7, 0)
        );
    }
}
