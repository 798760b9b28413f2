//! Follow-ups: the patient is to come again around a date. Scheduled by a signed note or by hand, completed by
//! the visit, missed by the clock.

mod api;
mod clock;
mod date;

pub use api::{WINDOW, Wanted, routes, scheduled, suited};
pub use clock::{complete, tasks};
pub use date::scheduled_date;

use crate::of_patient;
use events::{SchedulingEvent, scheduling::FollowUp as Said};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{
    AppointmentId, EncounterId, Fault, FollowUpId, Lifecycle, PatientId, PractitionerId, Result, SiteId,
    Step, UserId,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Due, Entity, List, Record, Row};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    pub enum Status { Pending = "pending", Completed = "completed", Cancelled = "cancelled", Missed = "missed" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FollowUp {
    #[schemars(extend("readOnly" = true))]
    pub patient_id: PatientId,
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
    pub specialty: Option<String>,
    #[schemars(extend("readOnly" = true))]
    pub site: SiteId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub encounter_id: Option<EncounterId>,
    #[schemars(extend("readOnly" = true))]
    pub scheduled_date: Date,
    /// Days after the date within which a visit still counts.
    #[schemars(range(max = 90))]
    pub window_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub reason: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub notes: Option<Sealed<String>>,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub appointment_id: Option<AppointmentId>,
    /// What became of it: the visit that completed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 60), extend("readOnly" = true))]
    pub outcome: Option<String>,
    /// IANA; reminders and the end of the window are local.
    #[schemars(extend("readOnly" = true))]
    pub zone: String,
    /// How many of the two reminders were sent.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub reminded: u8,
}

/// Days before the date on which the patient is reminded, at eight in the morning.
const REMINDED: [i32; 2] = [3, 1];
const MORNING: i8 = 8;
/// Days before the date from which a visit completes it.
const EARLY: i32 = 7;

impl FollowUp {
    fn zoned(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }
    fn at(&self, day: Date, hour: i8) -> Option<Timestamp> {
        day.at(hour, 0, 0, 0).to_zoned(self.zoned()).ok().map(|z| z.timestamp())
    }
    /// The reminder that is due next, if any is left.
    pub fn reminder(&self) -> Option<Timestamp> {
        let before = REMINDED.get(usize::from(self.reminded))?;
        self.at(self.scheduled_date.checked_sub(before.days()).ok()?, MORNING)
    }
    /// When the last day of its window is over.
    pub fn missed_at(&self) -> Option<Timestamp> {
        let after = i32::from(self.window_days) + 1;
        self.at(self.scheduled_date.checked_add(after.days()).ok()?, 0)
    }
    /// Whether a visit on this day completes it.
    pub fn met_on(&self, day: Date) -> bool {
        let early = self.scheduled_date.checked_sub(EARLY.days()).unwrap_or(self.scheduled_date);
        let late = self
            .scheduled_date
            .checked_add(i32::from(self.window_days).days())
            .unwrap_or(self.scheduled_date);
        early <= day && day <= late
    }
    pub fn said(&self, id: FollowUpId) -> Said {
        let patient = self.patient_id;
        Said {
            follow_up: id,
            patient,
            practitioner: self.practitioner_id,
            doctor: self.practitioner_user,
            date: self.scheduled_date,
        }
    }
    /// Reminders that lie before a moment are not sent any more.
    pub fn skip_past(&mut self, now: Timestamp) {
        while self.reminder().is_some_and(|at| at <= now) {
            self.reminded += 1;
        }
    }
}

impl Entity for FollowUp {
    type Id = FollowUpId;
    const NOUN: &'static str = "follow_up";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("practitioner", &["practitioner"], |r| {
            let sort: [&dyn std::fmt::Display; 3] = [&r.body.status, &r.body.scheduled_date, &r.id];
            r.body.practitioner_id.iter().map(|p| Row::new(&[p], &sort)).collect()
        })
        .then(&["status"])
        .range()
        .oldest_first(),
        List::<Self>::by("patient", &["patient"], |r| {
            let patient = r.body.listed_under.unwrap_or(r.body.patient_id);
            vec![Row::new(&[&patient], &[&r.body.scheduled_date, &r.id])]
        })
        .range(),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        if record.body.status != Status::Pending {
            return vec![];
        }
        let reminder = record.body.reminder().map(|at| Due { at, what: "reminder" });
        reminder.or(record.body.missed_at().map(|at| Due { at, what: "missed" })).into_iter().collect()
    }
}

impl Lifecycle for FollowUp {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] =
        &[Step::<Self>::of("cancel", "follow_up.edit", &[Status::Pending], Status::Cancelled).reason()];
}

impl Noun for FollowUp {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        of_patient::within(record, reach, actor)
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        of_patient::proven(ctx, record).await
    }
    fn subject(record: &Record<Self>) -> String {
        record.body.patient_id.to_string()
    }
    fn check(&self) -> Vec<Fault> {
        match (self.practitioner_id, &self.specialty) {
            (None, None) => {
                vec![Fault::new("/practitioner_id", "required", "name a practitioner or a specialty")]
            }
            _ => vec![],
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = web::noun::possible(record, ctx);
        let open = matches!(record.body.status, Status::Pending | Status::Missed);
        if open && ctx.may("follow_up.edit") > Reach::None {
            actions.push("reschedule");
        }
        actions
    }
}

impl Hooks for FollowUp {
    async fn on_write(
        _: &Ctx,
        Written { action, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        Ok(match action {
            "cancel" => commit.emit(SchedulingEvent::FollowUpCancelled(new.body.said(new.id))),
            _ => commit,
        })
    }
}

#[cfg(test)]
mod tests;
