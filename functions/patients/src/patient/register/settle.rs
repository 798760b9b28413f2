//! The commit of a registration.

use super::Arrival;
use crate::{
    allergy, chart, coverage,
    flag::{self, FlagFact},
    patient::{
        Patient,
        duplicates::{self, Candidate, Found},
        facts, guards,
    },
    related_person,
};
use events::PatientEvent;
use kernel::{Error, PatientId, Result};
use serde_json::json;
use store::{Commit, Key, Record, When};
use web::{Answer, Ctx, noun::Shown};

/// One commit: the patient, who belongs to it, facts, guards, and one of the plan's patients.
pub async fn settle(
    ctx: &Ctx,
    arrival: &Arrival,
    new: &Record<Patient>,
    overridden: &[PatientId],
    found: &Found,
) -> Answer {
    let event = PatientEvent::Registered {
        patient: new.id,
        number: new.body.number.clone(),
        site: new.body.site_id,
        registration: new.body.person.registration.to_string(),
        overridden: overridden.to_vec(),
        mother: new.body.mother_id,
    };
    let build = |beyond: bool| -> Result<Commit> {
        let reason = arrival.decision.as_ref().filter(|_| !overridden.is_empty()).map(|d| d.reason.clone());
        let mut commit = ctx.commit().because(reason).create(new).emit(&event);
        commit = guards::take(commit, new);
        commit = facts::publish(commit, None, new);
        commit = related_person::add_all(ctx, commit, new.id, &arrival.kin);
        commit = allergy::add_all(ctx, commit, new, &arrival.allergies);
        commit = coverage::add_all(ctx, commit, new.id, &arrival.coverages);
        commit = flag::raise_for_genotype(ctx, commit, new, &FlagFact::default());
        if let Some(mother) = &arrival.mother {
            commit = chart::require_live(commit, mother.id, true);
            commit = related_person::link_child(ctx, commit, mother, new);
        }
        Ok(if beyond { over_the_limit(ctx, commit)? } else { commit.take("patients", SHARDS, new.id) })
    };
    let warnings: Vec<&Candidate> = found.candidates.iter().collect();
    duplicates::shown(ctx, &found.candidates).await?;
    let shown = || Shown::record_with(ctx, 201, new, &json!({"warnings": open(&warnings)?}));
    match ctx.settle(build(false)?, shown()?).await {
        Err(e) if e.0.code() == "limit-reached" && new.body.person.unidentified() => {
            ctx.settle(build(true)?, shown()?).await.map_err(|e| limit(ctx, e.0).into())
        }
        other => other.map_err(|e| limit(ctx, e.0).into()),
    }
}

fn open(warnings: &[&Candidate]) -> Result<serde_json::Value> {
    seal::open(|| serde_json::to_value(warnings)).map_err(Error::internal)
}

pub const SHARDS: u32 = 16;

/// An unconscious person is registered whatever the plan says, up to 5 % above it.
fn over_the_limit(ctx: &Ctx, commit: Commit) -> Result<Commit> {
    let allowed = ctx.tenant()?.limits.get("patients").copied().unwrap_or_default();
    let beyond = i64::try_from(allowed / 20).unwrap_or(i64::MAX).max(1);
    let full = |_| Error::conflict("limit-reached", "the limit of patients is reached");
    Ok(commit.add_if(&Key::quota("patients", 0), "left", -1, When::Above("left", -beyond), full))
}

/// The limit's refusal as patients tell it: which limit, of which plan.
pub fn limit(ctx: &Ctx, error: Error) -> Error {
    if error.code() != "limit-reached" {
        return error;
    }
    let Ok(tenant) = ctx.tenant() else { return error };
    let allowed = tenant.limits.get("patients").copied();
    let detail = format!("the plan {} allows no more patients; an administrator can change it", tenant.plan);
    Error::conflict("plan-limit", detail)
        .with("limit", "patients")
        .with("plan", &tenant.plan)
        .with("allowed", allowed)
}
