//! Commands that wait for a second person. The first one's request is kept; whoever approves it gives the
//! command, and is never the one who asked.

use crate::{merge, patient::life};
use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{ApprovalId, Error, Kind, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Entity, List, Record};
use web::{
    Answer, At, Body, Ctx, Noun, Reach, Route,
    noun::{View, show},
    route,
};

/// What was asked for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "command", content = "with", rename_all = "snake_case")]
pub enum Asked {
    Merge(merge::Request),
    ReverseDeath { patient: PatientId },
}

impl Asked {
    fn permission(&self) -> &'static str {
        match self {
            Self::Merge(_) => "patient.merge",
            Self::ReverseDeath { .. } => "patient.reverse_death",
        }
    }
}

kernel::words! {
    pub enum State { Pending = "pending", Approved = "approved", Rejected = "rejected" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    pub asked: Asked,
    pub asked_by: String,
    pub reason: Sealed<String>,
    pub status: State,
    /// After this nobody can approve it any more.
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Entity for Approval {
    type Id = ApprovalId;
    const NOUN: &'static str = "patient_approval";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}

impl Noun for Approval {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach >= Reach::Site
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let other = record.body.asked_by != ctx.actor().user;
        let may = ctx.may(record.body.asked.permission()) > Reach::None;
        match record.body.status == State::Pending && other && may {
            true => vec!["approve", "reject"],
            false => vec![],
        }
    }
}

/// Keeps the request, and refuses it for now: 428 with the approval.
pub async fn ask(ctx: &Ctx, asked: Asked, reason: &str) -> Result<Error> {
    let approval = Approval {
        asked,
        asked_by: ctx.actor().user.clone(),
        reason: Sealed(reason.into()),
        status: State::Pending,
        until: ctx.now() + LIFE,
        decided_by: None,
    };
    let new = Record::new(ctx.now(), approval);
    ctx.commit().because(Some(reason.into())).create(&new).run().await?;
    let detail =
        "somebody else with the same right has to approve this: POST /v1/patients/approvals/{id}/approve";
    Ok(Error::refuse(Kind::ApprovalRequired, "approval-required", detail).with("approval", new.id))
}

pub fn routes() -> Vec<Route> {
    let one = "/v1/patients/approvals/{id}";
    vec![
        route(Method::GET, one, "patient.merge", "patient_approval.show", get(show::<Approval>))
            .gives::<View<'static, Approval>>(200)
            .trips(1)
            .says("A command that waits for a second person"),
        route(
            Method::POST,
            format!("{one}/approve"),
            "patient.merge",
            "patient_approval.approve",
            post(approve),
        )
        .takes::<Nothing>()
        .gives::<Value>(200)
        .refuses(&["own-request", "approval-expired"])
        .trips(3)
        .says("Approves a command and gives it; answers what the command would have"),
        route(
            Method::POST,
            format!("{one}/reject"),
            "patient.merge",
            "patient_approval.reject",
            post(reject),
        )
        .takes::<crate::chart::Why>()
        .gives::<View<'static, Approval>>(200)
        .trips(2)
        .says("Refuses a command that waits"),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Nothing {}

/// The approval, if this caller may decide it.
async fn mine(ctx: &Ctx, id: ApprovalId) -> Result<Record<Approval>> {
    let old = ctx.change::<Approval>(id).await?;
    ctx.need(old.body.asked.permission())?;
    if old.body.status != State::Pending {
        return Err(Error::State { command: "decide", state: old.body.status.to_string() });
    }
    if old.body.until <= ctx.now() {
        return Err(Error::conflict("approval-expired", "nobody approved this in time: ask for it again"));
    }
    Ok(old)
}

fn decided(ctx: &Ctx, old: &Record<Approval>, status: State) -> Record<Approval> {
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.decided_by) = (status, Some(ctx.actor().user.clone()));
    new
}

async fn approve(ctx: Ctx, At(id): At<ApprovalId>, _: Body<Nothing>) -> Answer {
    let old = mine(&ctx, id).await?;
    if old.body.asked_by == ctx.actor().user {
        return Err(Error::forbidden(
            "own-request",
            "you asked for this yourself: somebody else approves it",
        )
        .into());
    }
    let reason = old.body.reason.0.clone();
    let (commit, shown) = match old.body.asked.clone() {
        Asked::Merge(request) => merge::perform(&ctx, request).await?,
        Asked::ReverseDeath { patient } => life::reverse(&ctx, patient, reason).await?,
    };
    let commit = commit.update("approve", &old, &decided(&ctx, &old, State::Approved));
    ctx.settle(commit, shown).await
}

async fn reject(ctx: Ctx, At(id): At<ApprovalId>, Body(why): Body<crate::chart::Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = mine(&ctx, id).await?;
    let new = decided(&ctx, &old, State::Rejected);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().because(Some(reason)).update("reject", &old, &new), shown).await
}
