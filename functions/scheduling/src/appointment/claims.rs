//! The claims of an appointment, and how one commit takes, moves and frees them.

use super::Appointment;
use crate::{
    availability::Mode,
    slot::{
        Claim, Span,
        claim::{lane_key, patient_key, seat_key},
    },
};
use jiff::{SignedDuration, Timestamp};
use kernel::{AppointmentId, Error, Result};
use serde_json::Value;
use store::{Commit, Key, When, is};

/// Claims are dropped two years after their day.
const KEPT: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// Where an appointment's claims lie: of the host first, so that a taken slot is told before a busy patient.
pub struct Claims {
    pub host: Vec<Key>,
    pub patient: Vec<Key>,
}

impl Claims {
    pub fn of(body: &Appointment) -> Result<Self> {
        let host = body.host()?;
        let host = match body.mode {
            Mode::Session => vec![seat_key(host, body.start, body.lane)],
            Mode::Slots => {
                let span = Span::of(body.start, body.claimed_minutes);
                span.units().map(|at| lane_key(host, at, body.lane)).collect()
            }
        };
        let patient = match body.keeps_patient_time {
            true => Span::of(body.start, body.minutes)
                .units()
                .map(|at| patient_key(body.patient_id, at))
                .collect(),
            false => vec![],
        };
        Ok(Self { host, patient })
    }
    fn has(&self, key: &Key) -> bool {
        self.host.contains(key) || self.patient.contains(key)
    }
}

/// Takes an appointment's claims, leaving those alone that it has already.
pub fn take(
    mut commit: Commit,
    id: AppointmentId,
    body: &Appointment,
    had: Option<&Appointment>,
    now: Timestamp,
) -> Result<Commit> {
    let wanted = Claims::of(body)?;
    let had = had.map(Claims::of).transpose()?;
    let claim = Claim { apt: id, held_until: body.held_until.map(Timestamp::as_second) };
    let ttl = body.start + KEPT;
    let free = || When::Any(vec![When::Absent, When::Below("held_until", now.as_second()), is("apt", id)]);
    for key in wanted.host.iter().filter(|k| had.as_ref().is_none_or(|h| !h.has(k))) {
        commit = commit.put_until(key, &claim, ttl, free(), slot_taken);
    }
    for key in wanted.patient.iter().filter(|k| had.as_ref().is_none_or(|h| !h.has(k))) {
        commit = commit.put_until(key, &claim, ttl, free(), patient_busy);
    }
    Ok(commit)
}

/// Frees what an appointment had and `kept` does not need.
pub fn free(
    mut commit: Commit,
    id: AppointmentId,
    had: &Appointment,
    kept: Option<&Appointment>,
) -> Result<Commit> {
    let kept = kept.map(Claims::of).transpose()?;
    let Claims { host, patient } = Claims::of(had)?;
    for key in host.iter().chain(&patient).filter(|k| kept.as_ref().is_none_or(|kept| !kept.has(k))) {
        // A claim that is not ours any more (an ended hold that somebody took over) stays with whom it is.
        let ours = When::Absent.or(is("apt", id));
        commit = commit
            .delete_if(key, ours, |_| Error::conflict("changed-meanwhile", "this time has changed hands"));
    }
    Ok(commit)
}

fn slot_taken(_: Option<Value>) -> Error {
    Error::conflict("slot-taken", "this slot is taken")
}

fn patient_busy(other: Option<Value>) -> Error {
    let detail = "this patient has another appointment at that time";
    let other = other.map(|o| o["apt"].clone()).unwrap_or_default();
    Error::conflict("patient-busy", detail).with("appointment", other)
}
