//! A queue as it stands: one wave of reads.

use super::{
    Queue,
    estimate::{Estimate, Pace, estimate},
    order::{self, Standing},
};
use crate::{
    host::Host,
    visit::{Status, Visit},
};
use jiff::Timestamp;
use kernel::{QueueId, Result};
use std::collections::BTreeSet;
use store::{Entity, Record, Wanted};
use web::Ctx;

/// Everybody who is still there, in the order of their turns.
pub struct Page {
    pub waiting: Vec<Record<Visit>>,
    pub called: Vec<Record<Visit>>,
    pub inside: Vec<Record<Visit>>,
    pub now: Timestamp,
}

impl Page {
    pub async fn read(ctx: &Ctx, queue: QueueId) -> Result<Self> {
        let wanted = Wanted { then: vec!["open".into()], ..Wanted::by(&[&queue], 100) };
        Ok(Self::of(ctx.store().list_all(&Visit::LISTS[0], wanted).await?, ctx.now()))
    }

    fn of(all: Vec<Record<Visit>>, now: Timestamp) -> Self {
        let mut page = Self { waiting: vec![], called: vec![], inside: vec![], now };
        for visit in all {
            match visit.body.status {
                Status::Waiting => page.waiting.push(visit),
                Status::Called => page.called.push(visit),
                Status::InConsultation => page.inside.push(visit),
                _ => {}
            }
        }
        order::sort(&mut page.waiting, now, |v| v.body.standing());
        page.called.sort_by_key(|v| v.body.called_at);
        page
    }

    /// Patients who would be called before somebody who stands so: those called already, and whoever is
    /// ahead in order.
    pub fn ahead(&self, of: &Standing) -> usize {
        let place = |s: &Standing| (s.eligible_at > self.now, order::key(s, self.now));
        let before = self.waiting.iter().filter(|v| v.body.token != of.token);
        self.called.len() + before.filter(|v| place(&v.body.standing()) < place(of)).count()
    }

    pub fn wait(&self, of: &Standing, pace: &Pace, slot_minutes: u32) -> Estimate {
        let started = self.inside.iter().filter_map(|v| v.body.started_at).max();
        let elapsed = started.map(|at| self.now.duration_since(at).as_secs_f64() / 60.0);
        // Several rooms may see one department's queue at once.
        let doctors: BTreeSet<_> = self.inside.iter().filter_map(|v| v.body.seen_by.clone()).collect();
        estimate(pace.mean(slot_minutes), elapsed, self.ahead(of), doctors.len())
    }
}

/// The pace of a host; nothing known yet is an empty one.
pub async fn pace(ctx: &Ctx, host: Host) -> Result<Pace> {
    Ok(ctx.store().read(&Pace::key(host)).await?.unwrap_or_default())
}

/// The queue's record and who is in it, together.
pub async fn whole(ctx: &Ctx, id: QueueId) -> Result<(Record<Queue>, Page)> {
    let (queue, page) = futures::try_join!(ctx.get::<Queue>(id), Page::read(ctx, id))?;
    Ok((queue, page))
}
