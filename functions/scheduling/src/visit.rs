//! Patient visits: from the desk to the end of the consultation (FHIR Encounter, status arrived and on).

mod api;
mod check_in;
mod commands;
mod steps;
mod triage;

pub use api::routes;
pub use commands::called;
pub use steps::{advance_by_system, consulted};
pub use triage::{Raised, raise};

use crate::{
    host::Host,
    of_patient,
    queue::order::{Class, Standing},
};
use events::{SchedulingEvent, scheduling::Place};
use jiff::{Timestamp, civil::Date};
use kernel::{
    AppointmentId, DepartmentId, EncounterId, Lifecycle, PatientId, PractitionerId, QueueId, Result, SiteId,
    Step, UserId, VisitId,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, List, Record, Row, Unique, stamp};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    pub enum Status {
        Waiting = "waiting",
        Called = "called",
        InConsultation = "in_consultation",
        Completed = "completed",
        NoShow = "no_show",
        /// Went before being seen.
        Left = "left",
        /// Checked in by mistake.
        Cancelled = "cancelled",
    }
}
kernel::words! {
    pub enum VisitType { Routine = "routine", FollowUp = "follow_up", Emergency = "emergency", Admission = "admission" }
}
kernel::words! {
    /// Manchester's five colours.
    pub enum Acuity { Red = "red", Orange = "orange", Yellow = "yellow", Green = "green", Blue = "blue" }
}
kernel::words! {
    /// Who set the class: a class set by hand is never lowered by a rule.
    pub enum SetBy { Rule = "rule", Triage = "triage", Hand = "hand" }
}

/// The result of triage that orders the queue; the vital signs themselves live with the encounters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Triage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub vitals_id: Option<String>,
    /// 0–20 (Royal College of Physicians, National Early Warning Score 2, 2017).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 20))]
    pub news2: Option<u8>,
    pub acuity: Acuity,
    pub at: Timestamp,
    pub by: String,
}

/// A token and a place in a queue. What is not notes is set by check-in and by commands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Visit {
    #[schemars(extend("readOnly" = true))]
    pub patient_id: PatientId,
    /// Under whom lists show it: the survivor's id once the patient was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub listed_under: Option<PatientId>,
    #[schemars(extend("readOnly" = true))]
    pub site: SiteId,
    /// The site's local day at check-in.
    #[schemars(extend("readOnly" = true))]
    pub visit_date: Date,
    #[schemars(extend("readOnly" = true))]
    pub visit_type: VisitType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub purpose: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub notes: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 120))]
    pub accompanied_by: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub appointment_id: Option<AppointmentId>,
    #[schemars(extend("readOnly" = true))]
    pub checked_in_by: String,
    #[schemars(extend("readOnly" = true))]
    pub check_in_time: Timestamp,
    #[schemars(extend("readOnly" = true))]
    pub queue_id: QueueId,
    #[schemars(extend("readOnly" = true))]
    pub token: u32,
    /// `A-012`
    #[schemars(extend("readOnly" = true))]
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub practitioner_id: Option<PractitionerId>,
    /// `assigned_doctor_id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub practitioner_user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub department_id: Option<DepartmentId>,
    #[schemars(extend("readOnly" = true))]
    pub class: Class,
    #[schemars(extend("readOnly" = true))]
    pub class_by: SetBy,
    #[schemars(extend("readOnly" = true))]
    pub eligible_at: Timestamp,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub skips: u8,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub called_at: Option<Timestamp>,
    /// The room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub called_to: Option<String>,
    /// Who began the consultation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub seen_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub ended_at: Option<Timestamp>,
    /// From start to end, whole minutes, half up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub consultation_duration_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub triage: Option<Triage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub encounter_id: Option<EncounterId>,
}

impl Visit {
    pub fn host(&self) -> Result<Host> {
        Host::named(self.practitioner_id, self.department_id)
    }
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Waiting | Status::Called | Status::InConsultation)
    }
    pub fn standing(&self) -> Standing {
        let Self { class, check_in_time, eligible_at, token, .. } = *self;
        Standing { class, checked_in: check_in_time, eligible_at, token }
    }
    pub fn place(&self, id: VisitId) -> Place {
        Place {
            visit: id,
            patient: self.patient_id,
            queue: self.queue_id,
            token: self.token,
            site: self.site,
            practitioner: self.practitioner_id,
            department: self.department_id,
            appointment: self.appointment_id,
        }
    }
}

impl Entity for Visit {
    type Id = VisitId;
    const NOUN: &'static str = "patient_visit";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        // The queue's page: who is still there stands apart from who is done.
        List::<Self>::by("queue", &["queue"], |r| {
            let phase = if r.body.is_open() { "open" } else { "over" };
            vec![Row::new(&[&r.body.queue_id], &[&phase, &format!("{:05}", r.body.token)])]
        })
        .then(&["phase"])
        .oldest_first(),
        List::<Self>::by("patient", &["patient"], |r| {
            let patient = r.body.listed_under.unwrap_or(r.body.patient_id);
            vec![Row::new(&[&patient], &[&stamp(r.body.check_in_time), &r.id])]
        })
        .range(),
        List::<Self>::by("site", &["site", "date"], |r| {
            vec![Row::new(&[&r.body.site, &r.body.visit_date], &[&stamp(r.body.check_in_time), &r.id])]
        })
        .oldest_first(),
    ];
    /// One open visit per patient, site and day; a second one is possible once the first has ended.
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("open", "already-checked-in", |v| {
        v.is_open().then(|| format!("{}~{}~{}", v.patient_id, v.site, v.visit_date)).into_iter().collect()
    })];
}

const WAITS: &[Status] = &[Status::Waiting, Status::Called];

impl Lifecycle for Visit {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("start", "patient_visit.start", WAITS, Status::InConsultation),
        // Sent to the laboratory: comes back with the same token.
        Step::of("return", "patient_visit.return", &[Status::InConsultation], Status::Waiting),
        Step::of("complete", "patient_visit.complete", &[Status::InConsultation], Status::Completed),
        Step::of("no_show", "patient_visit.no_show", WAITS, Status::NoShow),
        Step::of("left", "patient_visit.left", WAITS, Status::Left),
        Step::<Self>::of("cancel", "patient_visit.cancel", WAITS, Status::Cancelled).reason(),
    ];
}

impl Noun for Visit {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        of_patient::within(record, reach, actor)
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        match ctx.reach() {
            // Patients see their own place in the queue, not the visit.
            _ if ctx.only() == Some(authz::Only::OwnPlace) => Ok(false),
            _ => of_patient::proven(ctx, record).await,
        }
    }
    fn subject(record: &Record<Self>) -> String {
        record.body.patient_id.to_string()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = web::noun::possible(record, ctx);
        for (command, permission, from) in commands::ALL {
            if from.contains(&record.body.status) && ctx.may(permission) > Reach::None {
                actions.push(command);
            }
        }
        actions
    }
}

impl Hooks for Visit {
    fn before(ctx: &Ctx, action: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        let by = ctx.actor().user.clone();
        steps::apply(&mut new.body, action, ctx.now(), &by);
        Ok(())
    }
    async fn on_write(
        ctx: &Ctx,
        Written { action, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        steps::effects(ctx, action, new, commit).await
    }
}

/// The event of a command, where it has one.
pub fn event(action: &str, record: &Record<Visit>) -> Option<SchedulingEvent> {
    let place = record.body.place(record.id);
    Some(match action {
        "start" => SchedulingEvent::Started(place),
        "complete" => {
            let (minutes, date) = (record.body.consultation_duration_minutes, record.body.visit_date);
            SchedulingEvent::VisitCompleted { place, minutes, date }
        }
        "no_show" => SchedulingEvent::VisitNoShow(place),
        "left" => SchedulingEvent::Left(place),
        "skip" => SchedulingEvent::Skipped(place),
        _ => return None,
    })
}
