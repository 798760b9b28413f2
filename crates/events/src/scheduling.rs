//! Events of the `scheduling` module.

use jiff::{Timestamp, civil::Date};
use kernel::{
    AppointmentId, AvailabilityId, BlockId, DepartmentId, FollowUpId, PatientId, PractitionerId, QueueId,
    SiteId, UserId, VisitId,
};
use serde::{Deserialize, Serialize};

/// Whose time an appointment takes, and when: what consumers need without reading the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    pub appointment: AppointmentId,
    pub patient: PatientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentId>,
    pub site: SiteId,
    pub start: Timestamp,
    /// 5–120.
    pub minutes: u32,
    /// Raised by every move, as calendars count it.
    pub sequence: u32,
}

/// A patient visit, where it waits and under which number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub visit: VisitId,
    pub patient: PatientId,
    pub queue: QueueId,
    pub token: u32,
    pub site: SiteId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    pub follow_up: FollowUpId,
    pub patient: PatientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    /// The practitioner's login: who is told when the patient does not come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctor: Option<UserId>,
    pub date: Date,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    pub block: BlockId,
    pub policy: String,
    pub from: Timestamp,
    pub to: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum SchedulingEvent {
    #[serde(rename = "practitioner.added")]
    PractitionerAdded { practitioner: PractitionerId, user: UserId },
    #[serde(rename = "practitioner.updated")]
    PractitionerUpdated { practitioner: PractitionerId, user: UserId, active: bool },
    #[serde(rename = "availability.changed")]
    AvailabilityChanged { availability: AvailabilityId, of: String },
    #[serde(rename = "block.created")]
    BlockCreated(Block),
    #[serde(rename = "block.removed")]
    BlockRemoved(Block),
    #[serde(rename = "appointment.booked")]
    Booked {
        #[serde(flatten)]
        slot: Slot,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow_up: Option<FollowUpId>,
    },
    #[serde(rename = "appointment.confirmed")]
    Confirmed(Slot),
    #[serde(rename = "appointment.rescheduled")]
    Rescheduled {
        #[serde(flatten)]
        slot: Slot,
        from: Timestamp,
    },
    #[serde(rename = "appointment.cancelled")]
    Cancelled {
        #[serde(flatten)]
        slot: Slot,
        /// Who or what cancelled; `deceased` sends no message to the patient.
        code: String,
    },
    #[serde(rename = "appointment.arrived")]
    Arrived { appointment: AppointmentId, visit: VisitId, late: bool },
    #[serde(rename = "appointment.completed")]
    Completed { appointment: AppointmentId, patient: PatientId, visit: Option<VisitId> },
    #[serde(rename = "appointment.no_show")]
    NoShow(Slot),
    #[serde(rename = "appointment.needs_attention")]
    NeedsAttention {
        #[serde(flatten)]
        slot: Slot,
        why: String,
    },
    #[serde(rename = "appointment.reminder_due")]
    ReminderDue(Slot),
    #[serde(rename = "patient_visit.checked_in")]
    CheckedIn(Place),
    #[serde(rename = "patient_visit.called")]
    Called {
        #[serde(flatten)]
        place: Place,
        label: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
    },
    #[serde(rename = "patient_visit.skipped")]
    Skipped(Place),
    #[serde(rename = "patient_visit.started")]
    Started(Place),
    #[serde(rename = "patient_visit.completed")]
    VisitCompleted {
        #[serde(flatten)]
        place: Place,
        /// Whole minutes from start to end, half up; none where the consultation never began.
        minutes: Option<u32>,
        date: Date,
    },
    #[serde(rename = "patient_visit.no_show")]
    VisitNoShow(Place),
    #[serde(rename = "patient_visit.left")]
    Left(Place),
    #[serde(rename = "patient_visit.transferred")]
    Transferred {
        #[serde(flatten)]
        place: Place,
        from: QueueId,
        from_token: u32,
    },
    #[serde(rename = "queue.closed")]
    QueueClosed { queue: QueueId, site: SiteId, date: Date, waiting: u32 },
    #[serde(rename = "follow_up.scheduled")]
    FollowUpScheduled(FollowUp),
    #[serde(rename = "follow_up.due")]
    FollowUpDue(FollowUp),
    #[serde(rename = "follow_up.completed")]
    FollowUpCompleted(FollowUp),
    #[serde(rename = "follow_up.missed")]
    FollowUpMissed(FollowUp),
    #[serde(rename = "follow_up.cancelled")]
    FollowUpCancelled(FollowUp),
}
