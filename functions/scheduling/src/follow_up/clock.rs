//! Reminders and the end of the window; and the visit that completes a follow-up.

use super::{FollowUp, Status};
use crate::{due::MODULE, practitioner::Practitioner, visit::Visit};
use events::SchedulingEvent;
use kernel::{FollowUpId, Result};
use store::{Commit, Entity, Record, Wanted};
use web::{Ctx, Task};

pub fn tasks() -> Vec<Task> {
    vec![Task::due("due.flw.reminder", MODULE, remind), Task::due("due.flw.missed", MODULE, miss)]
}

fn remind(ctx: &Ctx, old: &Record<FollowUp>) -> Option<Commit> {
    let due = old.body.status == Status::Pending && old.body.reminder().is_some_and(|at| at <= ctx.now());
    due.then(|| {
        let mut new = old.next(ctx.now());
        new.body.skip_past(ctx.now());
        ctx.commit().update("remind", old, &new).emit(SchedulingEvent::FollowUpDue(new.body.said(new.id)))
    })
}

fn miss(ctx: &Ctx, old: &Record<FollowUp>) -> Option<Commit> {
    let due = old.body.status == Status::Pending && old.body.missed_at().is_some_and(|at| at <= ctx.now());
    due.then(|| {
        let mut new = old.next(ctx.now());
        new.body.status = Status::Missed;
        ctx.commit().update("miss", old, &new).emit(SchedulingEvent::FollowUpMissed(new.body.said(new.id)))
    })
}

/// Completes what the patient was to come for: the same practitioner, or one of the specialty, within the
/// window.
pub async fn complete(ctx: &Ctx, visit: &Record<Visit>) -> Result<()> {
    let patient = visit.body.listed_under.unwrap_or(visit.body.patient_id);
    let wanted = Wanted::by(&[&patient], 100);
    let page = ctx.store().list(&FollowUp::LISTS[1], &wanted).await?;
    let open = |r: &Record<FollowUp>| {
        r.body.status == Status::Pending
            && r.body.site == visit.body.site
            && r.body.met_on(visit.body.visit_date)
    };
    let open: Vec<_> = page.data.into_iter().filter(open).collect();
    if open.is_empty() {
        return Ok(());
    }
    let specialties = match visit.body.practitioner_id {
        Some(id) => ctx.store().get::<Practitioner>(id).await.map(|p| p.body.specialties).unwrap_or_default(),
        None => vec![],
    };
    for listed in open {
        let same = listed.body.practitioner_id.is_some()
            && listed.body.practitioner_id == visit.body.practitioner_id;
        let fits = listed.body.specialty.as_ref().is_some_and(|s| specialties.contains(s));
        if same || fits {
            completed(ctx, listed.id, visit).await?;
        }
    }
    Ok(())
}

async fn completed(ctx: &Ctx, id: FollowUpId, visit: &Record<Visit>) -> Result<()> {
    web::update::<FollowUp>(ctx, id, |old| {
        (old.body.status == Status::Pending).then(|| {
            let mut new = old.next(ctx.now());
            new.body.status = Status::Completed;
            new.body.outcome = Some(visit.id.to_string());
            new.body.appointment_id = new.body.appointment_id.or(visit.body.appointment_id);
            let event = SchedulingEvent::FollowUpCompleted(new.body.said(id));
            ctx.commit().update("complete", old, &new).emit(event)
        })
    })
    .await
}
