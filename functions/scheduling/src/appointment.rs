//! Appointments (FHIR Appointment): time of a practitioner and of a patient, sold once.

mod api;
mod book;
mod change;
mod claims;
mod clock;
mod reading;
mod reminders;

pub use api::routes;
pub use change::cancelled;
pub use clock::tasks;
pub use reading::{between, refuse_if_sold};
pub use reminders::reminders;

use crate::{availability::Mode, host::Host, of_patient};
use events::{SchedulingEvent, scheduling::Slot};
use jiff::{SignedDuration, Timestamp};
use kernel::{
    AppointmentId, AvailabilityId, DepartmentId, Error, FollowUpId, Lifecycle, PatientId, PractitionerId,
    Result, SiteId, Step, UserId, VisitId,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Due, Entity, List, Record, Row, stamp};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    pub enum Status {
        /// Kept for five minutes while somebody decides.
        Held = "held",
        /// A hold that ended without a booking.
        Expired = "expired",
        Scheduled = "scheduled",
        Confirmed = "confirmed",
        Arrived = "arrived",
        Completed = "completed",
        NoShow = "no_show",
        Cancelled = "cancelled",
    }
}
kernel::words! {
    pub enum Source {
        Desk = "desk", Phone = "phone", Portal = "portal", Partner = "partner", WaitingList = "waiting_list",
        FollowUp = "follow_up",
    }
}
kernel::words! {
    pub enum CancelCode {
        Patient = "patient", Practitioner = "practitioner", Clinic = "clinic", Duplicate = "duplicate",
        Deceased = "deceased", Other = "other",
    }
}
kernel::words! {
    /// Why the desk has to do something about it.
    pub enum Attention { PractitionerAway = "practitioner_away" }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cancellation {
    pub by: String,
    pub code: CancelCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub text: Option<Sealed<String>>,
}

/// Everything but reason and notes is set by booking and by commands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Appointment {
    #[schemars(extend("readOnly" = true))]
    pub patient_id: PatientId,
    /// Under whom lists show it: the survivor's id once the patient was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub listed_under: Option<PatientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub practitioner_id: Option<PractitionerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub practitioner_user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub department_id: Option<DepartmentId>,
    #[schemars(extend("readOnly" = true))]
    pub site: SiteId,
    #[schemars(extend("readOnly" = true))]
    pub start: Timestamp,
    /// 5–120.
    #[schemars(extend("readOnly" = true))]
    pub minutes: u32,
    #[serde(rename = "type")]
    #[schemars(extend("readOnly" = true))]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub reason: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub notes: Option<Sealed<String>>,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[schemars(extend("readOnly" = true))]
    pub source: Source,
    #[schemars(extend("readOnly" = true))]
    pub booked_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub room: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub held_until: Option<Timestamp>,
    /// Which of the patient's two places for holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub hold_place: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub confirmed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub arrived_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub token_number: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub patient_visit_id: Option<VisitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub follow_up_id: Option<FollowUpId>,
    /// Where it lay before it was last moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub rescheduled_from: Option<Timestamp>,
    /// Raised by every move, as calendars count it.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub sequence: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub cancel: Option<Cancellation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub needs_attention: Option<Attention>,
    /// The patient's time is kept too; not where an overlap was allowed.
    #[schemars(extend("readOnly" = true))]
    pub keeps_patient_time: bool,
    #[schemars(extend("readOnly" = true))]
    pub mode: Mode,
    /// Which of the slot's lanes, or of the session's seats.
    #[schemars(extend("readOnly" = true))]
    pub lane: u16,
    /// Minutes of the practitioner that are claimed: its own and the buffer.
    #[schemars(extend("readOnly" = true))]
    pub claimed_minutes: u32,
    /// When the patient is still to be reminded, earliest first.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub reminders: Vec<Timestamp>,
}

/// After its end an appointment that nobody came to is a no-show.
const NO_SHOW_AFTER: SignedDuration = SignedDuration::from_mins(30);

impl Appointment {
    pub fn host(&self) -> Result<Host> {
        Host::named(self.practitioner_id, self.department_id)
    }
    pub fn end(&self) -> Timestamp {
        self.start + SignedDuration::from_mins(i64::from(self.minutes))
    }
    /// Booked, and the patient has not come yet.
    pub fn is_upcoming(&self) -> bool {
        matches!(self.status, Status::Scheduled | Status::Confirmed)
    }
    pub fn slot(&self, id: AppointmentId) -> Slot {
        Slot {
            appointment: id,
            patient: self.patient_id,
            practitioner: self.practitioner_id,
            department: self.department_id,
            site: self.site,
            start: self.start,
            minutes: self.minutes,
            sequence: self.sequence,
        }
    }
}

impl Entity for Appointment {
    type Id = AppointmentId;
    const NOUN: &'static str = "appointment";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("host", &["of"], |r| {
            r.body.host().iter().map(|h| Row::new(&[h], &[&stamp(r.body.start), &r.id])).collect()
        })
        .range()
        .oldest_first(),
        List::<Self>::by("patient", &["patient"], |r| {
            let patient = r.body.listed_under.unwrap_or(r.body.patient_id);
            vec![Row::new(&[&patient], &[&stamp(r.body.start), &r.id])]
        })
        .range(),
    ];

    /// One date at a time: the hold's end, or reminder after reminder, then the look whether anybody came.
    fn due(record: &Record<Self>) -> Vec<Due> {
        let body = &record.body;
        let due = match body.status {
            Status::Held => body.held_until.map(|at| Due { at, what: "hold" }),
            Status::Scheduled | Status::Confirmed => Some(match body.reminders.first() {
                Some(at) => Due { at: *at, what: "reminder" },
                None => Due { at: body.end() + NO_SHOW_AFTER, what: "no_show" },
            }),
            _ => None,
        };
        due.into_iter().collect()
    }
}

impl Lifecycle for Appointment {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("confirm", "appointment.confirm", &[Status::Scheduled], Status::Confirmed),
        Step::of("no_show", "appointment.no_show", &[Status::Scheduled, Status::Confirmed], Status::NoShow),
    ];
}

impl Noun for Appointment {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        of_patient::within(record, reach, actor)
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        of_patient::proven(ctx, record).await
    }
    fn subject(record: &Record<Self>) -> String {
        record.body.patient_id.to_string()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = web::noun::possible(record, ctx);
        for (command, permission) in [
            ("reschedule", "appointment.reschedule"),
            ("cancel", "appointment.cancel"),
            ("check_in", "patient_visit.check_in"),
        ] {
            let open =
                record.body.is_upcoming() || command == "check_in" && record.body.status == Status::NoShow;
            if open && ctx.may(permission) > Reach::None {
                actions.push(command);
            }
        }
        actions
    }
}

impl Hooks for Appointment {
    fn before(ctx: &Ctx, action: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        match action {
            "confirm" => new.body.confirmed_at = Some(ctx.now()),
            "no_show" if new.body.start > ctx.now() => {
                return Err(Error::unprocessable("too-early", "this appointment has not begun yet"));
            }
            _ => {}
        }
        Ok(())
    }
    async fn on_write(
        _: &Ctx,
        Written { action, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let slot = new.body.slot(new.id);
        Ok(match action {
            "confirm" => commit.emit(SchedulingEvent::Confirmed(slot)),
            "no_show" => commit.emit(SchedulingEvent::NoShow(slot)),
            _ => commit,
        })
    }
}

/// Whether an appointment lies in a rule's periods, for what is sold of it.
pub(crate) fn is_of(rule: AvailabilityId, period: &crate::slot::Period, appointment: &Appointment) -> bool {
    period.rule == Some(rule) && period.start <= appointment.start && appointment.start < period.end
}
