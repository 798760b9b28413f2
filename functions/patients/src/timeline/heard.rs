//! Every event of other modules that concerns a patient, in one table: what it is on the timeline, what it does
//! to the patient's status, and whether it shows that somebody cares for the patient. Events of modules that do
//! not exist yet are listed too: they work from the day they are sent.

use crate::patient::Status;

/// One event, and what it means here.
pub struct Heard {
    pub event: &'static str,
    /// Its kind on the timeline.
    pub kind: &'static str,
    pub effect: Effect,
    /// Who sent it cares for the patient from now on.
    pub care: bool,
}

/// What an event does to the patient's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    None,
    /// To this status, from those.
    Status(Status, &'static [Status]),
    /// Treatment begins in a bed.
    Admitted,
    /// The bed is free again.
    DischargedFromBed,
    /// Discharged, if the note says so and nobody is admitted.
    SignedNote,
    Died,
}

use Effect::{Admitted, Died, DischargedFromBed, None as Nothing, SignedNote};

const IN_DIAGNOSIS: Effect = Effect::Status(Status::InDiagnosis, &[Status::Registered, Status::Discharged]);
const TREATMENT: Effect = Effect::Status(Status::Treatment, BEFORE_TREATMENT);
pub const BEFORE_TREATMENT: &[Status] = &[Status::Registered, Status::InDiagnosis, Status::Discharged];
pub const BEFORE_DISCHARGE: &[Status] = &[Status::InDiagnosis, Status::Treatment];

const fn heard(event: &'static str, kind: &'static str, effect: Effect) -> Heard {
    Heard { event, kind, effect, care: false }
}
const fn cared(event: &'static str, kind: &'static str, effect: Effect) -> Heard {
    Heard { event, kind, effect, care: true }
}

pub const HEARD: &[Heard] = &[
    // scheduling
    heard("patient_visit.checked_in", "visit", Nothing),
    // Whoever calls the patient in may complete the record from then on.
    cared("patient_visit.called", "visit", Nothing),
    cared("patient_visit.started", "visit", Nothing),
    cared("patient_visit.completed", "visit", Nothing),
    heard("appointment.booked", "appointment", Nothing),
    heard("appointment.cancelled", "appointment", Nothing),
    heard("appointment.no_show", "appointment", Nothing),
    // encounters
    cared("encounter.started", "note", IN_DIAGNOSIS),
    cared("encounter.signed", "note", SignedNote),
    cared("encounter.amended", "note", Nothing),
    heard("encounter.cancelled", "note", Nothing),
    cared("condition.recorded", "condition", Nothing),
    cared("procedure.started", "procedure", TREATMENT),
    cared("procedure.completed", "procedure", Nothing),
    cared("vitals.recorded", "vitals", Nothing),
    cared("referral.sent", "referral", Nothing),
    cared("sick_note.issued", "sick_note", Nothing),
    // inpatient
    cared("admission.admitted", "admission", Admitted),
    heard("admission.transferred", "admission", Nothing),
    cared("admission.discharged", "admission", DischargedFromBed),
    heard("admission.died", "admission", Died),
    cared("theatre_case.completed", "theatre_case", Nothing),
    // pharmacy
    cared("prescription.issued", "prescription", TREATMENT),
    cared("prescription.dispensed", "prescription", Nothing),
    heard("prescription.cancelled", "prescription", Nothing),
    // laboratory
    cared("lab_order.placed", "lab_order", Nothing),
    cared("lab_result.approved", "lab_result", Nothing),
    heard("lab_result.released", "lab_result", Nothing),
    cared("lab_result.amended", "lab_result", Nothing),
    // documents
    heard("document.received", "document", Nothing),
    heard("document.verified", "document", Nothing),
    // billing
    heard("invoice.issued", "invoice", Nothing),
    heard("payment.received", "payment", Nothing),
];
