//! Routes of allergies: those of every entry, and the assertion that there are none.

use super::{Allergy, AllergyFact, mirror, restated};
use crate::{
    chart,
    patient::{AllergyStatus, Patient},
};
use axum::{http::Method, routing::post};
use kernel::{Error, PatientId};
use store::facts;
use web::{Answer, At, Body, Ctx, Route, noun::View, route};

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct NoneKnown {}

pub fn routes() -> Vec<Route> {
    let mut all = chart::routes::<Allergy>();
    all.push(
        route(
            Method::POST,
            "/v1/patients/{id}/allergies/none_known",
            "allergy.edit",
            "allergy.none_known",
            post(none_known),
        )
        .takes::<NoneKnown>()
        .gives::<View<'static, Patient>>(200)
        .refuses(&["allergies-listed"])
        .trips(2)
        .says("Somebody has asked, and there are no known allergies"),
    );
    all
}

async fn none_known(ctx: Ctx, At(id): At<PatientId>, _: Body<NoneKnown>) -> Answer {
    let (patient, read) =
        futures::join!(chart::patient(&ctx, id), ctx.store().fact::<AllergyFact>(facts::ALLERGIES, id));
    let (patient, read) = (patient?, read?.unwrap_or_default());
    chart::standing(&patient)?;
    if patient.id != id {
        return Err(chart::merged(patient.id).into());
    }
    if !read.active.is_empty() {
        let detail = "allergies are listed: refute or resolve them first";
        return Err(Error::conflict("allergies-listed", detail).into());
    }
    let fact = AllergyFact { status: AllergyStatus::NoneKnown, rev: read.rev + 1, ..read.clone() };
    let commit = chart::fact_at(ctx.commit(), facts::ALLERGIES, patient.id, read.rev, &fact);
    let next = restated(&ctx, &patient, AllergyStatus::NoneKnown);
    let shown = ctx.shown(200, next.as_ref().unwrap_or(&patient))?;
    ctx.settle(mirror(commit, &patient, next.as_ref()), shown).await
}
