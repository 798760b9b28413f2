//! Routes of follow-ups.

use super::{FollowUp, Status, scheduled_date};
use crate::{
    availability,
    host::Host,
    of_patient, place,
    practitioner::{self, Practitioner},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use events::SchedulingEvent;
use jiff::civil::Date;
use kernel::{EncounterId, Error, FollowUpId, PatientId, PractitionerId, Result, SiteId, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Commit, Record};
use web::{
    Answer, At, Body, Ctx, Noun, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/scheduling/follow_ups";

pub fn routes() -> Vec<Route> {
    let view = "follow_up.view";
    let mut routes = vec![
        route(Method::GET, PATH, view, "follow_up.list", get(of_patient::list::<FollowUp>))
            .asks_shape(noun::list_shape::<FollowUp>)
            .gives::<Pages<View<'static, FollowUp>>>(200)
            .trips(1)
            .says("Follow-ups of a practitioner (by status and date) or of a patient"),
        route(Method::POST, PATH, "follow_up.create", "follow_up.create", post(create))
            .takes::<New>()
            .gives::<View<'static, FollowUp>>(201)
            .trips(2)
            .refuses(&["patient-merged", "patient-deceased"])
            .says("The patient is to come again around a date"),
        route(
            Method::PATCH,
            format!("{PATH}/{{id}}"),
            "follow_up.edit",
            "follow_up.update",
            patch(noun::amend::<FollowUp>),
        )
        .patches::<FollowUp>()
        .gives::<View<'static, FollowUp>>(200)
        .trips(2)
        .says("Changes window, reason and notes"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/reschedule"),
            "follow_up.edit",
            "follow_up.reschedule",
            post(reschedule),
        )
        .takes::<Later>()
        .gives::<View<'static, FollowUp>>(200)
        .trips(2)
        .says("pending, missed → pending on another date"),
    ];
    routes.extend(noun::reading::<FollowUp>(PATH, view));
    routes.extend(noun::steps::<FollowUp>(PATH));
    routes
}

#[derive(Deserialize, JsonSchema)]
struct New {
    patient_id: PatientId,
    /// A practitioner, or a specialty.
    practitioner_id: Option<PractitionerId>,
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    specialty: Option<String>,
    site: SiteId,
    scheduled_date: Date,
    #[schemars(range(max = 90))]
    window_days: Option<u16>,
    #[schemars(length(min = 1, max = 500))]
    reason: Option<Sealed<String>>,
    #[schemars(length(max = 2000))]
    notes: Option<Sealed<String>>,
}

/// What makes a follow-up, by hand or by a signed note.
pub struct Wanted {
    pub patient: PatientId,
    pub practitioner: Option<(PractitionerId, kernel::UserId)>,
    pub specialty: Option<String>,
    pub site: SiteId,
    pub date: Date,
    pub window_days: u16,
    pub encounter: Option<EncounterId>,
}

/// Days after the date within which a visit still counts, where nothing else is said.
pub const WINDOW: u16 = 7;

/// The record and its commit, required of a live patient.
pub fn scheduled(ctx: &Ctx, wanted: Wanted, zone: String) -> (Record<FollowUp>, Commit) {
    let mut body = FollowUp {
        patient_id: wanted.patient,
        listed_under: None,
        practitioner_id: wanted.practitioner.map(|(id, _)| id),
        practitioner_user: wanted.practitioner.map(|(_, user)| user),
        specialty: wanted.specialty,
        site: wanted.site,
        encounter_id: wanted.encounter,
        scheduled_date: wanted.date,
        window_days: wanted.window_days,
        reason: None,
        notes: None,
        status: Status::Pending,
        appointment_id: None,
        outcome: None,
        zone,
        reminded: 0,
    };
    body.skip_past(ctx.now());
    let record = Record::new(ctx.now(), body);
    let event = SchedulingEvent::FollowUpScheduled(record.body.said(record.id));
    let commit = ctx.commit().create(&record).emit(event);
    let commit = place::patient_lives(commit, wanted.patient);
    (record, commit)
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    crate::slot::at_site(&ctx, new.site)?;
    let (site, practitioner) =
        futures::try_join!(place::site(&ctx, new.site), known(&ctx, new.practitioner_id))?;
    let today = ctx.now().to_zoned(site.zone(&ctx)).date();
    if new.scheduled_date < today {
        return Err(Error::field("in-the-past", "/scheduled_date", "today or later").into());
    }
    let wanted = Wanted {
        patient: new.patient_id,
        practitioner: practitioner.map(|p| (p.id, p.body.user_id)),
        specialty: new.specialty,
        site: new.site,
        date: new.scheduled_date,
        window_days: new.window_days.unwrap_or(WINDOW),
        encounter: None,
    };
    let zone = site.zone(&ctx).iana_name().unwrap_or("UTC").to_string();
    let (mut record, _) = scheduled(&ctx, wanted, zone);
    record.body.reason = new.reason;
    record.body.notes = new.notes;
    faultless(record.body.check())?;
    let event = SchedulingEvent::FollowUpScheduled(record.body.said(record.id));
    let commit = place::patient_lives(ctx.commit().create(&record).emit(event), new.patient_id);
    ctx.settle(commit, ctx.shown(201, &record)?).await
}

async fn known(ctx: &Ctx, id: Option<PractitionerId>) -> Result<Option<Record<Practitioner>>> {
    let Some(id) = id else { return Ok(None) };
    practitioner::known(ctx.store().get(id).await).map(Some)
}

#[derive(Deserialize, JsonSchema)]
struct Later {
    scheduled_date: Date,
}

async fn reschedule(ctx: Ctx, At(id): At<FollowUpId>, Body(body): Body<Later>) -> Answer {
    let old = ctx.change::<FollowUp>(id).await?;
    if !matches!(old.body.status, Status::Pending | Status::Missed) {
        return Err(Error::State { command: "reschedule", state: old.body.status.to_string() }.into());
    }
    let today = ctx.now().to_zoned(old.body.zoned()).date();
    if body.scheduled_date < today {
        return Err(Error::field("in-the-past", "/scheduled_date", "today or later").into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Pending;
    new.body.scheduled_date = body.scheduled_date;
    new.body.reminded = 0;
    new.body.skip_past(ctx.now());
    let event = SchedulingEvent::FollowUpScheduled(new.body.said(id));
    let commit = ctx.commit().update("reschedule", &old, &new).emit(event);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

/// A day that suits the practitioner.
pub async fn suited(ctx: &Ctx, practitioner: Option<PractitionerId>, from: Date, days: u16) -> Result<Date> {
    let rules = match practitioner {
        Some(id) => availability::of_host(ctx, Host::Practitioner(id), from).await?,
        None => vec![],
    };
    Ok(scheduled_date(from, days, rules.iter().map(|r| &r.body)))
}
