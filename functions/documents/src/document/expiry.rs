//! The way to a document's end: reminders before it, the end itself, and who is told afterwards. One due row per
//! document, moved along by the commit that sends a step; what was passed meanwhile is not made up, except for the
//! most urgent of it.

use super::{Document, Status, said};
use crate::{place, retention::Trigger, retire};
use events::DocumentEvent;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::Result;
use serde_json::Value;
use store::{Commit, Record, facts};
use web::{App, Ctx, Task};

/// At eight in the morning, local time.
const MORNING: i8 = 8;
/// Days after the end: holder and uploader, line manager, HR; then every 30 days.
const OVERDUE: [u16; 3] = [1, 7, 14];
const EVERY: u16 = 30;

/// A point on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Days before the end.
    Remind(u16),
    /// The last day is over.
    Expire,
    /// Days after the end.
    Overdue(u16),
}

impl Step {
    /// Its place in the order of time: what `Document::stage` keeps.
    pub const fn stage(self) -> i32 {
        match self {
            Self::Remind(days) => -2 * days as i32,
            Self::Expire => 1,
            Self::Overdue(days) => 2 * days as i32,
        }
    }
}

/// When a document's steps are.
pub struct Way<'a> {
    pub end: Date,
    pub zone: TimeZone,
    pub remind_days: &'a [u16],
}

impl Way<'_> {
    fn at(&self, days: i64, hour: i8) -> Option<Timestamp> {
        let day = self.end.checked_add(days.days()).ok()?;
        day.at(hour, 0, 0, 0).to_zoned(self.zone.clone()).ok().map(|z| z.timestamp())
    }
    pub fn when(&self, step: Step) -> Option<Timestamp> {
        match step {
            Step::Remind(days) => self.at(-i64::from(days), MORNING),
            Step::Expire => self.at(1, 0),
            Step::Overdue(days) => self.at(i64::from(days), MORNING),
        }
    }
    /// Every step after a stage, in the order of time; without end.
    fn after(&self, stage: Option<i32>) -> impl Iterator<Item = Step> {
        let mut days = self.remind_days.to_vec();
        days.sort_unstable_by(|a, b| b.cmp(a));
        let before = days.into_iter().map(Step::Remind).chain([Step::Expire]);
        let later = (1..).map(|n: u16| Step::Overdue(OVERDUE[2].saturating_add(EVERY.saturating_mul(n))));
        let all = before.chain(OVERDUE.into_iter().map(Step::Overdue)).chain(later);
        all.filter(move |s| stage.is_none_or(|stage| s.stage() > stage))
    }
    /// What comes next, and when.
    pub fn next(&self, stage: Option<i32>) -> Option<(Step, Timestamp)> {
        let step = self.after(stage).next()?;
        Some((step, self.when(step)?))
    }
    /// What is due now: of several missed ones the most urgent, but never past the end without ending.
    pub fn due(&self, stage: Option<i32>, now: Timestamp) -> Option<Step> {
        let passed = |s: &Step| self.when(*s).is_some_and(|at| at <= now);
        let mut missed = self.after(stage).take_while(passed);
        let first = missed.next()?;
        let mut last = first;
        for step in missed {
            if last == Step::Expire {
                break;
            }
            last = step;
        }
        Some(last)
    }
    /// The stage of somebody who comes late: reminders that lie before now are not sent.
    pub fn late(&self, now: Timestamp) -> Option<i32> {
        let before = self.after(None).take_while(|s| *s != Step::Expire);
        let passed = before.take_while(|s| self.when(*s).is_some_and(|at| at <= now));
        passed.last().map(Step::stage)
    }
}

impl Document {
    /// Its way, while it is on one: verified with an end, or expired and told about.
    pub fn way(&self) -> Option<Way<'_>> {
        let told = self.status == Status::Verified || (self.status == Status::Expired && self.terms.escalate);
        let end = self.expires_on.filter(|_| told)?;
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        Some(Way { end, zone, remind_days: &self.terms.remind_days })
    }
    /// The next step's time.
    pub fn next_step(&self) -> Option<Timestamp> {
        self.way()?.next(self.stage).map(|(_, at)| at)
    }
    /// Begins its way: what is over is skipped.
    pub fn begin_way(&mut self, now: Timestamp) {
        self.stage = self.way().and_then(|way| way.late(now));
    }
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.doc.expiry", |app: App, row: Value| async move { ring(&app, &row).await })]
}

async fn ring(app: &App, row: &Value) -> Result<()> {
    let Some((ctx, found)) = place::due::<Document>(app, row).await? else { return Ok(()) };
    let id = found.id;
    web::again(ctx.store(), || async {
        let Some(old) = place::live::<Document>(&ctx, id).await? else { return Ok(()) };
        let step = old.body.way().and_then(|way| way.due(old.body.stage, ctx.now()));
        match step {
            Some(step) => send(&ctx, &old, step).await?.run().await,
            None => Ok(()),
        }
    })
    .await
}

/// The step's commit: the record moves on, and its event says what is to be told.
async fn send(ctx: &Ctx, old: &Record<Document>, step: Step) -> Result<Commit> {
    let mut new = old.next(ctx.now());
    new.body.stage = Some(step.stage());
    let (document, renewal) = (said(old), old.body.renewal);
    let commit = ctx.store().commit();
    Ok(match step {
        Step::Remind(days) => {
            commit.update("remind", old, &new).emit(DocumentEvent::Expiring { document, days, renewal })
        }
        Step::Overdue(days) => {
            commit.update("escalate", old, &new).emit(DocumentEvent::Overdue { document, days, renewal })
        }
        Step::Expire => {
            new.body.status = Status::Expired;
            let run = retire::begin(ctx, &mut new, Trigger::Expired, old.body.expires_on).await?;
            let commit = commit.update("expire", old, &new).emit(DocumentEvent::Expired(document));
            retire::plan(commit.drop_fact(facts::DOCUMENT, old.id), run)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [u16; 7] = [90, 60, 30, 14, 7, 1, 0];

    fn way(zone: &str) -> Way<'static> {
        Way { end: "2027-05-01".parse().unwrap(), zone: TimeZone::get(zone).unwrap(), remind_days: &DAYS }
    }
    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn steps_come_in_order_at_eight_local_time_and_the_end_at_midnight() {
        let way = way("Africa/Lagos");
        let (mut stage, mut seen) = (None, vec![]);
        for _ in 0..13 {
            let (step, when) = way.next(stage).unwrap();
            seen.push((step, when.to_string()));
            stage = Some(step.stage());
        }
        let times: Vec<&str> = seen.iter().map(|(_, t)| t.as_str()).collect();
        assert_eq!(seen[0], (Step::Remind(90), "2027-01-31T07:00:00Z".into()));
        assert_eq!(seen[6], (Step::Remind(0), "2027-05-01T07:00:00Z".into()));
        assert_eq!(seen[7], (Step::Expire, "2027-05-01T23:00:00Z".into()));
        assert_eq!(seen[8], (Step::Overdue(1), "2027-05-02T07:00:00Z".into()));
        assert_eq!(
            [seen[9].0, seen[10].0, seen[11].0],
            [Step::Overdue(7), Step::Overdue(14), Step::Overdue(44)]
        );
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(way.when(Step::Remind(1)).unwrap(), at("2027-04-30T07:00:00Z"));
    }

    #[test]
    fn who_comes_late_is_spared_what_is_over() {
        let way = way("Africa/Lagos");
        let late = way.late(at("2027-04-11T12:00:00Z"));
        assert_eq!(late, Some(Step::Remind(30).stage()), "20 days are left");
        assert_eq!(way.next(late).unwrap().0, Step::Remind(14));
        assert_eq!(way.late(at("2026-01-01T00:00:00Z")), None);
        let last = way.late(at("2027-05-01T08:00:00Z"));
        assert_eq!(way.next(last).unwrap().0, Step::Expire, "the end itself is never skipped");
    }

    #[test]
    fn after_an_outage_the_most_urgent_is_sent_and_no_end_is_jumped_over() {
        let way = way("Africa/Lagos");
        let stage = Some(Step::Remind(14).stage());
        assert_eq!(way.due(stage, at("2027-04-24T06:59:59Z")), None);
        assert_eq!(way.due(stage, at("2027-04-27T09:00:00Z")), Some(Step::Remind(7)), "three days down");
        assert_eq!(
            way.due(stage, at("2027-05-01T09:00:00Z")),
            Some(Step::Remind(0)),
            "7 and 1 are not made up"
        );
        assert_eq!(way.due(stage, at("2027-05-20T09:00:00Z")), Some(Step::Expire));
        assert_eq!(way.due(Some(Step::Expire.stage()), at("2027-05-20T09:00:00Z")), Some(Step::Overdue(14)));
    }

    #[test]
    fn the_day_counts_where_the_organisation_is() {
        assert_eq!(way("Europe/London").when(Step::Remind(90)).unwrap(), at("2027-01-31T08:00:00Z"));
        assert_eq!(
            way("Europe/London").when(Step::Expire).unwrap(),
            at("2027-05-01T23:00:00Z"),
            "summer time"
        );
    }
}
