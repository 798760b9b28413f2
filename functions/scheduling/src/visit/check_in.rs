//! Check-in: one wave of reads, one commit. The number is advanced only inside the commit that uses it, so a
//! refused check-in uses none and fifty at once use fifty in a row.

use super::{SetBy, Status, Visit, VisitType};
use crate::{
    appointment::{self, Appointment},
    host::Host,
    kinds,
    place::{self, Patient, Site},
    practitioner::{self, Practitioner},
    queue::{
        self, Counter, Page, Queue,
        estimate::{Estimate, Pace},
        order::{self, Class},
        token_key,
    },
};
use authz::Only;
use events::SchedulingEvent;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{
    AppointmentId, DepartmentId, Error, PatientId, PractitionerId, QueueId, Result, SiteId, error::found,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Key, Record, When, facts, is};
use web::{Answer, Body, Ctx, Reach, Refused, Shown};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct CheckIn {
    pub patient_id: PatientId,
    pub site: SiteId,
    /// With it, `practitioner_id` may be left out; named, it saves a round trip.
    pub appointment_id: Option<AppointmentId>,
    pub practitioner_id: Option<PractitionerId>,
    pub department_id: Option<DepartmentId>,
    pub visit_type: VisitType,
    #[schemars(length(min = 1, max = 500))]
    pub purpose: Option<Sealed<String>>,
    #[schemars(length(max = 2000))]
    pub notes: Option<Sealed<String>>,
    #[schemars(length(max = 120))]
    pub accompanied_by: Option<Sealed<String>>,
}

/// What a check-in answers beside the visit.
#[derive(Serialize, JsonSchema)]
pub struct Ticket {
    pub position: usize,
    /// None while the queue is paused.
    pub estimate: Option<Estimate>,
    pub paused: bool,
    pub ticket: Printed,
}

/// For the printer at the desk: no name, no diagnosis.
#[derive(Serialize, JsonSchema)]
pub struct Printed {
    pub token: String,
    pub practitioner: Option<String>,
    pub room: Option<String>,
    pub checked_in_at: Timestamp,
}

pub async fn check_in(ctx: Ctx, Body(body): Body<CheckIn>) -> Answer {
    permitted(&ctx, &body)?;
    // Another check-in took the number or was the queue's first, or the appointment changed: look again.
    let done = web::again(ctx.store(), || async {
        let desk = desk(&ctx, &body).await?;
        let (new, appointment) = visit(&ctx, &body, &desk)?;
        written(&ctx, &desk, &new, appointment.as_ref()).await
    });
    match done.await {
        Err(Refused(Error::Duplicate { owner, .. })) => Err(there_already(&ctx, &owner).await?.into()),
        other => other,
    }
}

fn permitted(ctx: &Ctx, body: &CheckIn) -> Result<()> {
    crate::slot::at_site(ctx, body.site)?;
    if matches!(ctx.reach(), Reach::Own | Reach::Linked) {
        // The kiosk's code comes with the displays.
        return Err(Error::forbidden("kiosk-not-open", "check in at the desk"));
    }
    if ctx.only() == Some(Only::Emergency) && body.visit_type != VisitType::Emergency {
        return Err(Error::forbidden(
            "forbidden",
            "nurses check in emergencies; other visits are the desk's",
        ));
    }
    Ok(())
}

/// The open visit that stands in the way, with its token.
async fn there_already(ctx: &Ctx, owner: &str) -> Result<Error> {
    let error = Error::conflict("already-checked-in", "this patient is checked in already");
    let visit = ctx.store().get::<Visit>(owner.parse()?).await?;
    Ok(error.with("visit", visit.id).with("token", visit.body.label).with("queue", visit.body.queue_id))
}

/// The desk as it is: what a check-in has to know.
pub struct Desk {
    pub host: Host,
    pub site: SiteId,
    pub date: Date,
    pub zone: TimeZone,
    pub queue: QueueId,
    pub practitioner: Option<Record<Practitioner>>,
    pub record: Option<Value>,
    counter: Option<Counter>,
    patient: Patient,
    flags: Vec<String>,
    pace: Pace,
    page: Page,
    appointment: Option<Record<Appointment>>,
}

/// Read for the site's local day, which is the organisation's in all but a few minutes of a few sites.
async fn desk(ctx: &Ctx, body: &CheckIn) -> Result<Desk> {
    let host = match (body.practitioner_id, body.department_id, body.appointment_id) {
        (None, None, Some(id)) => known_appointment(ctx, id).await?.body.host()?,
        (practitioner, department, _) => Host::named(practitioner, department)?,
    };
    let of = Some((body.patient_id, body.appointment_id));
    let mut date = ctx.today();
    loop {
        let desk = Desk::read(ctx, host, body.site, date, of).await?;
        let local = ctx.now().to_zoned(desk.zone.clone()).date();
        if local == date {
            return Ok(desk);
        }
        date = local;
    }
}

async fn known_appointment(ctx: &Ctx, id: AppointmentId) -> Result<Record<Appointment>> {
    let unknown =
        || Error::field("unknown-appointment", "/appointment_id", "there is no such appointment here");
    found(ctx.store().fresh::<Appointment>(id).await)?.ok_or_else(unknown)
}

impl Desk {
    pub async fn read(
        ctx: &Ctx,
        host: Host,
        site: SiteId,
        date: Date,
        of: Option<(PatientId, Option<AppointmentId>)>,
    ) -> Result<Self> {
        let queue = queue::id(host, site, date);
        let mut keys =
            vec![Key::fact(facts::SITE, site), Counter::key(queue), Key::record(queue), Pace::key(host)];
        if let Some((patient, _)) = of {
            keys.extend([Key::fact(facts::PATIENT, patient), Key::fact(facts::FLAGS, patient)]);
        }
        let practitioner = async {
            match host.practitioner() {
                Some(id) => practitioner::known(ctx.store().get(id).await).map(Some),
                None => Ok(None),
            }
        };
        let appointment = async {
            match of.and_then(|(_, appointment)| appointment) {
                Some(id) => known_appointment(ctx, id).await.map(Some),
                None => Ok(None),
            }
        };
        let (found, practitioner, page, appointment) =
            futures::join!(ctx.store().read_many(&keys), practitioner, Page::read(ctx, queue), appointment);
        let practitioner = practitioner?;
        let mut found = found?.into_iter();
        let mut next = || found.next().flatten();
        let zone = Site::of(next())?.zone(ctx);
        let read = |v: Value| serde_json::from_value(v).map_err(Error::internal);
        let counter = next().map(read).transpose()?;
        let record = next();
        let pace = next().and_then(|p| serde_json::from_value(p).ok()).unwrap_or_default();
        let patient = Patient::of(next());
        let flags = next()
            .map(|f| f["codes"].clone())
            .and_then(|c| serde_json::from_value(c).ok())
            .unwrap_or_default();
        let (page, appointment) = (page?, appointment?);
        Ok(Self {
            host,
            site,
            date,
            zone,
            queue,
            practitioner,
            record,
            counter,
            patient,
            flags,
            pace,
            page,
            appointment,
        })
    }

    pub fn prefix(&self) -> String {
        let own = self.practitioner.as_ref().and_then(|p| p.body.queue_prefix.clone());
        own.unwrap_or_else(|| if self.host.department().is_some() { "D".into() } else { "A".into() })
    }

    /// One more than the last; 409 once the queue is closed.
    pub fn next_token(&self) -> Result<u32> {
        match self.counter {
            Some(Counter { closed: Some(true), .. }) => Err(Error::conflict(
                "queue-closed",
                "this queue is closed for today: check in with somebody else",
            )),
            counter => Ok(counter.map_or(0, |c| c.last_token) + 1),
        }
    }

    /// Age under 5 or from 65, pregnancy, a disability.
    fn goes_first(&self) -> bool {
        let flagged =
            self.flags.iter().any(|f| matches!(f.as_str(), "pregnant" | "pregnancy" | "disability"));
        flagged || self.patient.age(self.date).is_some_and(order::age_goes_first)
    }

    fn ticket(&self, ctx: &Ctx, new: &Visit) -> Ticket {
        let status = |word: &str| self.record.as_ref().is_some_and(|q| q["status"] == word);
        let room = self.record.as_ref().and_then(|q| q["room"].as_str().map(Into::into));
        let standing = new.standing();
        let slot = slot_minutes(ctx, self.practitioner.as_ref().map(|p| &p.body));
        let estimate = self.page.wait(&standing, &self.pace, slot);
        Ticket {
            position: self.page.ahead(&standing) + 1,
            estimate: (!status("paused")).then_some(estimate),
            paused: status("paused"),
            ticket: Printed {
                token: new.label.clone(),
                practitioner: self.practitioner.as_ref().map(|p| p.body.display_name.clone()),
                room,
                checked_in_at: new.check_in_time,
            },
        }
    }
}

/// The visit to be, and the appointment it fulfils.
fn visit(ctx: &Ctx, body: &CheckIn, desk: &Desk) -> Result<(Record<Visit>, Option<Record<Appointment>>)> {
    let now = ctx.now();
    if desk.practitioner.as_ref().is_some_and(|p| !p.body.active) {
        return Err(Error::field(
            "practitioner-inactive",
            "/practitioner_id",
            "this practitioner sees nobody any more",
        ));
    }
    let appointment =
        desk.appointment.as_ref().map(|a| arriving(a, body, desk).map(|()| a.clone())).transpose()?;
    let start = appointment.as_ref().map(|a| a.body.start);
    let class = match body.visit_type {
        VisitType::Emergency => Class::Emergency,
        _ => order::class(now, start, desk.goes_first()),
    };
    // Whoever is too late for their time waits from now on.
    let timely = start.filter(|start| now <= *start + order::LATE);
    let token = desk.next_token()?;
    let visit = Visit {
        patient_id: body.patient_id,
        listed_under: None,
        site: body.site,
        visit_date: desk.date,
        visit_type: body.visit_type,
        purpose: body.purpose.clone(),
        notes: body.notes.clone(),
        accompanied_by: body.accompanied_by.clone(),
        appointment_id: appointment.as_ref().map(|a| a.id),
        checked_in_by: ctx.actor().user.clone(),
        check_in_time: now,
        queue_id: desk.queue,
        token,
        label: queue::label(&desk.prefix(), token),
        practitioner_id: desk.host.practitioner(),
        practitioner_user: desk.practitioner.as_ref().map(|p| p.body.user_id),
        department_id: desk.host.department(),
        class,
        class_by: SetBy::Rule,
        eligible_at: if class == Class::Emergency { now } else { order::eligible(now, timely) },
        skips: 0,
        status: Status::Waiting,
        called_at: None,
        called_to: None,
        seen_by: None,
        started_at: None,
        ended_at: None,
        consultation_duration_minutes: None,
        triage: None,
        encounter_id: None,
    };
    Ok((Record::new(now, visit), appointment))
}

/// Whether this appointment can be arrived at, here and today.
fn arriving(appointment: &Record<Appointment>, body: &CheckIn, desk: &Desk) -> Result<()> {
    use appointment::Status;
    let a = &appointment.body;
    if a.patient_id != body.patient_id && a.listed_under != Some(body.patient_id) {
        return Err(Error::field(
            "other-patient",
            "/appointment_id",
            "this is another patient's appointment",
        ));
    }
    match a.status {
        Status::Scheduled | Status::Confirmed | Status::NoShow => {}
        Status::Cancelled => {
            let detail = "this appointment was cancelled; check the patient in without it";
            return Err(Error::conflict("appointment-cancelled", detail));
        }
        Status::Arrived | Status::Completed => {
            return Err(Error::conflict("already-arrived", "this appointment has been checked in already"));
        }
        other => return Err(Error::State { command: "check_in", state: other.to_string() }),
    }
    if a.site != body.site {
        return Err(Error::field("other-site", "/site", "this appointment is at another site"));
    }
    if a.start.to_zoned(desk.zone.clone()).date() != desk.date {
        let detail = "this appointment is on another day; check the patient in without it";
        return Err(Error::field("not-today", "/appointment_id", detail));
    }
    Ok(())
}

async fn written(
    ctx: &Ctx,
    desk: &Desk,
    new: &Record<Visit>,
    appointment: Option<&Record<Appointment>>,
) -> Answer {
    let mut commit = ctx.commit().create(new).emit(SchedulingEvent::CheckedIn(new.body.place(new.id)));
    commit = place::patient_lives(commit, new.body.patient_id);
    commit = place::cleared(ctx, commit, new.body.practitioner_user);
    commit = number(ctx, commit, desk, new)?;
    if let Some(old) = appointment {
        commit = arrived(ctx, commit, old, new);
    }
    let shown = Shown::record_with(ctx, 201, new, &desk.ticket(ctx, &new.body))?;
    ctx.settle(commit, shown).await
}

fn arrived(ctx: &Ctx, commit: Commit, old: &Record<Appointment>, visit: &Record<Visit>) -> Commit {
    let mut new = old.next(ctx.now());
    let body = &mut new.body;
    body.status = appointment::Status::Arrived;
    body.arrived_at = Some(ctx.now());
    body.token_number = Some(visit.body.token);
    body.patient_visit_id = Some(visit.id);
    body.needs_attention = None;
    let late = ctx.now() > body.start + order::LATE;
    commit.update("check_in", old, &new).emit(SchedulingEvent::Arrived {
        appointment: new.id,
        visit: visit.id,
        late,
    })
}

/// Takes the visit's token: the counter moves from the number before to this one, and the token's own item
/// did not exist. The day's first check-in makes the queue.
pub fn number(ctx: &Ctx, commit: Commit, desk: &Desk, visit: &Record<Visit>) -> Result<Commit> {
    let token = visit.body.token;
    let faster = |_: Option<Value>| Error::meanwhile();
    let key = Counter::key(desk.queue);
    let commit = match desk.counter {
        Some(counter) => {
            let open = is("last_token", counter.last_token).and(When::Without("closed"));
            commit.set_if(&key, &[("last_token", token.into())], open, faster)
        }
        None => {
            let first = Counter { last_token: token, closed: None };
            commit.put_if(&key, &first, When::Absent, faster).create(&opened(ctx, desk)?)
        }
    };
    let given = json!({"visit": visit.id, "patient": visit.body.patient_id});
    Ok(commit.put_if(&token_key(desk.queue, token), &given, When::Absent, faster))
}

fn opened(ctx: &Ctx, desk: &Desk) -> Result<Record<Queue>> {
    let end = desk.date.at(23, 59, 0, 0).to_zoned(desk.zone.clone()).map_err(Error::internal)?;
    let queue = Queue {
        practitioner_id: desk.host.practitioner(),
        practitioner_user: desk.practitioner.as_ref().map(|p| p.body.user_id),
        department_id: desk.host.department(),
        site: desk.site,
        date: desk.date,
        prefix: desk.prefix(),
        status: queue::Status::Open,
        room: None,
        opened_at: ctx.now(),
        ends_at: end.timestamp().max(ctx.now()),
        closed_at: None,
        swept: false,
    };
    Ok(Record::with_id(desk.queue, ctx.now(), queue))
}

/// Minutes of a slot for the estimate where the practitioner's pace is not known yet.
fn slot_minutes(ctx: &Ctx, practitioner: Option<&Practitioner>) -> u32 {
    practitioner.and_then(|p| p.default_slot_minutes).unwrap_or_else(|| kinds::slot_minutes(ctx))
}

#[cfg(test)]
mod tests;
