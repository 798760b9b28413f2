//! Somebody looks: verified, rejected, or taken back. Never one's own, never about oneself, never two at once.

use super::{Document, FileState, Method as How, Rejection, Status, Verification, Why, receive, said, step};
use crate::{
    category::{Category, Needed},
    place,
    retention::Trigger,
    retire::{self, Planned},
    rights::{self, Deed},
    shipped,
};
use axum::{http::Method, routing::post};
use events::DocumentEvent;
use jiff::civil::Date;
use kernel::{DocumentId, Error, Fault, Result, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Commit, Record, facts};
use web::{Answer, At, Body, Ctx, Reach, Route, noun::View, route};

pub fn routes() -> Vec<Route> {
    let at = |command: &str| format!("/v1/documents/{{id}}/{command}");
    vec![
        route(Method::POST, at("verify"), "document.verify", "document.verify", post(verify))
            .takes::<Verify>()
            .gives::<View<'static, Document>>(200)
            .trips(6)
            .refuses(&["own-document", "already-expired", "state-changed", "incomplete"])
            .says("pending → verified; a renewal replaces the old one in the same moment"),
        route(Method::POST, at("reject"), "document.reject", "document.reject", post(reject))
            .takes::<Reject>()
            .gives::<View<'static, Document>>(200)
            .trips(3)
            .refuses(&["own-document", "state-changed"])
            .says("pending → rejected, with the reason"),
        route(Method::POST, at("unverify"), "document.verify", "document.unverify", post(unverify))
            .takes::<web::noun::Because>()
            .gives::<View<'static, Document>>(200)
            .trips(3)
            .says("verified → pending: it does not hold after all"),
    ]
}

#[derive(Clone, Deserialize, JsonSchema)]
struct Verify {
    method: How,
    expires_on: Option<Date>,
    #[schemars(length(min = 1, max = 500))]
    note: Option<Sealed<String>>,
}

#[derive(Clone, Deserialize, JsonSchema)]
struct Reject {
    reason_code: Why,
    #[schemars(length(min = 1, max = 500))]
    note: Option<Sealed<String>>,
}

/// The record as it may be judged by this caller.
async fn judged(ctx: &Ctx, id: DocumentId, command: &'static str) -> Result<Record<Document>> {
    let old = ctx.change::<Document>(id).await?;
    let d = &old.body;
    if !rights::may(ctx, d.group, Deed::Verify) {
        return Err(Error::forbidden(
            "category-forbidden",
            format!("your role does not verify {}", d.category_code),
        ));
    }
    if [&d.uploaded_by, &d.file.uploaded_by].contains(&&ctx.actor().user) {
        return Err(Error::forbidden("own-document", "somebody else has to look at what you uploaded"));
    }
    if d.subject.as_deref() == Some(ctx.actor().user.as_str()) {
        return Err(Error::forbidden("own-document", "somebody else has to look at what is about you"));
    }
    match step(command, d.status) {
        Err(_) if matches!(d.status, Status::Verified | Status::Rejected) && command != "unverify" => {
            Err(changed(d))
        }
        other => other.map(|_| old),
    }
}

/// Somebody was quicker: who, and when.
fn changed(d: &Document) -> Error {
    let (by, at) = match (&d.verification, &d.rejection) {
        (_, Some(r)) => (&r.by, r.at),
        (Some(v), None) => (&v.by, v.at),
        _ => (&d.uploaded_by, d.file.at),
    };
    let detail = format!("it was decided meanwhile: it is {} now", d.status);
    // `status` is the problem's own.
    Error::conflict("state-changed", detail).with("decision", d.status).with("by", by).with("at", at)
}

async fn verify(ctx: Ctx, At(id): At<DocumentId>, Body(body): Body<Verify>) -> Answer {
    web::again(ctx.store(), || async {
        let old = judged(&ctx, id, "verify").await?;
        let category = shipped::find::<Category>(ctx.store(), old.body.category).await?.body;
        permitted(&ctx, &category)?;
        let mut new = old.next(ctx.now());
        new.body.expires_on =
            body.expires_on.or(new.body.expires_on).or_else(|| usual_end(&old.body, &category));
        complete(&ctx, &new.body, &category)?;
        new.body.status = Status::Verified;
        let by = ctx.actor().user.clone();
        new.body.verification =
            Some(Verification { by, at: ctx.now(), method: body.method, note: body.note.clone() });
        new.body.rejection = None;
        new.body.begin_way(ctx.now());
        let run = retire::begin(&ctx, &mut new, Trigger::Verified, Some(ctx.today())).await?;
        let by = ctx.actor().user.clone();
        let event = DocumentEvent::Verified { document: said(&new), by, method: body.method.to_string() };
        let commit = ctx.commit().update("verify", &old, &new).emit(event);
        let (commit, later) = replaced(&ctx, receive::publish(commit, &new), &new).await?;
        let commit = retire::plan_both(commit, run, later);
        ctx.settle(commit, ctx.shown(200, &new)?).await
    })
    .await
}

/// A category may ask for a permission of its own.
fn permitted(ctx: &Ctx, category: &Category) -> Result<()> {
    match category.verifier_permission.as_deref().and_then(authz::rule) {
        Some(rule) if ctx.may(rule.permission) == Reach::None => Err(Error::forbidden(
            "forbidden",
            format!("documents of {} need {}", category.code, rule.permission),
        )),
        _ => Ok(()),
    }
}

fn usual_end(d: &Document, category: &Category) -> Option<Date> {
    let from = d.valid_from.or(d.issued_on)?;
    place::months(from, category.default_validity_months?)
}

/// 422 with everything that is missing; an end that lies behind cannot begin.
fn complete(ctx: &Ctx, d: &Document, category: &Category) -> Result<()> {
    if d.file.state != FileState::Received {
        return Err(Error::conflict("not-received", "there are no bytes of this version"));
    }
    if d.expires_on.is_some_and(|on| on <= ctx.today()) {
        return Err(Error::field("already-expired", "/expires_on", "it has expired: ask for a newer one"));
    }
    let mut faults = vec![];
    if category.needs_expiry && d.expires_on.is_none() {
        faults.push(Fault::new("/expires_on", "required", "say until when it holds"));
    }
    for needed in &category.required {
        let (missing, pointer) = match needed {
            Needed::Number => (d.number.is_none(), "/number"),
            Needed::Issuer => (d.issuer.is_none(), "/issuer"),
            Needed::IssuedOn => (d.issued_on.is_none(), "/issued_on"),
        };
        if missing {
            faults.push(Fault::new(
                pointer,
                "required",
                format!("{} is not verified without it", category.code),
            ));
        }
    }
    if faults.is_empty() {
        return faultless(faults);
    }
    let refusal = Error::unprocessable("incomplete", "something has to be said first: PATCH the document");
    Err(faults.into_iter().fold(refusal, Error::at))
}

/// The one that this one renews has served: it is replaced in the same transaction.
async fn replaced(ctx: &Ctx, commit: Commit, new: &Record<Document>) -> Result<(Commit, Planned)> {
    let Some(id) = new.body.replaces else { return Ok((commit, None)) };
    let Some(old) = place::live::<Document>(ctx, id).await? else { return Ok((commit, None)) };
    if !matches!(old.body.status, Status::Verified | Status::Expired) {
        return Ok((commit, None));
    }
    let mut gone = old.next(ctx.now());
    (gone.body.status, gone.body.replaced_by, gone.body.stage) = (Status::Renewed, Some(new.id), None);
    let run = retire::begin(ctx, &mut gone, Trigger::Superseded, Some(ctx.today())).await?;
    let event = DocumentEvent::Renewed { document: said(&old), replaced_by: new.id };
    let commit = commit.update("replace", &old, &gone).emit(event).drop_fact(facts::DOCUMENT, id);
    Ok((commit, run))
}

async fn reject(ctx: Ctx, At(id): At<DocumentId>, Body(body): Body<Reject>) -> Answer {
    web::again(ctx.store(), || async {
        let old = judged(&ctx, id, "reject").await?;
        let mut new = old.next(ctx.now());
        new.body.status = Status::Rejected;
        let by = ctx.actor().user.clone();
        new.body.rejection =
            Some(Rejection { by, at: ctx.now(), reason_code: body.reason_code, note: body.note.clone() });
        let event = DocumentEvent::Rejected { document: said(&new), code: body.reason_code.to_string() };
        let commit = ctx.commit().update("reject", &old, &new).emit(event);
        ctx.settle(commit, ctx.shown(200, &new)?).await
    })
    .await
}

async fn unverify(ctx: Ctx, At(id): At<DocumentId>, Body(body): Body<Given>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = judged(&ctx, id, "unverify").await?;
    old.body.not_in_signing()?;
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.stage) = (Status::Pending, None);
    let commit = ctx.commit().because(Some(reason)).update("unverify", &old, &new);
    let commit = commit.emit(DocumentEvent::Unverified(said(&new))).drop_fact(facts::DOCUMENT, id);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

#[derive(Deserialize, JsonSchema)]
pub struct Given {
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}
