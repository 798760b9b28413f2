//! Deciding: served in every module that has commands which may wait, since there the command itself runs.

use super::{
    Approval, Approving, Decision, Outcome, Status, Verdict, event_of, executed, expired, may, superseded,
};
use crate::{Answer, App, At, Body, Ctx, Problem, Reach, Route, Shown, extract::Demands, noun::View, route};
use axum::{
    Router,
    body::Body as Bytes,
    http::{Method, Request, header},
    response::Response,
    routing::{get, post},
};
use futures::FutureExt;
use kernel::{ApprovalId, Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use store::{Caller, Commit, Record};
use tower::ServiceExt;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ApprovalApprove")]
struct Note {
    #[schemars(length(min = 1, max = 2000))]
    note: Option<Sealed<String>>,
}
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ApprovalReject")]
struct Why {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// What the record would become, for a command that changes it by a merge patch.
#[derive(Serialize, JsonSchema)]
struct Difference {
    field: String,
    from: Value,
    to: Value,
}

/// Routes of a module with commands that may wait.
pub(crate) fn routes(module: &'static str, waiting: Vec<Route>) -> Vec<Route> {
    let one = format!("/v1/{module}/approvals/{{id}}");
    let waiting = Arc::new(waiting);
    let approving = move |ctx: Ctx, At(id): At<ApprovalId>, Body(note): Body<Note>| {
        let waiting = waiting.clone();
        async move { approve(ctx, id, note, module, &waiting).await }
    };
    let rejecting =
        move |ctx: Ctx, At(id): At<ApprovalId>, Body(why): Body<Why>| reject(ctx, id, why, module);
    let looking = move |ctx: Ctx, At(id): At<ApprovalId>| look(ctx, id);
    let mut routes = vec![
        route(
            Method::POST,
            format!("{one}/approve"),
            "approval.approve",
            "approval.approve",
            post(approving),
        )
        .takes::<Note>()
        .gives::<Value>(200)
        .refuses(&[
            "own-request",
            "already-decided",
            "approval-expired",
            "superseded",
            "requester-lost-right",
        ])
        .trips(9)
        .says("Approves a command that waits; once enough people have, answers what the command answers"),
        route(Method::POST, format!("{one}/reject"), "approval.reject", "approval.reject", post(rejecting))
            .takes::<Why>()
            .gives::<View<'static, Approval>>(200)
            .refuses(&["own-request", "already-decided", "approval-expired", "reason-required"])
            .trips(3)
            .says("Turns down a command that waits"),
        route(Method::GET, one.as_str(), "approval.view", "approval.show", get(looking))
            .gives::<View<'static, Approval>>(200)
            .trips(2)
            .says("A command that waits: the request, what it would change, and where it is decided"),
    ];
    let history = get(crate::noun::history::<Approval>);
    routes.push(
        route(Method::GET, format!("{one}/history"), "approval.view", "approval.history", history)
            .asks::<crate::noun::Paged>()
            .gives::<crate::noun::History>(200)
            .trips(2)
            .says("Every version of an approval"),
    );
    routes.into_iter().map(|route| route.also_at(module)).collect()
}

async fn look(ctx: Ctx, id: ApprovalId) -> Answer {
    let record = ctx.get::<Approval>(id).await?;
    let a = &record.body;
    let place = format!("/v1/{}/approvals/{id}", a.module);
    let body: Value = serde_json::from_str(&a.body.0).unwrap_or(Value::Null);
    let mut differences = vec![];
    if a.method == "PATCH"
        && let (Some(of), Some(fields)) = (&a.record, body.as_object())
    {
        let now = ctx.store().plain_record(of).await?.map(|r| r.body).unwrap_or_default();
        let one = |(field, to): (&String, &Value)| Difference {
            field: field.clone(),
            from: now[field].clone(),
            to: to.clone(),
        };
        differences = fields.iter().filter(|(f, to)| now[*f] != **to).map(one).collect();
    }
    let more = json!({"request": body, "preview": differences, "approve_url": format!("{place}/approve")});
    Ok(Shown::record_with(&ctx, 200, &record, &more)?.respond())
}

/// The approval, if this caller may decide it now.
async fn decidable(ctx: &Ctx, id: ApprovalId, module: &str) -> Result<Record<Approval>> {
    let old = ctx.store().fresh::<Approval>(id).await?;
    let (a, actor) = (&old.body, ctx.actor());
    if a.module != module {
        let detail =
            format!("this is decided where its command lives: POST /v1/{}/approvals/{id}/approve", a.module);
        return Err(Error::conflict("other-module", detail).with("module", &a.module));
    }
    if may(ctx, &a.permission) == Reach::None {
        return Err(Error::Missing);
    }
    let same = actor.user == a.requester || ctx.store().caller().on_behalf.as_ref() == Some(&a.requester);
    if same || concerns(ctx, a).await? {
        return Err(Error::forbidden(
            "own-request",
            "you asked for this yourself, or it is about you: somebody else decides",
        ));
    }
    if let Some(over) = a.over() {
        return Err(over);
    }
    if a.expires_at <= ctx.now() {
        return Err(expired());
    }
    if !actor.user.starts_with("usr_") || actor.context.is_some() {
        return Err(Error::forbidden(
            "people-only",
            "a member of the organisation decides this, no machine and no operator",
        ));
    }
    if !a.is_approver(actor) {
        let detail = "the policy names other people for this";
        return Err(Error::forbidden("not-an-approver", detail).with("roles", &a.approvers.roles));
    }
    if let Some(site) = a.site.filter(|site| !actor.sites.has(site)) {
        return Err(
            Error::forbidden("other-site", "somebody of the record's site decides this").with("site", site)
        );
    }
    if a.decisions.iter().any(|d| d.user == actor.user) {
        return Err(Error::conflict(
            "already-decided",
            "you have approved this already: somebody else has to",
        ));
    }
    Ok(old)
}

/// Whether the record is about the caller.
async fn concerns(ctx: &Ctx, a: &Approval) -> Result<bool> {
    let Some(record) = &a.record else { return Ok(false) };
    let me = &ctx.actor().user;
    if record == me {
        return Ok(true);
    }
    let plain = ctx.store().plain_record(record).await?;
    let about =
        |r: &store::Plain| ["user", "user_id", "subject", "person"].iter().any(|f| r.body[*f] == me.as_str());
    Ok(plain.as_ref().is_some_and(about))
}

async fn approve(ctx: Ctx, id: ApprovalId, note: Note, module: &'static str, waiting: &[Route]) -> Answer {
    let old = decidable(&ctx, id, module).await?;
    if !still_holds(&ctx, &old.body).await? {
        let detail = "whoever asked for this may not do it any more: it is not done";
        end(&ctx, &old, Status::Failed, "requester-lost-right").await?;
        return Err(Error::conflict("requester-lost-right", detail).into());
    }
    if changed(&ctx, &old.body).await? {
        // It may have been changed by this very command, approved by somebody who was faster.
        let now = ctx.store().fresh::<Approval>(id).await?;
        if let Some(over) = now.body.over() {
            return Err(over.into());
        }
        end(&ctx, &old, Status::Superseded, "stale").await?;
        return Err(superseded().into());
    }
    let agreed = old.body.decisions.iter().filter(|d| d.decision == Verdict::Approve).count();
    if agreed + 1 < usize::from(old.body.needed) {
        return decide(&ctx, &old, Verdict::Approve, note.note).await;
    }
    let route = waiting.iter().find(|r| r.operation == old.body.operation);
    let route = route.ok_or_else(|| Error::internal("an approval of a command that is no more"))?;
    let approving = Arc::new(Approving { old, note: note.note, done: AtomicBool::new(false) });
    let response = run(&ctx, route, &approving).await?;
    conclude(&ctx, &approving, response).await
}

/// Whether the record is another one than when this was asked for.
async fn changed(ctx: &Ctx, a: &Approval) -> Result<bool> {
    let (Some(record), Some(version)) = (&a.record, a.record_version) else { return Ok(false) };
    Ok(ctx.store().plain_record(record).await?.is_none_or(|now| now.version != version))
}

/// The requester is still here, and still holds the command's permission by a role they had and have.
async fn still_holds(ctx: &Ctx, a: &Approval) -> Result<bool> {
    if !a.requester.starts_with("usr_") {
        return Ok(ctx.gate().access.ended(&a.requester, u64::MAX, Some(ctx.now())).is_none());
    }
    ctx.still_holds(&a.requester, &a.requester_roles, &a.permission).await
}

/// The stored request, through its own handler, at the version it was asked for.
async fn run(ctx: &Ctx, route: &Route, approving: &Arc<Approving>) -> Result<Response> {
    let a = &approving.old.body;
    let caller = Caller { on_behalf: Some(a.requester.clone()), ..ctx.store().caller().clone() };
    let demands = Demands {
        if_match: a.record_version,
        reason: a.reason.as_ref().map(|r| r.0.clone()),
        ..Demands::default()
    };
    let inner = ctx.approved(caller, Arc::new(route.clone()), demands, approving.clone())?;
    let mut request = Request::builder().method(&*a.method).uri(&a.path);
    if !a.body.0.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let mut request = request.body(Bytes::from(a.body.0.clone())).map_err(Error::internal)?;
    request.extensions_mut().insert(inner);
    let router: Router<App> = Router::new().route(&route.path, route.handler.clone());
    let answer = router.with_state(ctx.app().clone()).oneshot(request).boxed().await;
    answer.map_err(|never| match never {})
}

/// What the command's answer means for the approval.
async fn conclude(ctx: &Ctx, approving: &Arc<Approving>, response: Response) -> Answer {
    let status = response.status();
    if approving.done.load(SeqCst) || status.is_server_error() {
        return Ok(response);
    }
    if status.is_success() {
        let command = &approving.old.body.command;
        return Err(Error::internal(format!("{command} ran past its approval: it has to settle")).into());
    }
    let code = response.extensions().get::<Problem>().map(|p| p.code().to_string()).unwrap_or_default();
    let old = ctx.store().fresh::<Approval>(approving.old.id).await?;
    if let Some(over) = old.body.over() {
        return Err(over.into());
    }
    if matches!(code.as_str(), "stale" | "changed-meanwhile") {
        if old.version != approving.old.version || (code != "stale" && !changed(ctx, &old.body).await?) {
            return Err(Error::Busy.into());
        }
        end(ctx, &old, Status::Superseded, &code).await?;
        return Err(superseded().into());
    }
    end(ctx, &old, Status::Failed, &code).await?;
    Ok(response)
}

/// Joins the end of the approval to the command's own transaction.
pub(crate) async fn execute(ctx: &Ctx, approving: &Arc<Approving>, commit: Commit, answer: Shown) -> Answer {
    let new = executed(ctx, approving, answer.status);
    let commit = commit.update("approve", &approving.old, &new).emit(event_of(&new));
    let answer = ctx.send(commit, answer).await?;
    approving.done.store(true, SeqCst);
    Ok(answer)
}

/// Nothing was done, and nothing will be.
async fn end(ctx: &Ctx, old: &Record<Approval>, status: Status, problem: &str) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.status = status;
    new.body.result = Some(Outcome { status: 409, problem: Some(problem.into()) });
    let commit = ctx.store().commit().update(status.as_str(), old, &new).emit(event_of(&new));
    match commit.run().await {
        // Somebody else was faster: what became of it is theirs.
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

async fn decide(ctx: &Ctx, old: &Record<Approval>, verdict: Verdict, note: Option<Sealed<String>>) -> Answer {
    let mut new = old.next(ctx.now());
    new.body.decisions.push(Decision {
        user: ctx.actor().user.clone(),
        decision: verdict,
        at: ctx.now(),
        note,
    });
    if verdict == Verdict::Reject {
        new.body.status = Status::Rejected;
    }
    let shown = ctx.shown(200, &new)?;
    let commit = ctx.commit().update(verdict.as_str(), old, &new).emit(event_of(&new));
    match ctx.send(commit, shown).await {
        Err(crate::Refused(Error::Stale { .. })) => {
            let now = ctx.store().fresh::<Approval>(old.id).await?;
            Err(now.body.over().unwrap_or(Error::Busy).into())
        }
        other => other,
    }
}

async fn reject(ctx: Ctx, id: ApprovalId, why: Why, module: &'static str) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = decidable(&ctx, id, module).await?;
    decide(&ctx, &old, Verdict::Reject, Some(Sealed(reason))).await
}
