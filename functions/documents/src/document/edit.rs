//! Changes of what is said of a document; deletion, and back.

use super::{Document, Status, create, receive, said, versions::signed};
use crate::{
    hold,
    retention::{Retention, Trigger},
    retire, shipped,
};
use axum::{
    http::Method,
    routing::{delete, patch, post},
};
use events::DocumentEvent;
use kernel::{
    DocumentId, Error, Fault, Result,
    error::{faultless, found},
};
use serde_json::Value;
use store::{Commit, Record, facts};
use web::{Answer, At, Ctx, Noun, Raw, Reach, Route, Shown, check, noun::View, route};

const ONE: &str = "/v1/documents/{id}";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::PATCH, ONE, "document.edit", "document.update", patch(amend))
            .patches::<Document>()
            .gives::<View<'static, Document>>(200)
            .trips(5)
            .says("Changes what is said of a document; once it is verified, dates, category and retention need a reason"),
        route(Method::DELETE, ONE, "document.delete", "document.delete", delete(remove))
            .answers(204)
            .trips(2)
            .refuses(&["legal-hold", "signature-open", "signed"])
            .says("Deletes a document, with a reason; it can be restored"),
        route(Method::POST, format!("{ONE}/restore"), "document.delete", "document.restore", post(restore))
            .gives::<View<'static, Document>>(200)
            .trips(2)
            .says("Brings a deleted document back to what it was"),
    ]
}

async fn amend(ctx: Ctx, At(id): At<DocumentId>, Raw(patch): Raw) -> Answer {
    let old = ctx.change::<Document>(id).await?;
    if old.body.is_stub() {
        return Err(Error::State { command: "update", state: old.body.status.to_string() }.into());
    }
    if ctx.reach() < Reach::Team && old.body.uploaded_by != ctx.actor().user {
        return Err(Error::forbidden("not-uploader", "your role changes what you uploaded yourself").into());
    }
    let mut new = old.next(ctx.now());
    new.body = check::merge_patch(&old.body, &renamed(&ctx, patch).await?)?;
    let reason = reasoned(&ctx, &old.body, &new.body)?;
    let run = settled(&ctx, &old.body, &mut new).await?;
    let mut commit = ctx.commit().because(reason).update("update", &old, &new);
    if new.body.status == Status::Verified && new.body.expires_on != old.body.expires_on {
        commit = receive::publish(commit, &new);
    }
    let shown = ctx.shown(200, &new)?;
    ctx.settle(retire::plan(commit, run), shown).await
}

/// A category may be named by its code.
async fn renamed(ctx: &Ctx, mut patch: Value) -> Result<Value> {
    if let Some(name) = patch.get("category").and_then(Value::as_str) {
        let found = create::category(ctx, name).await?;
        patch["category"] = found.id.to_string().into();
    }
    Ok(patch)
}

/// What a verification rests on is not changed without saying why.
fn reasoned(ctx: &Ctx, old: &Document, new: &Document) -> Result<Option<String>> {
    let dates = |d: &Document| (d.issued_on, d.valid_from, d.expires_on);
    let heavy = old.title != new.title
        || dates(old) != dates(new)
        || old.category != new.category
        || old.number != new.number
        || old.retention != new.retention;
    let looked_at = matches!(old.status, Status::Verified | Status::Expired | Status::Renewed);
    if (heavy && looked_at) || old.retention != new.retention {
        ctx.needs_reason(None).map(Some)
    } else {
        Ok(None)
    }
}

/// What follows from the change: the new category's terms, the reminders' way, the retention's end.
async fn settled(ctx: &Ctx, old: &Document, new: &mut Record<Document>) -> Result<retire::Planned> {
    let category = shipped::find::<crate::category::Category>(ctx.store(), new.body.category).await?.body;
    let d = &mut new.body;
    if d.category != old.category {
        create::permit(ctx, &category, d.subject.as_deref(), d.site).await?;
        (d.category_code, d.group) = (category.code.clone(), category.group);
        d.terms.remind_days = category.remind_days.clone();
        d.terms.needs_verification = category.needs_verification;
        d.terms.subject_may_view = category.subject_may_view;
        d.terms.roles_view = category.roles_view.clone();
        d.terms.escalate = category.escalate;
        d.confidentiality = d.confidentiality.max(category.confidentiality);
    }
    let mut faults = d.check();
    faults.extend(category.faults(&d.metadata));
    if d.issued_on.is_some_and(|on| on > ctx.today()) {
        faults.push(Fault::new("/issued_on", "range", "today or earlier"));
    }
    faultless(faults)?;
    if d.status == Status::Verified && d.expires_on != old.expires_on {
        if d.expires_on.is_none_or(|on| on <= ctx.today()) && old.expires_on.is_some() {
            return Err(Error::field(
                "already-expired",
                "/expires_on",
                "a verified document ends on a day to come",
            ));
        }
        d.begin_way(ctx.now());
    }
    if d.retention == old.retention {
        return Ok(None);
    }
    reclassed(ctx, new).await
}

/// Another class: its time begins where the old one's did.
async fn reclassed(ctx: &Ctx, new: &mut Record<Document>) -> Result<retire::Planned> {
    let unknown = || Error::field("unknown-class", "/retention", "there is no such retention class here");
    let class = found(shipped::named::<Retention>(ctx.store(), &new.body.retention).await)?;
    let class = class.ok_or_else(unknown)?.body;
    let since = new.body.trigger_on.or_else(|| {
        let created = new.created_at.to_zoned(ctx.zone()).date();
        (class.trigger == Trigger::Created).then_some(created)
    });
    (new.body.trigger_on, new.body.dispose_on) = (None, None);
    retire::begin(ctx, new, class.trigger, since).await
}

async fn remove(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    let reason = ctx.needs_reason(None)?;
    let old = ctx.change::<Document>(id).await?;
    old.body.not_in_signing()?;
    if old.body.signed {
        return Err(signed().into());
    }
    if old.body.is_stub() {
        return Err(Error::State { command: "delete", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    let commit = ctx.commit().because(Some(reason)).update("delete", &old, &new);
    let commit = commit.emit(DocumentEvent::Deleted(said(&old)));
    let commit = hold::none(unpublished(commit, &old), &old);
    ctx.settle(commit, Shown::nothing()).await
}

/// Nobody may rely on it any more.
fn unpublished(commit: Commit, old: &Record<Document>) -> Commit {
    if old.body.status == Status::Verified { commit.drop_fact(facts::DOCUMENT, old.id) } else { commit }
}

async fn restore(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    let old = ctx.change_deleted::<Document>(id).await?;
    if old.deleted_at.is_none() {
        return Err(Error::State { command: "restore", state: "not deleted".into() }.into());
    }
    if old.body.status == Status::AwaitingUpload && old.body.upload_check.is_none() {
        return Err(Error::gone("removed", "its bytes never came: make a new document").into());
    }
    let mut new = old.next(ctx.now());
    new.deleted_at = None;
    let commit = ctx.commit().update("restore", &old, &new).emit(DocumentEvent::Restored(said(&new)));
    let commit = if new.body.status == Status::Verified { receive::publish(commit, &new) } else { commit };
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}
