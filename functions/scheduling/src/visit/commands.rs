//! Commands with a body or a choice of their own: call, skip, transfer, prioritise.

use super::{SetBy, Status, Visit, check_in, event};
use crate::queue::{self, order::Class};
use events::SchedulingEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{DepartmentId, Error, PractitionerId, Result, VisitId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Record;
use web::{Answer, At, Body, Ctx};

use super::check_in::Desk;

/// Command, permission, and the states it starts from; beside the steps of the life cycle.
pub const ALL: &[(&str, &str, &[Status])] = &[
    ("call", "patient_visit.call", &[Status::Waiting]),
    ("skip", "patient_visit.skip", &[Status::Called]),
    ("transfer", "patient_visit.transfer", &[Status::Waiting, Status::Called]),
    ("prioritise", "patient_visit.prioritise", &[Status::Waiting, Status::Called]),
    ("triage", "patient_visit.triage", &[Status::Waiting, Status::Called]),
];

/// 422 in every state the command does not start from.
pub fn possible(command: &'static str, status: Status) -> Result<()> {
    let from = ALL.iter().find(|(c, ..)| *c == command).map_or(&[][..], |(_, _, from)| from);
    if from.contains(&status) {
        return Ok(());
    }
    Err(Error::State { command, state: status.to_string() })
}

/// Calls a visit that was read: the version decides who was first.
pub async fn called(ctx: &Ctx, old: &Record<Visit>, room: Option<String>) -> Answer {
    possible("call", old.body.status)?;
    let mut new = old.next(ctx.now());
    new.body.status = Status::Called;
    new.body.called_at = Some(ctx.now());
    new.body.called_to = room.clone();
    let (place, label) = (new.body.place(new.id), new.body.label.clone());
    let commit = ctx.commit().update("call", old, &new).emit(SchedulingEvent::Called { place, label, room });
    ctx.looked_at::<Visit>([new.id].into_iter()).await?;
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

pub async fn call(ctx: Ctx, At(id): At<VisitId>, Body(room): Body<queue::Room>) -> Answer {
    let old = ctx.change::<Visit>(id).await?;
    called(&ctx, &old, room.room).await
}

/// Skips before the patient counts as gone.
const SKIPS: u8 = 3;
/// How long a skipped patient is not called.
const AFTER_SKIP: SignedDuration = SignedDuration::from_mins(10);

pub async fn skip(ctx: Ctx, At(id): At<VisitId>) -> Answer {
    let old = ctx.change::<Visit>(id).await?;
    possible("skip", old.body.status)?;
    let mut new = old.next(ctx.now());
    let action = skipped(&mut new.body, ctx.now());
    let mut commit = ctx.commit().update(action, &old, &new);
    if let Some(event) = event(action, &new) {
        commit = commit.emit(event);
    }
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

/// Back to waiting, or gone: what the skip amounts to.
fn skipped(body: &mut Visit, now: Timestamp) -> &'static str {
    body.skips += 1;
    body.called_at = None;
    body.called_to = None;
    if body.skips >= SKIPS {
        body.status = Status::NoShow;
        body.ended_at = Some(now);
        return "no_show";
    }
    body.status = Status::Waiting;
    body.eligible_at = now + AFTER_SKIP;
    "skip"
}

#[derive(Deserialize, JsonSchema)]
pub struct Prioritised {
    pub class: Class,
    #[schemars(length(min = 1, max = 500))]
    pub reason: Option<String>,
}

pub async fn prioritise(ctx: Ctx, At(id): At<VisitId>, Body(body): Body<Prioritised>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = ctx.change::<Visit>(id).await?;
    possible("prioritise", old.body.status)?;
    let mut new = old.next(ctx.now());
    new.body.class = body.class;
    new.body.class_by = SetBy::Hand;
    let commit = ctx.commit().because(Some(reason)).update("prioritise", &old, &new);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

#[derive(Deserialize, JsonSchema)]
pub struct Transferred {
    /// Either a practitioner or a department of the same site.
    pub practitioner_id: Option<PractitionerId>,
    pub department_id: Option<DepartmentId>,
}

/// A new token in the other queue, in one commit with leaving this one. The visit goes on: its old token stays
/// used, and its history says where it waited before.
pub async fn transfer(ctx: Ctx, At(id): At<VisitId>, Body(body): Body<Transferred>) -> Answer {
    let host = crate::host::Host::named(body.practitioner_id, body.department_id)?;
    web::again(ctx.store(), || async {
        let old = ctx.change::<Visit>(id).await?;
        possible("transfer", old.body.status)?;
        if old.body.host()? == host {
            return Err(
                Error::field("same-queue", "/practitioner_id", "the patient waits there already").into()
            );
        }
        let desk = Desk::read(&ctx, host, old.body.site, old.body.visit_date, None).await?;
        moved(&ctx, &old, &desk).await
    })
    .await
}

async fn moved(ctx: &Ctx, old: &Record<Visit>, desk: &Desk) -> Answer {
    let token = desk.next_token()?;
    let mut new = old.next(ctx.now());
    let body = &mut new.body;
    body.status = Status::Waiting;
    body.queue_id = desk.queue;
    body.token = token;
    body.label = queue::label(&desk.prefix(), token);
    body.practitioner_id = desk.host.practitioner();
    body.practitioner_user = desk.practitioner.as_ref().map(|p| p.body.user_id);
    body.department_id = desk.host.department();
    body.called_at = None;
    body.called_to = None;
    let place = new.body.place(new.id);
    let commit = ctx.commit().update("transfer", old, &new);
    let commit = commit.emit(SchedulingEvent::Transferred {
        place,
        from: old.body.queue_id,
        from_token: old.body.token,
    });
    let commit = check_in::number(ctx, commit, desk, &new)?;
    ctx.settle(commit, ctx.shown(200, &new)?).await
}
