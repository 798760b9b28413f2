//! When the clock has to look at an organisation: days of its own time zone, ending at midnight there.

use super::{Status, Tenant};
use jiff::{Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, Result};
use store::Due;

/// Days before the end of a trial on which the administrator is told.
pub const TRIAL_NOTICES: &[u8] = &[7, 3, 1];
/// Days after the due date.
pub const OVERDUE_NOTICES: &[u8] = &[1, 3, 7, 14];
/// Days from the due date to suspension.
pub const GRACE: i64 = 21;
/// Days' notice that clinical work gets before a suspension for payment.
pub const CLINICAL_NOTICE: i64 = 14;
/// Days that an extension may add.
pub const EXTENSION: i64 = 30;
pub const EXTENSIONS: u8 = 2;
/// Days that the export of a closing organisation can be fetched.
pub const EXPORT: i64 = 30;
/// Days from closing to erasure, where the contract says nothing else (30 to 3,650).
pub const KEPT: i64 = 90;

impl Tenant {
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
    /// The first moment of a day there.
    pub fn begins(&self, day: Date) -> Timestamp {
        self.at(day, 0)
    }
    fn at(&self, day: Date, hour: i8) -> Timestamp {
        let zoned = day.at(hour, 0, 0, 0).to_zoned(self.zone());
        zoned.map_or(Timestamp::MAX, |z| z.timestamp())
    }
    fn after(&self, day: Date) -> Timestamp {
        self.begins(plus(day, 1))
    }
    /// Notices are sent at nine in the morning.
    fn notice(&self, day: Date) -> Timestamp {
        self.at(day, 9)
    }

    /// The next notice not sent yet: which, and when.
    pub fn next_notice(&self) -> Option<(u8, Timestamp)> {
        match (self.status, self.trial_ends_on, self.past_due_since) {
            (Status::Trial, Some(end), _) => {
                let next = TRIAL_NOTICES.iter().find(|n| self.told.is_none_or(|told| **n < told))?;
                Some((*next, self.notice(plus(end, -i64::from(*next)))))
            }
            (Status::PastDue, _, Some(since)) => {
                let next = OVERDUE_NOTICES.iter().find(|n| self.told.is_none_or(|told| **n > told))?;
                Some((*next, self.notice(plus(since, i64::from(*next)))))
            }
            _ => None,
        }
    }
}

pub fn plus(day: Date, days: i64) -> Date {
    let span: Span = days.days();
    day.saturating_add(span)
}

pub fn dues(tenant: &Tenant) -> Vec<Due> {
    let due = |at: Option<Timestamp>, what| at.map(|at| Due { at, what });
    let own = match tenant.status {
        Status::Trial => due(tenant.trial_ends_on.map(|d| tenant.after(d)), "trial_end"),
        Status::Active => due(tenant.paid_until.map(|d| tenant.after(d)), "overdue"),
        Status::PastDue => due(tenant.suspend_on.map(|d| tenant.begins(d)), "suspend"),
        Status::Closing => {
            due(tenant.closing_since.map(|at| at + jiff::SignedDuration::from_hours(24 * EXPORT)), "closed")
        }
        _ => None,
    };
    let notice = due(tenant.next_notice().map(|(_, at)| at), "notice");
    own.into_iter().chain(notice).collect()
}

/// At most twice.
pub fn may_extend(tenant: &Tenant, _: Date) -> Result<()> {
    if tenant.extensions >= EXTENSIONS {
        return Err(Error::conflict(
            "extended-already",
            "the date was moved twice already; reactivate on payment",
        ));
    }
    Ok(())
}

/// Clinical work is not cut off for money without two weeks' notice.
pub fn noticed(tenant: &Tenant, today: Date) -> Result<()> {
    let earliest = tenant.past_due_since.map(|since| plus(since, CLINICAL_NOTICE));
    match earliest {
        Some(day) if day <= today => Ok(()),
        _ => {
            let detail = "a suspension for payment needs 14 days' notice after the due date";
            let e = Error::conflict("notice-period", detail);
            Err(match earliest {
                Some(day) => e.with("earliest", day),
                None => e,
            })
        }
    }
}

/// What begins when a bill is not paid.
pub fn fall_due(tenant: &mut Tenant, today: Date) {
    tenant.status = Status::PastDue;
    tenant.past_due_since = Some(today);
    tenant.suspend_on = Some(plus(today, GRACE));
    (tenant.extensions, tenant.told) = (0, None);
}

/// What is over when it is paid.
pub fn settle(tenant: &mut Tenant, paid_until: Date) {
    tenant.status = Status::Active;
    tenant.paid_until = Some(paid_until);
    (tenant.past_due_since, tenant.suspend_on, tenant.told, tenant.status_reason) = (None, None, None, None);
    tenant.extensions = 0;
}
