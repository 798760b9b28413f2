//! Moving and cancelling.

use super::{Appointment, CancelCode, Cancellation, Status, book, claims, reminders};
use crate::{
    host::Host,
    place,
    slot::{self, Diary, Place, Wish},
};
use events::SchedulingEvent;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kernel::{AppointmentId, Error, PractitionerId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Commit, Record};
use web::{Answer, At, Body, Ctx, Reach, Refused};

#[derive(Deserialize, JsonSchema)]
pub struct Moved {
    pub start: Timestamp,
    /// To another practitioner.
    pub practitioner_id: Option<PractitionerId>,
    #[schemars(range(min = 5, max = 120))]
    pub minutes: Option<u32>,
    #[schemars(length(min = 1, max = 500))]
    pub reason: Option<String>,
}

/// Moving something this close to its start needs a reason.
const LATE: SignedDuration = SignedDuration::from_hours(2);

pub async fn reschedule(ctx: Ctx, At(id): At<AppointmentId>, Body(body): Body<Moved>) -> Answer {
    let mut tries = 0;
    loop {
        match once(&ctx, id, &body).await {
            Err(Refused(Error::Refused(r))) if r.code == book::DAY_CHANGED && tries < 4 => tries += 1,
            other => return other,
        }
    }
}

async fn once(ctx: &Ctx, id: AppointmentId, body: &Moved) -> Answer {
    let old = ctx.change::<Appointment>(id).await?;
    movable(&old.body, "reschedule")?;
    let host = body.practitioner_id.map_or_else(|| old.body.host(), |p| Ok(Host::Practitioner(p)))?;
    let reason = reasoned(ctx, &old.body, body)?;
    let utc = body.start.to_zoned(TimeZone::UTC).date();
    let diary = Diary::read(ctx, host, old.body.site, (utc, utc), Some(id)).await?;
    let wish = Wish {
        start: body.start,
        minutes: body.minutes.or(Some(old.body.minutes)),
        kind: old.body.kind.clone(),
        overbook: false,
    };
    permitted(ctx, &diary, &wish)?;
    let found = diary.place(&wish)?;
    for lane in lanes(&found, old.body.lane) {
        let new = moved(ctx, &old, host, &diary, &found, lane, &wish);
        let commit = ctx.commit().because(reason.clone()).update("reschedule", &old, &new);
        let slot = new.body.slot(id);
        let commit = commit.emit(SchedulingEvent::Rescheduled { slot, from: old.body.start });
        let commit = place::patient_lives(commit, new.body.patient_id);
        let commit = place::cleared(ctx, commit, new.body.practitioner_user);
        let commit = book::unblocked(commit, &diary, &new.body);
        let commit = claims::free(commit, id, &old.body, Some(&new.body))?;
        let commit = claims::take(commit, id, &new.body, Some(&old.body), ctx.now())?;
        match ctx.settle(commit, ctx.shown(200, &new)?).await {
            Err(Refused(Error::Refused(r))) if r.code == "slot-taken" => {}
            other => return other,
        }
    }
    let now = Diary::read(ctx, host, old.body.site, (utc, utc), Some(id)).await?;
    Err(now.taken_refusal(&wish).into())
}

/// The lane it has already comes first: what is common then stays as it is.
fn lanes(found: &Place, own: u16) -> Vec<u16> {
    let mut lanes = found.lanes.clone();
    lanes.sort_by_key(|lane| (*lane != own, *lane));
    lanes
}

fn moved(
    ctx: &Ctx,
    old: &Record<Appointment>,
    host: Host,
    diary: &Diary,
    found: &Place,
    lane: u16,
    wish: &Wish,
) -> Record<Appointment> {
    let mut new = old.next(ctx.now());
    let body = &mut new.body;
    body.status = Status::Scheduled;
    body.confirmed_at = None;
    body.needs_attention = None;
    body.rescheduled_from = Some(old.body.start);
    body.sequence += 1;
    body.start = wish.start;
    body.practitioner_id = host.practitioner();
    body.department_id = host.department();
    body.practitioner_user = diary.profile().map(|p| p.user_id);
    body.mode = found.mode;
    body.minutes = found.minutes;
    body.room = found.room.clone();
    body.lane = lane;
    body.claimed_minutes = match found.mode {
        crate::availability::Mode::Slots => found.minutes + diary.buffer(),
        crate::availability::Mode::Session => found.minutes,
    };
    body.reminders = reminders(ctx, wish.start, &diary.zone);
    new
}

/// 409 once the patient is there, 422 in every other state that is not open.
fn movable(body: &Appointment, command: &'static str) -> Result<()> {
    match body.status {
        Status::Scheduled | Status::Confirmed => Ok(()),
        Status::Arrived | Status::Completed => {
            let detail = "the patient has arrived: use the commands of the visit";
            Err(Error::conflict("already-arrived", detail))
        }
        other => Err(Error::State { command, state: other.to_string() }),
    }
}

fn reasoned(ctx: &Ctx, old: &Appointment, body: &Moved) -> Result<Option<String>> {
    if old.start.duration_since(ctx.now()) < LATE {
        return ctx.needs_reason(body.reason.as_deref()).map(Some);
    }
    Ok(body.reason.clone().or(ctx.reason()))
}

fn permitted(ctx: &Ctx, diary: &Diary, wish: &Wish) -> Result<()> {
    if wish.minutes.is_some_and(|m| !m.is_multiple_of(slot::UNIT)) {
        return Err(Error::field("not-five-minutes", "/minutes", "a multiple of 5 minutes"));
    }
    if wish.start < ctx.now() {
        return Err(Error::field("in-the-past", "/start", "this time is over"));
    }
    book::in_window(ctx, diary, &wish.kind, wish.start)
}

#[derive(Deserialize, JsonSchema)]
pub struct Cancelled {
    pub code: CancelCode,
    /// Required where the organisation cancels.
    #[schemars(length(min = 1, max = 500))]
    pub text: Option<String>,
}

pub async fn cancel(ctx: Ctx, At(id): At<AppointmentId>, Body(body): Body<Cancelled>) -> Answer {
    let ours = matches!(body.code, CancelCode::Clinic | CancelCode::Practitioner | CancelCode::Other);
    let reason = if ours { Some(ctx.needs_reason(body.text.as_deref())?) } else { body.text.clone() };
    if ours && matches!(ctx.reach(), Reach::Own | Reach::Linked) {
        return Err(
            Error::field("code", "/code", "patients cancel with the code patient or duplicate").into()
        );
    }
    let old = ctx.change::<Appointment>(id).await?;
    if old.body.status != Status::Held {
        movable(&old.body, "cancel")?;
    }
    let (new, commit) = cancelled(&ctx, &old, body.code, body.text, reason)?;
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

/// The cancelled version and its commit: claims out, the slot told.
pub fn cancelled(
    ctx: &Ctx,
    old: &Record<Appointment>,
    code: CancelCode,
    text: Option<String>,
    reason: Option<String>,
) -> Result<(Record<Appointment>, Commit)> {
    let mut new = old.next(ctx.now());
    new.body.status = Status::Cancelled;
    new.body.cancel = Some(Cancellation { by: ctx.actor().user.clone(), code, text: text.map(Sealed) });
    new.body.needs_attention = None;
    let event = SchedulingEvent::Cancelled { slot: new.body.slot(new.id), code: code.to_string() };
    let commit = ctx.commit().because(reason).update("cancel", old, &new);
    let commit =
        if old.body.status == Status::Held { book::free_hold_place(commit, old) } else { commit.emit(event) };
    Ok((new, claims::free(commit, old.id, &old.body, None)?))
}
