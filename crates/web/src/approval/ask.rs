//! A command that has to wait is kept, and answered with 428.

use super::{
    Approval, Status,
    policy::{self, Approvers, HOURS, Policy},
};
use crate::{Answer, Ctx, Refused};
use axum::{
    http::{HeaderValue, header},
    response::IntoResponse,
};
use events::WorkflowEvent;
use jiff::SignedDuration;
use kernel::{ApprovalId, Error, Kind, Result, SiteId};
use seal::Sealed;
use store::{Key, Plain, Record, facts};

/// Asks, if a policy or the command itself wants a second person; `None` if the command may go on.
pub(crate) async fn ask(ctx: &Ctx, command: &'static str) -> Result<Option<Answer>> {
    let applying = policy::applying(ctx, command).await?;
    if applying.is_none() && !ctx.second_person_demanded() {
        return Ok(None);
    }
    if let Some((policy, _)) = &applying
        && ctx.goes_on_if_alone()
        && !ctx.second_person_demanded()
        && !others(ctx, &policy.approvers).await?
    {
        return Ok(None);
    }
    let (policy, record) = match applying {
        Some((policy, record)) => (Some(policy), record),
        None => (None, record(ctx).await?),
    };
    if policy.as_ref().is_some_and(|p| p.reason_required) {
        ctx.needs_reason(body_reason(ctx).as_deref())?;
    }
    let new = Record::new(ctx.now(), wish(ctx, command, policy, record)?);
    let event = WorkflowEvent::ApprovalRequested(new.body.said(new.id));
    let commit = ctx.store().commit().because(ctx.reason()).create(&new).emit(event);
    Ok(Some(match commit.run().await {
        Ok(()) => waits(&new.body, new.id),
        Err(Error::Duplicate { code: "approval-pending", owner, .. }) => {
            let known = ctx.store().fresh::<Approval>(owner.parse()?).await?;
            waits(&known.body, known.id)
        }
        Err(e) => Err(e.into()),
    }))
}

/// Whether anybody but the caller is there whom a policy names; of one that names nobody it cannot be told.
async fn others(ctx: &Ctx, approvers: &Approvers) -> Result<bool> {
    let (me, Approvers { roles, users, .. }) = (&ctx.actor().user, approvers);
    if roles.is_empty() || users.iter().any(|user| user != me) {
        return Ok(true);
    }
    for role in roles {
        let members = Key::fact(facts::MEMBERS, format!("role~{role}"));
        let some = ctx.store().under::<serde_json::Value>(&members, "", 2).await?;
        if some.iter().any(|(user, _)| user != me) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The record that the command's path names.
pub(crate) async fn record(ctx: &Ctx) -> Result<Option<Plain>> {
    match ctx.sent().and_then(|sent| named(&sent.path)) {
        Some(id) => ctx.store().plain_record(id).await,
        None => Ok(None),
    }
}

/// The first id in a path.
fn named(path: &str) -> Option<&str> {
    let path = path.split('?').next().unwrap_or_default();
    path.split('/').find(|word| word.len() == 30 && word.as_bytes().get(3) == Some(&b'_'))
}

fn body_reason(ctx: &Ctx) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&ctx.sent()?.body).ok()?;
    body["reason"].as_str().map(Into::into)
}

fn wish(ctx: &Ctx, command: &str, policy: Option<Policy>, record: Option<Plain>) -> Result<Approval> {
    let (Some(sent), Some(route)) = (ctx.sent(), ctx.route()) else {
        return Err(Error::internal("a command that waits without its request"));
    };
    let permission =
        route.permission().ok_or_else(|| Error::internal("what waits needs a permission to approve"))?;
    let body = String::from_utf8(sent.body.to_vec()).map_err(Error::internal)?;
    let site = record.as_ref().and_then(|r| {
        let site = r.body["site"].as_str().or(r.body["site_id"].as_str())?;
        site.parse::<SiteId>().ok()
    });
    let (hours, needed) = policy.as_ref().map_or((HOURS, 1), |p| (p.expires_hours, p.needed));
    let (approvers, policy) = policy.map_or_else(Default::default, |p| (p.approvers, Some(p.id)));
    Ok(Approval {
        command: command.into(),
        module: sent.module.into(),
        operation: route.operation.clone(),
        permission: permission.into(),
        method: sent.method.clone(),
        path: sent.path.clone(),
        record: named(&sent.path).map(Into::into),
        record_version: record.map(|r| r.version),
        body_sha256: hex::encode(seal::sha256(body.as_bytes())),
        body: Sealed(body),
        requester: ctx.actor().user.clone(),
        requester_roles: ctx.actor().roles.clone(),
        reason: ctx.reason().map(Sealed),
        policy,
        site: site.filter(|_| approvers.same_site),
        approvers,
        needed,
        decisions: vec![],
        status: Status::Pending,
        asked_at: ctx.now(),
        expires_at: ctx.now() + SignedDuration::from_hours(i64::from(hours)),
        reminded: 0,
        result: None,
    })
}

/// 428: where it is decided, by how many, until when.
fn waits(approval: &Approval, id: ApprovalId) -> Answer {
    let place = format!("/v1/{}/approvals/{id}", approval.module);
    let detail = format!("somebody else has to approve this: POST {place}/approve");
    let error = Error::refuse(Kind::ApprovalRequired, "approval-required", detail)
        .with("approval", id)
        .with("needed", approval.needed)
        .with("expires_at", approval.expires_at);
    let mut response = Refused(error).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}
