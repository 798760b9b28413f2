//! What is done with a case: triage, assignment, closing, opening again, more sessions.

use super::{
    AFTER, Alarm, Case, Closure, Status, alarm, api, ask, clinical,
    file::{self, CaseFile},
    open_sessions,
};
use crate::{
    beneficiary::Beneficiary,
    cap,
    contract::Contract,
    place,
    provider::{self, Provider},
    risk::{MANAGERS, PATIENCE, Risk},
    words::Issue,
};
use axum::{http::Method, routing::post};
use events::EapEvent;
use kernel::{EapCaseId, EapProviderId, Error, Result, error::found};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Record, When, is};
use web::{Answer, At, Body, Ctx, Reach, Refused, Route, Shown, route};

pub fn routes(one: &str) -> Vec<Route> {
    let (view, assign) = ("eap_case.view", "eap_case.assign");
    let post_to = |word: &str, door: &'static str, handler: axum::routing::MethodRouter<web::App>| {
        route(Method::POST, format!("{one}/{word}"), door, format!("eap_case.{word}"), handler)
    };
    vec![
        post_to("triage", view, post(triage))
            .takes::<Triage>()
            .gives::<api::Full>(200)
            .trips(4)
            .says("Says how urgent it is, and what it is about; whoever is at risk is alarmed for"),
        post_to("assign", assign, post(assign_to))
            .takes::<Assign>()
            .gives::<api::Head>(200)
            .trips(2)
            .refuses(&["provider-not-ready", "reason-required", "unknown-provider"])
            .says("Gives the case to a counsellor; from one to another with a reason"),
        post_to("extend", "eap_case.extend", post(extend))
            .takes::<Extend>()
            .gives::<api::Head>(200)
            .trips(4)
            .refuses(&["reason-required", "self-approval"])
            .says("One to ten sessions more than the contract covers"),
        post_to("close", view, post(close))
            .takes::<Close>()
            .gives::<Closed>(200)
            .trips(5)
            .refuses(&["sessions-booked"])
            .says("Ends the case; links to say how it was go to the person, or stand in the answer to be handed over"),
        post_to("let_in", view, post(let_in))
            .takes::<Nothing>()
            .gives::<api::Head>(200)
            .trips(4)
            .refuses(&["no-login"])
            .says("Lets the person's own login see the case: the counsellor has spoken with them"),
        post_to("reopen", view, post(reopen))
            .takes::<Reopen>()
            .gives::<api::Head>(200)
            .trips(2)
            .refuses(&["case-open", "reason-required", "reopen-window-over"])
            .says("Opens a case again, up to 90 days after it was closed"),
    ]
}

/// The case, within reach and in one of these states.
async fn standing(ctx: &Ctx, id: EapCaseId, command: &'static str, from: &[Status]) -> Result<Record<Case>> {
    let case = ctx.change::<Case>(id).await?;
    if ctx.reach() == Reach::Own {
        return Err(Error::forbidden("forbidden", "your counsellor does this"));
    }
    match from.contains(&case.body.status) {
        true => Ok(case),
        false => Err(Error::State { command, state: case.body.status.to_string() }),
    }
}

const RUNNING: &[Status] = &[Status::Intake, Status::Open, Status::InProgress];

fn answered(ctx: &Ctx, case: &Record<Case>, sessions: Option<cap::Shown>) -> Result<Shown> {
    let shown = Shown::of(200, &api::head(ctx, case, sessions))?;
    Ok(Shown { version: Some(case.version), ..shown })
}

#[derive(Deserialize, JsonSchema)]
struct Triage {
    risk: Risk,
    presenting_issue: Option<Issue>,
    #[schemars(length(max = 10))]
    secondary: Option<Vec<Issue>>,
}

async fn triage(ctx: Ctx, At(id): At<EapCaseId>, Body(said): Body<Triage>) -> Answer {
    let old = standing(&ctx, id, "triage", RUNNING).await?;
    let clinical = clinical(&ctx).await?;
    let ((_, was, parts), on_call) =
        futures::try_join!(file::whole(&clinical, id), alarm::on_call(ctx.store()))?;
    let mut new = old.next(ctx.now());
    let c = &mut new.body;
    if c.status == Status::Intake {
        c.status = if c.provider.is_some() { Status::InProgress } else { Status::Open };
    }
    let raised = said.risk.alarms() && !was.risk.is_some_and(Risk::alarms);
    if was.risk != Some(said.risk) {
        c.contact_by = Some(said.risk.contact_by(ctx.now(), &ctx.zone()));
    }
    if !said.risk.alarms() {
        c.alarm = None;
    }
    let file = CaseFile {
        risk: Some(said.risk),
        presenting_issue: said.presenting_issue.unwrap_or(was.presenting_issue),
        secondary: said.secondary.unwrap_or(was.secondary.clone()),
        by: ctx.actor().user.clone(),
        at: ctx.now(),
        ..was
    };
    let first = on_call.told(0).filter(|_| raised);
    if let Some(to) = &first {
        let nobody_on_call = to == MANAGERS;
        c.alarm = Some(Alarm { step: 0, at: ctx.now() + PATIENCE, told: vec![to.clone()], nobody_on_call });
    }
    let page = file::write(&clinical, &file::place(id, "file", new.version), &file);
    let mut commit = ctx.commit().update("triage", &old, &new);
    if let Some(to) = first {
        commit = commit.emit(EapEvent::RiskRaised { case: id, to, step: 0 });
    }
    let mut body = serde_json::Map::new();
    if raised && let Some(line) = on_call.warm_line {
        body.insert("warm_line".into(), line.into());
    }
    let whole = api::full(&ctx, &new, file, parts, None);
    let mut value = seal::open(|| serde_json::to_value(&whole)).map_err(Error::internal)?;
    if let Some(all) = value.as_object_mut() {
        all.extend(body);
    }
    let shown = Shown { version: Some(new.version), ..Shown::of(200, &value)? };
    ctx.settle(commit.joined(page), shown).await
}

#[derive(Deserialize, JsonSchema)]
struct Assign {
    provider: EapProviderId,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn assign_to(ctx: Ctx, At(id): At<EapCaseId>, Body(said): Body<Assign>) -> Answer {
    let (old, counsellor) =
        futures::join!(standing(&ctx, id, "assign", RUNNING), ctx.store().get::<Provider>(said.provider));
    let old = old?;
    let counsellor = found(counsellor)?.ok_or_else(provider::unknown)?;
    let reason = match old.body.provider {
        Some(_) => Some(ctx.needs_reason(said.reason.as_deref())?),
        None => said.reason.or(ctx.reason()),
    };
    let not_ready = || {
        let detail = "assign somebody approved, with a licence in date and a login: see GET …/candidates";
        Error::field("provider-not-ready", "/provider", detail)
    };
    let user = counsellor.body.user.ok_or_else(not_ready)?;
    let mut new = old.next(ctx.now());
    new.body.provider = Some(counsellor.id);
    new.body.provider_user = Some(user.to_string());
    if new.body.status == Status::Open {
        new.body.status = Status::InProgress;
    }
    let commit = ctx.commit().because(reason).update("assign", &old, &new);
    let commit = commit.emit(EapEvent::CaseAssigned(new.body.said(id)));
    let commit = provider::ready(commit, counsellor.id);
    ctx.settle(commit, answered(&ctx, &new, None)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Extend {
    #[schemars(range(min = 1, max = 10))]
    sessions: u32,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn extend(ctx: Ctx, At(id): At<EapCaseId>, Body(said): Body<Extend>) -> Answer {
    let old = standing(&ctx, id, "extend", RUNNING).await?;
    let reason = ctx.needs_reason(said.reason.as_deref())?;
    if old.body.of_counsellor(&ctx.actor().user) {
        let detail = "whoever has the case does not add sessions to it: ask another manager";
        return Err(Error::forbidden("self-approval", detail).into());
    }
    let contract = ctx.store().get::<Contract>(old.body.contract).await?;
    let key = old.body.cap_key(&contract, contract.body.today(ctx.now()));
    let mut balance = cap::Balance::read(ctx.store(), &key).await?;
    balance.extra += said.sessions;
    let new = old.next(ctx.now());
    let part = file::place(id, "ext", new.version);
    let added = json!({"sessions": said.sessions, "by": ctx.actor().user, "at": ctx.now()});
    let commit = ctx.commit().because(Some(reason)).update("extend", &old, &new);
    let commit = cap::extend(commit, &key, said.sessions).put(&part, &added);
    let sessions = balance.shown(cap::Rule::of(&contract.body).sessions);
    ctx.settle(commit, answered(&ctx, &new, Some(sessions))?).await
}

#[derive(Deserialize, JsonSchema)]
struct Close {
    closure_reason: Closure,
}

/// The head, and the links for the person where nobody else brings them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EapCaseClosed")]
struct Closed {
    #[serde(flatten)]
    head: api::Head,
    #[serde(flatten)]
    links: ask::ByHand,
}

async fn close(ctx: Ctx, At(id): At<EapCaseId>, Body(said): Body<Close>) -> Answer {
    let old = standing(&ctx, id, "close", &[Status::Open, Status::InProgress]).await?;
    let mut new = old.next(ctx.now());
    let c = &mut new.body;
    (c.status, c.closed_at, c.closure_reason) = (Status::Closed, Some(ctx.now()), Some(said.closure_reason));
    (c.contact_by, c.alarm, c.follow_up_at) = (None, None, Some(ctx.now() + AFTER));
    let (waits, links) = ask::by_hand(&ctx, &new).await?;
    let commit = ctx.commit().update("close", &old, &new).emit(EapEvent::CaseClosed(new.body.said(id)));
    let none = When::Without("n").or(is("n", 0));
    let commit = commit.check(&open_sessions(id), none, |_| {
        let detail = "sessions of this case are booked: complete or cancel them first";
        Error::conflict("sessions-booked", detail)
    });
    let commit = commit.add(&place::counts(new.body.client), "cases_open", -1);
    let closed = Closed { head: api::head(&ctx, &new, None), links };
    let shown = Shown { version: Some(new.version), ..Shown::of(200, &closed)? };
    ctx.settle(commit.joined(waits), shown).await
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

async fn let_in(ctx: Ctx, At(id): At<EapCaseId>, _: Body<Nothing>) -> Answer {
    let old = standing(&ctx, id, "let_in", &[Status::Open, Status::InProgress]).await?;
    let (_, file, _) = file::whole(&clinical(&ctx).await?, id).await?;
    let person = ctx.store().get::<Beneficiary>(file.beneficiary).await?;
    let nobody = || Error::unprocessable("no-login", "the person has no login that is theirs");
    let user = person.body.user.ok_or_else(nobody)?;
    let mut new = old.next(ctx.now());
    new.body.portal_user = Some(user.to_string());
    ctx.settle(ctx.commit().update("let_in", &old, &new), answered(&ctx, &new, None)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Reopen {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn reopen(ctx: Ctx, At(id): At<EapCaseId>, Body(said): Body<Reopen>) -> Answer {
    let old = standing(&ctx, id, "reopen", &[Status::Closed]).await?;
    let reason = ctx.needs_reason(said.reason.as_deref())?;
    if old.body.closed_at.is_none_or(|at| at + AFTER < ctx.now()) {
        let detail = "it was closed more than 90 days ago: open a new case";
        return Err(Error::conflict("reopen-window-over", detail).into());
    }
    let mut new = old.next(ctx.now());
    let c = &mut new.body;
    c.status = if c.provider.is_some() { Status::InProgress } else { Status::Open };
    (c.closed_at, c.closure_reason, c.follow_up_at) = (None, None, None);
    let commit = ctx.commit().because(Some(reason)).update("reopen", &old, &new);
    let commit = commit.emit(EapEvent::CaseReopened(new.body.said(id)));
    let commit = commit.add(&place::counts(new.body.client), "cases_open", 1);
    match ctx.settle(commit, answered(&ctx, &new, None)?).await {
        // Which case that is, is another counsellor's to know.
        Err(Refused(Error::Duplicate { field: "issue", .. })) => {
            Err(Error::conflict("case-open", "this person has another open case of this issue").into())
        }
        answer => answer,
    }
}
