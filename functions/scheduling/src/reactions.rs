//! What this module does when others speak. Effects that a second delivery could repeat are made once; those
//! that look at the record first simply find nothing left to do.

mod encounters;
mod patients;
mod people;
mod visits;

pub use people::tasks;

use jiff::Timestamp;
use kernel::Result;
use serde::de::DeserializeOwned;
use serde_json::Value;
use web::Reaction;

pub fn all() -> Vec<Reaction> {
    let own = vec![
        Reaction::on("block.created", people::block_created),
        Reaction::on("appointment.booked", visits::booked),
        Reaction::on("patient_visit.completed", visits::completed),
    ];
    let encounters = vec![
        Reaction::on("encounter.started", encounters::started),
        Reaction::on("encounter.closed", encounters::closed),
        Reaction::on("encounter.signed", encounters::signed),
        Reaction::on("vitals.recorded", encounters::vitals),
    ];
    let patients = vec![
        Reaction::on("patient.merged", patients::merged),
        Reaction::on("patient.unmerged", patients::unmerged),
        Reaction::on("patient.deceased", patients::deceased),
    ];
    let people = vec![
        Reaction::on("leave.approved", people::leave_approved),
        Reaction::on("leave.cancelled", people::leave_cancelled),
        Reaction::on("user.disabled", people::user_disabled),
        Reaction::on("clearance.lost", people::clearance_lost),
    ];
    [own, encounters, patients, people].into_iter().flatten().collect()
}

/// A value of an event's data, under the first of these names that it has.
fn named<T: DeserializeOwned>(data: &Value, names: &[&str]) -> Option<T> {
    names.iter().find_map(|name| serde_json::from_value(data.get(*name)?.clone()).ok())
}

/// When the event happened: its commit's time, not that of its delivery.
fn at(envelope: &events::Envelope) -> Result<Timestamp> {
    envelope.at.parse().map_err(kernel::Error::internal)
}
