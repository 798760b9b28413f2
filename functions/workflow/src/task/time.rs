//! What the clock does with a task: one due row, and behind it whatever comes next.

use super::{Status, Task};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Reminders, where nothing else is said: a day and two hours before.
pub const REMIND: [u32; 2] = [1440, 120];

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Start,
    Remind,
    Overdue,
    Escalate,
}

fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

impl Task {
    pub fn zoned(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }
    /// Longest before first, each once.
    pub fn tidy(&mut self) {
        self.remind.sort_unstable_by(|a, b| b.cmp(a));
        self.remind.dedup();
    }
    /// When its first day begins.
    pub fn starts_at(&self) -> Option<Timestamp> {
        self.start_on?.to_zoned(self.zoned()).ok().map(|z| z.timestamp())
    }

    /// The one due row: of what is left, whatever comes first. Dependencies are no matter of time.
    pub fn next(&self) -> Option<(Timestamp, Next)> {
        match self.status {
            Status::Waiting if self.depends_on.is_empty() => self.starts_at().map(|at| (at, Next::Start)),
            Status::Open | Status::InProgress | Status::Blocked | Status::InReview => {
                let due = self.due_at?;
                self.reminder(due)
                    .map(|at| (at, Next::Remind))
                    .or_else(|| (!self.overdue).then_some((due, Next::Overdue)))
                    .or_else(|| self.climbs(due).map(|at| (at, Next::Escalate)))
            }
            _ => None,
        }
    }

    /// A reminder that would fall into a snooze comes at its end; one that is not before the due time, never.
    fn reminder(&self, due: Timestamp) -> Option<Timestamp> {
        let left = self.remind.iter().skip(usize::from(self.reminded));
        let at = left.map(|m| due - minutes(*m)).next()?;
        let at = self.snoozed_until.map_or(at, |until| at.max(until));
        (at < due && !self.overdue).then_some(at)
    }

    fn climbs(&self, due: Timestamp) -> Option<Timestamp> {
        let level = self.escalation.get(usize::from(self.escalated))?;
        Some(due + minutes(level.after_minutes))
    }

    /// Reminders whose time is over are not sent any more.
    pub fn skip_past(&mut self, now: Timestamp) {
        while let Some((at, Next::Remind)) = self.next_if_open() {
            if at > now {
                return;
            }
            self.reminded += 1;
        }
    }

    /// What would come next, were it open: for tasks that are not yet.
    fn next_if_open(&self) -> Option<(Timestamp, Next)> {
        let due = self.due_at?;
        self.reminder(due).map(|at| (at, Next::Remind))
    }

    /// Another due time: everything is said anew.
    pub fn begin_again(&mut self, now: Timestamp) {
        (self.reminded, self.overdue, self.escalated) = (0, false, 0);
        self.tidy();
        self.skip_past(now);
    }
}
