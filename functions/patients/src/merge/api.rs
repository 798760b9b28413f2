//! Preview, merge, and the way back.

use super::{Counts, Half, Merge, Side, fields, halves, moved, plan, publish};
use crate::{
    chart,
    patient::{Patient, guards, register::SHARDS},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::PatientEvent;
use kernel::{MergeId, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Commit, Record, facts};
use web::{
    Answer, At, Body, Ctx, Route,
    noun::{Shown, View, show},
    route,
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Pair {
    pub survivor: PatientId,
    pub duplicate: PatientId,
}

/// A merge to be done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    pub survivor: PatientId,
    pub duplicate: PatientId,
    /// Per field whose value the survivor has afterwards; its own where nothing is said.
    #[schemars(extend("maxProperties" = 60))]
    #[serde(default)]
    pub choices: BTreeMap<String, Side>,
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Sealed<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Preview {
    pub differences: Vec<plan::Difference>,
    /// Codes of what stands in the way.
    pub blockers: Vec<String>,
    /// A second person has to approve.
    pub approval_needed: bool,
    pub moves: Counts,
}

pub fn routes() -> Vec<Route> {
    let path = "/v1/patients/merges";
    vec![
        route(Method::POST, format!("{path}/preview"), "patient.merge", "merge.preview", post(preview))
            .takes::<Pair>()
            .gives::<Preview>(200)
            .trips(1)
            .says("What a merge would change, and what stands in its way"),
        route(Method::POST, path, "patient.merge", "merge.create", post(create))
            .takes::<Request>()
            .gives::<View<'static, Merge>>(201)
            .refuses(&["already-merged", "both-admitted", "death-differs", "cannot-merge-self"])
            .approvable("patient.merge")
            .trips(3)
            .says("Merges a duplicate into a survivor"),
        route(Method::GET, format!("{path}/{{id}}"), "patient.merge", "merge.show", get(show::<Merge>))
            .gives::<View<'static, Merge>>(200)
            .trips(1)
            .says("One merge"),
        route(Method::POST, format!("{path}/{{id}}/undo"), "patient.undo_merge", "merge.undo", post(undo))
            .takes::<chart::Why>()
            .gives::<View<'static, Merge>>(200)
            .refuses(&["later-merge-exists"])
            .trips(3)
            .says("Takes a merge back, the last one first"),
    ]
}

async fn preview(ctx: Ctx, Body(pair): Body<Pair>) -> Answer {
    plan::distinct(pair.survivor, pair.duplicate)?;
    let (survivor, duplicate) = halves(&ctx, pair.survivor, pair.duplicate).await?;
    let (a, b) = (&survivor.record, &duplicate.record);
    web::ok(&Preview {
        differences: plan::differences(&a.body, &b.body)?,
        blockers: plan::blockers(a, b).iter().map(|e| e.code().to_string()).collect(),
        approval_needed: plan::doubtful(&a.body, &b.body),
        moves: duplicate.counts(),
    })
}

async fn create(ctx: Ctx, Body(request): Body<Request>) -> Answer {
    plan::distinct(request.survivor, request.duplicate)?;
    let (survivor, duplicate) = halves(&ctx, request.survivor, request.duplicate).await?;
    plan::mergeable(&survivor.record, &duplicate.record)?;
    if plan::doubtful(&survivor.record.body, &duplicate.record.body) {
        ctx.needs_second_person();
    }
    let (commit, shown) = build(&ctx, request, &survivor, &duplicate)?;
    ctx.settle(commit, shown).await
}

fn build(ctx: &Ctx, request: Request, survivor: &Half, duplicate: &Half) -> Result<(Commit, Shown)> {
    let (a, b) = (&survivor.record, &duplicate.record);
    let new_a = plan::joined(survivor, duplicate, &request.choices, ctx.now())?;
    let new_b = plan::pointing(b, a.id, ctx.now());
    let merge = Record::new(
        ctx.now(),
        Merge {
            survivor: a.id,
            duplicate: b.id,
            choices: request.choices,
            reason: request.reason.clone(),
            moved: duplicate.counts(),
            before: Sealed(fields(&a.body)?),
            after: Sealed(fields(&new_a.body)?),
            undone_at: None,
            undone_by: None,
            undo_reason: None,
            kept: vec![],
        },
    );
    let event = PatientEvent::Merged { survivor: a.id, duplicate: b.id, merge: merge.id };
    let mut commit = ctx.commit().because(Some(request.reason.0)).create(&merge).emit(event);
    commit = commit.update("merge", a, &new_a).update("merged", b, &new_b);
    commit = regard(commit, a, &new_a, b);
    commit = publish(publish(commit, a, &new_a), b, &new_b);
    commit = united(commit, a.id, survivor, duplicate);
    commit = commit.point(b, a.id).give("patients", SHARDS, b.id);
    Ok((commit, ctx.shown(201, &merge)?))
}

/// The survivor's new guards; what was the duplicate's changes hands. What the survivor gave up stays guarded,
/// so that a clash still names it.
fn regard(
    commit: Commit,
    old: &Record<Patient>,
    new: &Record<Patient>,
    duplicate: &Record<Patient>,
) -> Commit {
    let passed = moved(&old.body, &new.body, &duplicate.body);
    let (was, is) = (guards::of(&old.body), guards::of(&new.body));
    let commit = guards::pass(commit, &passed, duplicate.id, new.id);
    let fresh = is.difference(&was).filter(|g| !passed.contains(*g));
    fresh.fold(commit, |c, (field, code, value)| c.guard::<Patient>(field, code, value, new.id))
}

/// What either side is known by, both are: allergies above all.
fn united(mut commit: Commit, id: PatientId, survivor: &Half, duplicate: &Half) -> Commit {
    if duplicate.allergies.rev > 0 {
        let both = survivor.allergies.union(&duplicate.allergies);
        commit = chart::fact_at(commit, facts::ALLERGIES, id, survivor.allergies.rev, &both);
    }
    if !duplicate.flags.active.is_empty() {
        commit = chart::fact_at(
            commit,
            facts::FLAGS,
            id,
            survivor.flags.rev,
            &survivor.flags.union(&duplicate.flags),
        );
    }
    if !duplicate.coverage.coverages.is_empty() {
        let both = survivor.coverage.union(&duplicate.coverage);
        commit = chart::fact_at(commit, facts::COVERAGE, id, survivor.coverage.rev, &both);
    }
    commit
}

async fn undo(ctx: Ctx, At(id): At<MergeId>, Body(why): Body<chart::Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let (commit, shown) = super::undo(&ctx, id, reason).await?;
    ctx.settle(commit, shown).await
}
