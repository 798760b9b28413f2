//! Booking and holding: one wave of reads, one commit. Whatever was read may have changed by then; the commit's
//! conditions decide.

use super::{Appointment, Source, Status, claims, reminders};
use crate::{
    availability::Mode,
    host::Host,
    kinds, place,
    practitioner::Practitioner,
    slot::{Diary, Place, Wish},
};
use events::SchedulingEvent;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kernel::{
    AppointmentId, DepartmentId, Error, FollowUpId, PatientId, PractitionerId, Result, SiteId, error::found,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use serde_json::json;
use store::{Commit, Key, Record, When, is};
use web::{Ctx, Reach, Refused};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Booking {
    pub patient_id: PatientId,
    /// Either a practitioner or, in session clinics, a department.
    pub practitioner_id: Option<PractitionerId>,
    pub department_id: Option<DepartmentId>,
    pub site: SiteId,
    pub start: Timestamp,
    /// 5–120, a multiple of 5; else the slot's own length.
    #[schemars(range(min = 5, max = 120))]
    pub minutes: Option<u32>,
    #[serde(rename = "type")]
    #[schemars(length(max = 40))]
    pub kind: String,
    #[schemars(length(max = 500))]
    pub reason: Option<Sealed<String>>,
    #[schemars(length(max = 2000))]
    pub notes: Option<Sealed<String>>,
    pub source: Option<Source>,
    /// One's own hold, which becomes the booking.
    pub hold: Option<AppointmentId>,
    /// Outside rules, blocks and capacity; needs `appointment.overbook` and a reason.
    pub overbook: Option<bool>,
    /// Beside another appointment of the patient; procedures only, with a reason.
    pub allow_overlap: Option<bool>,
    pub follow_up_id: Option<FollowUpId>,
}

/// How long a hold lasts, and how many a patient may have.
const HOLD: SignedDuration = SignedDuration::from_mins(5);
const HOLDS: u8 = 2;
/// Commits that are tried while blocks of the day keep changing.
const DAY_TRIES: u32 = 4;

impl Booking {
    pub fn host(&self) -> Result<Host> {
        Host::named(self.practitioner_id, self.department_id)
    }
    fn wish(&self) -> Wish {
        let overbook = self.overbook == Some(true);
        Wish { start: self.start, minutes: self.minutes, kind: self.kind.clone(), overbook }
    }
}

/// Books (or holds), trying the next free lane while others take the first ones.
pub async fn book(ctx: &Ctx, booking: &Booking, hold: bool) -> web::Answer {
    let host = permitted(ctx, booking)?;
    let mut tries = 0;
    loop {
        let utc = booking.start.to_zoned(TimeZone::UTC).date();
        let read = Diary::read(ctx, host, booking.site, (utc, utc), booking.hold);
        let (diary, held) = futures::join!(read, own_hold(ctx, booking));
        let (diary, held) = (diary?, held?);
        allowed(ctx, &diary, booking)?;
        let found = diary.place(&booking.wish()).map_err(|e| lost(e, held.as_ref()))?;
        match each_lane(ctx, booking, &diary, held.as_ref(), &found, hold).await {
            Err(Refused(Error::Refused(r))) if r.code == DAY_CHANGED && tries < DAY_TRIES => tries += 1,
            Err(Refused(Error::Refused(r))) if r.code == DAY_CHANGED => return Err(away().into()),
            other => return other,
        }
    }
}

/// The free lanes in turn, at most as many as there are.
async fn each_lane(
    ctx: &Ctx,
    booking: &Booking,
    diary: &Diary,
    held: Option<&Record<Appointment>>,
    found: &Place,
    hold: bool,
) -> web::Answer {
    let mut lanes = found.lanes.iter();
    let (mut lane, mut place) = (lanes.next(), hold.then_some(0));
    while let Some(at) = lane {
        let new = record(ctx, booking, diary, held, found, *at, place);
        let commit = written(ctx, booking, diary, held, &new)?;
        match ctx.settle(commit, ctx.shown(201, &new)?).await {
            Err(Refused(Error::Refused(r))) if r.code == "slot-taken" => lane = lanes.next(),
            Err(Refused(Error::Refused(r))) if r.code == TOO_MANY && place < Some(HOLDS - 1) => {
                place = Some(HOLDS - 1)
            }
            other => return other,
        }
    }
    // Somebody was faster: the alternatives are those of now.
    let utc = booking.start.to_zoned(TimeZone::UTC).date();
    let now = Diary::read(ctx, diary.host, booking.site, (utc, utc), None).await?;
    Err(lost(now.taken_refusal(&booking.wish()), held).into())
}

/// A hold that ended and was taken over by somebody is told as such.
fn lost(error: Error, held: Option<&Record<Appointment>>) -> Error {
    match (&error, held) {
        (Error::Refused(r), Some(_)) if r.code == "slot-taken" => {
            let hold =
                Error::conflict("hold-expired", "your hold has ended and somebody else booked this slot");
            hold.with("alternatives", r.extra.get("alternatives"))
        }
        _ => error,
    }
}

/// What can be said before anything is read: whose calendar, which type, and the reasons that need saying.
fn permitted(ctx: &Ctx, booking: &Booking) -> Result<Host> {
    let host = booking.host()?;
    kinds::known(ctx, &booking.kind)?;
    crate::slot::at_site(ctx, booking.site)?;
    if booking.minutes.is_some_and(|m| !m.is_multiple_of(crate::slot::UNIT)) {
        return Err(Error::field("not-five-minutes", "/minutes", "a multiple of 5 minutes"));
    }
    if booking.start < ctx.now() {
        return Err(Error::field("in-the-past", "/start", "this time is over"));
    }
    if booking.overbook == Some(true) {
        ctx.need("appointment.overbook")?;
        ctx.needs_reason(booking.reason.as_ref().map(|r| r.as_str()))?;
    }
    if booking.allow_overlap == Some(true) {
        if booking.kind != "procedure" {
            let detail = "only a procedure may lie beside another appointment of the patient";
            return Err(Error::field("overlap-not-allowed", "/allow_overlap", detail));
        }
        ctx.needs_reason(booking.reason.as_ref().map(|r| r.as_str()))?;
    }
    Ok(host)
}

/// What the practitioner's profile says to this booking by this caller.
pub fn allowed(ctx: &Ctx, diary: &Diary, booking: &Booking) -> Result<()> {
    in_window(ctx, diary, &booking.kind, booking.start)?;
    let day = diary.span_of(diary.local_day(booking.start));
    let booked = diary.taken.appointments(day).len();
    let most = diary.profile().and_then(|p| p.max_per_day);
    if booking.overbook != Some(true) && most.is_some_and(|most| booked >= most as usize) {
        return Err(Error::conflict("day-full", "this practitioner sees no more patients on that day"));
    }
    Ok(())
}

/// Whether this caller may put something of this type at this time into this calendar.
pub fn in_window(ctx: &Ctx, diary: &Diary, kind: &str, start: Timestamp) -> Result<()> {
    let Some(profile) = diary.profile() else { return Ok(()) };
    if ctx.reach() == Reach::Assigned && profile.user_id.to_string() != ctx.actor().user {
        return Err(Error::forbidden(
            "not-your-calendar",
            "you book into your own calendar; ask the desk for others",
        ));
    }
    offers(profile, kind)?;
    if matches!(ctx.reach(), Reach::Own | Reach::Linked) && !profile.self_booking {
        return Err(Error::forbidden("no-self-booking", "call the desk to book with this practitioner"));
    }
    // The desk may pass these two: a patient stands in front of it.
    if ctx.reach() < Reach::Site { window(ctx, profile, start) } else { Ok(()) }
}

pub fn offers(profile: &Practitioner, kind: &str) -> Result<()> {
    if !profile.active {
        let detail = "this practitioner cannot be booked any more";
        return Err(Error::field("practitioner-inactive", "/practitioner_id", detail));
    }
    if !profile.bookable_types.is_empty() && !profile.bookable_types.iter().any(|t| t == kind) {
        return Err(Error::field("type-not-offered", "/type", "this practitioner does not offer this type"));
    }
    Ok(())
}

fn window(ctx: &Ctx, profile: &Practitioner, start: Timestamp) -> Result<()> {
    let notice = SignedDuration::from_mins(i64::from(profile.min_notice_minutes));
    if start < ctx.now() + notice {
        let detail = format!("book at least {} minutes ahead, or call the desk", profile.min_notice_minutes);
        return Err(Error::field("too-late-to-book", "/start", detail));
    }
    if start > ctx.now() + SignedDuration::from_hours(24 * i64::from(profile.max_ahead_days)) {
        let detail = format!("book at most {} days ahead", profile.max_ahead_days);
        return Err(Error::field("too-far-ahead", "/start", detail));
    }
    Ok(())
}

/// The caller's hold, which this booking turns into an appointment.
async fn own_hold(ctx: &Ctx, booking: &Booking) -> Result<Option<Record<Appointment>>> {
    let Some(id) = booking.hold else { return Ok(None) };
    let unknown = || Error::field("unknown-hold", "/hold", "there is no such hold for this patient and time");
    let held = found(ctx.store().fresh::<Appointment>(id).await)?.ok_or_else(unknown)?;
    let body = &held.body;
    let same = body.patient_id == booking.patient_id
        && body.start == booking.start
        && body.host()? == booking.host()?;
    match body.status {
        Status::Held | Status::Expired if same => Ok(Some(held)),
        _ => Err(unknown()),
    }
}

fn record(
    ctx: &Ctx,
    booking: &Booking,
    diary: &Diary,
    held: Option<&Record<Appointment>>,
    found: &Place,
    lane: u16,
    hold_place: Option<u8>,
) -> Record<Appointment> {
    let now = ctx.now();
    let hold = hold_place.is_some();
    let buffer = if found.mode == Mode::Slots && booking.overbook != Some(true) { diary.buffer() } else { 0 };
    let portal = matches!(ctx.reach(), Reach::Own | Reach::Linked);
    let source = booking.source.unwrap_or(if portal { Source::Portal } else { Source::Desk });
    let body = Appointment {
        patient_id: booking.patient_id,
        listed_under: None,
        practitioner_id: booking.practitioner_id,
        practitioner_user: diary.profile().map(|p| p.user_id),
        department_id: booking.department_id,
        site: booking.site,
        start: booking.start,
        minutes: found.minutes,
        kind: booking.kind.clone(),
        reason: booking.reason.clone(),
        notes: booking.notes.clone(),
        status: if hold { Status::Held } else { Status::Scheduled },
        source: if booking.follow_up_id.is_some() { Source::FollowUp } else { source },
        booked_by: ctx.actor().user.clone(),
        room: found.room.clone(),
        held_until: hold.then(|| now + HOLD),
        hold_place,
        confirmed_at: None,
        arrived_at: None,
        token_number: None,
        patient_visit_id: None,
        follow_up_id: booking.follow_up_id,
        rescheduled_from: None,
        sequence: 0,
        cancel: None,
        needs_attention: None,
        keeps_patient_time: booking.allow_overlap != Some(true),
        mode: found.mode,
        lane,
        claimed_minutes: found.minutes + buffer,
        reminders: if hold { vec![] } else { reminders(ctx, booking.start, &diary.zone) },
    };
    match held {
        Some(held) => Record { body, ..held.next(now) },
        None => Record::new(now, body),
    }
}

fn written(
    ctx: &Ctx,
    booking: &Booking,
    diary: &Diary,
    held: Option<&Record<Appointment>>,
    new: &Record<Appointment>,
) -> Result<Commit> {
    let commit = ctx
        .commit()
        .because(booking.reason.as_ref().map(|r| r.0.clone()).filter(|_| booking.overbook == Some(true)));
    let commit = match held {
        Some(held) => commit.update("book", held, new),
        None => commit.create(new),
    };
    let commit = match new.body.status {
        Status::Held => hold_place(commit, ctx, new),
        _ => commit
            .emit(SchedulingEvent::Booked { slot: new.body.slot(new.id), follow_up: new.body.follow_up_id }),
    };
    let commit = place::patient_lives(commit, new.body.patient_id);
    let commit = place::cleared(ctx, commit, new.body.practitioner_user);
    let commit = unblocked(commit, diary, &new.body);
    // Another lane of one's own hold is given back.
    let commit = match held {
        Some(held) => claims::free(free_hold_place(commit, held), held.id, &held.body, Some(&new.body))?,
        None => commit,
    };
    claims::take(commit, new.id, &new.body, None, ctx.now())
}

pub const DAY_CHANGED: &str = "day-changed";

/// The day's blocks are still those that were read.
pub fn unblocked(mut commit: Commit, diary: &Diary, body: &Appointment) -> Commit {
    let touched = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let (first, last) = (touched(body.start), touched(body.end() - SignedDuration::from_nanos(1)));
    for (date, day) in diary.days.range(first..=last) {
        let key = crate::block::Day::key(diary.host, *date);
        let changed = |_| Error::conflict(DAY_CHANGED, "the practitioner's day has just changed");
        commit = commit.check(&key, When::unmoved(day.rev), changed);
    }
    commit
}

fn away() -> Error {
    Error::conflict(
        "practitioner-away",
        "the practitioner's day is changing right now; look at the free slots again",
    )
}

/// One of the patient's two places for holds.
fn hold_place(commit: Commit, ctx: &Ctx, new: &Record<Appointment>) -> Commit {
    let until = new.body.held_until.map_or(0, Timestamp::as_second);
    let place = hold_key(new.body.patient_id, new.body.hold_place.unwrap_or_default());
    let free = When::Any(vec![When::Absent, When::Below("until", ctx.now().as_second()), is("apt", new.id)]);
    let body = json!({"until": until, "apt": new.id});
    commit.put_until(&place, &body, ctx.now() + HOLD + HOLD, free, |_| {
        Error::conflict(TOO_MANY, "a patient has at most two holds at a time; book one, or wait five minutes")
    })
}

/// The place of a hold that was booked or has ended is free again.
pub fn free_hold_place(commit: Commit, held: &Record<Appointment>) -> Commit {
    match held.body.hold_place {
        Some(place) => {
            // An ended hold's place may be another hold's by now: then it stays, and the booking is told to try again.
            let ours = When::Absent.or(is("apt", held.id));
            let taken =
                |_| Error::conflict("hold-expired", "your hold has ended; look at the free slots again");
            commit.delete_if(&hold_key(held.body.patient_id, place), ours, taken)
        }
        None => commit,
    }
}

fn hold_key(patient: PatientId, place: u8) -> Key {
    Key::item("hold", patient, place)
}

const TOO_MANY: &str = "too-many-holds";

#[cfg(test)]
mod tests;
