//! Routes of patients.

use super::{Patient, card::Card, duplicates::Candidate, edit, life, newborn, register, search};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{delete, get, patch, post},
};
use jiff::Timestamp;
use kernel::{Error, PatientId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Record;
use web::{
    Answer, At, Ctx, Route,
    noun::{self, History, Pages, Shown, View},
    route,
};

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "the parameters' schema")]
struct Showing {
    /// The record as it stood then.
    at: Option<Timestamp>,
}
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "the parameters' schema")]
struct Paging {
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(range(min = 1))]
    before: Option<u64>,
}

/// A patient with what the registration has to say beside it.
#[derive(Serialize, JsonSchema)]
pub struct Registered {
    #[serde(flatten)]
    pub patient: View<'static, Patient>,
    /// Records that may be of the same person.
    #[serde(default)]
    pub warnings: Vec<Candidate>,
}

pub fn routes() -> Vec<Route> {
    let mut all = reading();
    all.extend(registering());
    all.extend(changing());
    all.extend(noun::versions::<Patient>("/v1/patients", "patient.view"));
    all
}

fn reading() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/patients", "patient.identify", "patient.list", get(search::list))
            .asks::<search::Asked>()
            .gives::<Pages<Card>>(200)
            .trips(2)
            .says("Cards of patients: a page of the register, or who is found by number, name, telephone or document"),
        route(Method::GET, "/v1/patients/{id}", "patient.view", "patient.show", get(show))
            .asks::<Showing>()
            .gives::<View<'static, Patient>>(200)
            .trips(1)
            .says("One patient, now or as the record stood at a time; a merged one answers with its survivor"),
        route(Method::GET, "/v1/patients/{id}/history", "patient.view", "patient.history", get(noun::history::<Patient>))
            .asks::<Paging>()
            .gives::<History>(200)
            .trips(2)
            .says("Every version of a patient: who, when, why, what changed"),
    ]
}

fn registering() -> Vec<Route> {
    vec![
        route(
            Method::POST,
            "/v1/patients/matches",
            "patient.create",
            "patient.match",
            post(register::matches),
        )
        .takes::<register::Described>()
        .gives::<register::Matches>(200)
        .trips(2)
        .says("Who may be the same person, with points and reasons"),
        route(Method::POST, "/v1/patients", "patient.create", "patient.create", post(register::create))
            .takes::<register::Request>()
            .gives::<Registered>(201)
            .refuses(&[
                "duplicate-patient",
                "possible-duplicate",
                "identifier-taken",
                "plan-limit",
                "too-many-parts",
            ])
            .trips(4)
            .says("Registers a patient, unless the person is registered already"),
        route(
            Method::POST,
            "/v1/patients/{id}/newborns",
            "patient.create",
            "patient.newborn",
            post(newborn::create),
        )
        .takes::<newborn::Request>()
        .gives::<Registered>(201)
        .trips(6)
        .says("Registers a newborn from its mother's record: address, telephone and cover are hers"),
    ]
}

fn changing() -> Vec<Route> {
    vec![
        route(Method::PATCH, "/v1/patients/{id}", "patient.edit", "patient.update", patch(edit::amend))
            .patches::<super::Demographics>()
            .gives::<View<'static, Patient>>(200)
            .refuses(&["reason-required", "patient-merged", "patient-deceased", "identifier-taken"])
            .trips(2)
            .says("Changes what is known of a patient by a merge patch"),
        route(
            Method::DELETE,
            "/v1/patients/{id}",
            "patient.delete",
            "patient.delete",
            delete(noun::remove::<Patient>),
        )
        .answers(204)
        .refuses(&["patient-in-use"])
        .trips(2)
        .says("Deletes a patient whom no record names; it can be restored"),
        route(
            Method::POST,
            "/v1/patients/{id}/restore",
            "patient.delete",
            "patient.restore",
            post(noun::restore::<Patient>),
        )
        .gives::<View<'static, Patient>>(200)
        .trips(2)
        .says("Brings a deleted patient back"),
        route(
            Method::POST,
            "/v1/patients/{id}/deceased",
            "patient.deceased",
            "patient.deceased",
            post(life::deceased),
        )
        .takes::<life::Death>()
        .gives::<View<'static, Patient>>(200)
        .refuses(&["certificate-required"])
        .trips(2)
        .says("Records a death"),
        route(
            Method::POST,
            "/v1/patients/{id}/reverse_death",
            "patient.reverse_death",
            "patient.reverse_death",
            post(life::reverse_death),
        )
        .takes::<crate::chart::Why>()
        .gives::<View<'static, Patient>>(200)
        .approvable("patient.reverse_death")
        .trips(3)
        .says("Takes a recorded death back; a second administrator approves it"),
    ]
    .into_iter()
    .chain(noun::steps::<Patient>("/v1/patients"))
    .collect()
}

async fn show(ctx: Ctx, At(id): At<PatientId>, RawQuery(query): RawQuery) -> Answer {
    if query.as_deref().is_some_and(|q| !q.is_empty()) {
        return noun::show::<Patient>(ctx, At(id), RawQuery(query)).await;
    }
    let (record, from) = survivor(&ctx, id).await?;
    let shown = match from {
        None => ctx.shown(200, &record)?,
        Some(from) => Shown::record_with(&ctx, 200, &record, &json!({"merged_from": from}))?,
    };
    Ok(shown.respond())
}

/// Mergers of mergers are rare and short.
const CHAIN: usize = 8;

/// The record, or the one that it was merged into, with the id that was asked for.
pub async fn survivor(ctx: &Ctx, id: PatientId) -> Result<(Record<Patient>, Option<PatientId>)> {
    let mut record = ctx.get::<Patient>(id).await?;
    for _ in 0..CHAIN {
        match record.body.merged_into {
            None => return Ok((record.clone(), (record.id != id).then_some(id))),
            Some(next) => record = ctx.get::<Patient>(next).await?,
        }
    }
    Err(Error::internal("a chain of merged patients that does not end"))
}
