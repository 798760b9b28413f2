//! New versions: of what waits or was rejected, of what was verified wrongly, and the renewal of what ends.

use super::{
    Document, Fallback, Status,
    create::{self, About, NewFile, Wanted, part},
    said, step,
    upload::{self, WithUpload},
};
use crate::{category::Category, place, shipped, storage};
use axum::{http::Method, routing::post};
use events::DocumentEvent;
use kernel::{DocumentId, Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Record, facts};
use web::{Answer, At, Body, Ctx, Reach, Route, Shown, noun::View, route};

pub fn routes() -> Vec<Route> {
    let at = |command: &str| format!("/v1/documents/{{id}}/{command}");
    let refusals = &["file-too-large", "type-not-allowed", "limit-storage", "signature-open"];
    vec![
        route(Method::POST, at("versions"), "document.create", "document.add_version", post(add))
            .takes::<NewFile>()
            .gives::<View<'static, Document>>(201)
            .trips(3)
            .refuses(refusals)
            .says("Another file for a document that waits or was rejected; the old one is kept"),
        route(Method::POST, at("correct"), "document.edit", "document.correct", post(correct))
            .takes::<Correction>()
            .gives::<View<'static, Document>>(201)
            .trips(3)
            .refuses(refusals)
            .says("A verified document's file was wrong: another one, which has to be verified again"),
        route(Method::POST, at("renew"), "document.renew", "document.renew", post(renew))
            .takes::<Renewal>()
            .gives::<View<'static, Document>>(201)
            .trips(6)
            .refuses(&["renewal-exists", "signature-open", "file-too-large", "type-not-allowed"])
            .says(
                "The next document in the place of one that ends; the old one holds until this is verified",
            ),
    ]
}

async fn add(ctx: Ctx, At(id): At<DocumentId>, Body(file): Body<NewFile>) -> Answer {
    let old = ctx.change::<Document>(id).await?;
    let uploader = [&old.body.uploaded_by, &old.body.file.uploaded_by].contains(&&ctx.actor().user);
    if !uploader && ctx.may("document.edit") < Reach::All {
        return Err(Error::forbidden("not-uploader", "the uploader sends the next version").into());
    }
    next_version(&ctx, old, "add_version", &file, None).await
}

#[derive(Deserialize, JsonSchema)]
struct Correction {
    #[serde(flatten)]
    file: NewFile,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn correct(ctx: Ctx, At(id): At<DocumentId>, Body(body): Body<Correction>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = ctx.change::<Document>(id).await?;
    next_version(&ctx, old, "correct", &body.file, Some(reason)).await
}

async fn next_version(
    ctx: &Ctx,
    old: Record<Document>,
    command: &'static str,
    file: &NewFile,
    reason: Option<String>,
) -> Answer {
    let to = step(command, old.body.status)?;
    old.body.not_in_signing()?;
    if old.body.signed {
        return Err(signed().into());
    }
    let category = shipped::find::<Category>(ctx.store(), old.body.category).await?.body;
    let mut new = old.next(ctx.now());
    let d = &mut new.body;
    let before = Fallback { status: old.body.status, file: Box::new(old.body.file.clone()) };
    d.file = create::version(ctx, old.body.file.n + 1, file, &category)?;
    (d.status, d.current, d.stage) = (to, d.file.n, None);
    (d.fallback, d.upload_check) = (Some(before), Some(ctx.now() + create::FIRST_LOOK));
    let upload = upload::begin(ctx, new.id, &mut new.body.file).await?;
    let commit = ctx.commit().because(reason).update(command, &old, &new);
    let commit = if old.body.status == Status::Verified {
        commit.emit(DocumentEvent::Unverified(said(&new))).drop_fact(facts::DOCUMENT, new.id)
    } else {
        commit
    };
    let commit = commit.put(&part(new.id, new.body.file.n), &new.body.file);
    let commit = storage::take(commit, new.id, new.body.file.size);
    let shown = Shown::record_with(ctx, 201, &new, &WithUpload { upload })?;
    storage::settle(ctx, commit, shown).await
}

pub fn signed() -> Error {
    Error::conflict("signed", "this document is part of a signed set and stays as it was signed")
}

#[derive(Clone, Deserialize, JsonSchema)]
struct Renewal {
    #[schemars(length(min = 1, max = 200))]
    title: Option<Sealed<String>>,
    #[serde(flatten)]
    file: NewFile,
    #[serde(flatten)]
    about: About,
}

async fn renew(ctx: Ctx, At(id): At<DocumentId>, Body(body): Body<Renewal>) -> Answer {
    web::again(ctx.store(), || renewed(&ctx, id, body.clone())).await
}

async fn renewed(ctx: &Ctx, id: DocumentId, body: Renewal) -> Answer {
    let old = ctx.change::<Document>(id).await?;
    step("renew", old.body.status)?;
    old.body.not_in_signing()?;
    free(ctx, &old).await?;
    let category = shipped::find::<Category>(ctx.store(), old.body.category).await?;
    let file = create::version(ctx, 1, &body.file, &category.body)?;
    let mut made = create::record(ctx, prefilled(&old.body, category, file, body))?;
    made.body.replaces = Some(id);
    let upload = upload::begin(ctx, made.id, &mut made.body.file).await?;
    let mut before = old.next(ctx.now());
    before.body.renewal = Some(made.id);
    let commit = create::commit(ctx, &mut made).await?;
    let event = DocumentEvent::RenewalStarted { document: said(&old), renewal: made.id };
    let commit = commit.update("renew", &old, &before).emit(event);
    let shown = Shown::record_with(ctx, 201, &made, &WithUpload { upload })?;
    storage::settle(ctx, commit, shown).await
}

/// One renewal at a time: one that was given up, refused or deleted leaves its place.
async fn free(ctx: &Ctx, old: &Record<Document>) -> Result<()> {
    let Some(id) = old.body.renewal else { return Ok(()) };
    let open = place::live::<Document>(ctx, id).await?;
    match open.filter(|d| d.body.status != Status::Refused) {
        None => Ok(()),
        Some(open) => {
            let detail = "its renewal has begun already: add a version to that document";
            Err(Error::conflict("renewal-exists", detail).with("renewal", open.id))
        }
    }
}

/// As the old one; what is said anew stands in its place.
fn prefilled(old: &Document, category: Record<Category>, file: super::FileVersion, new: Renewal) -> Wanted {
    let Renewal { title, about, .. } = new;
    Wanted {
        title: title.unwrap_or_else(|| old.title.clone()),
        category,
        file,
        about: About {
            number: about.number.or_else(|| old.number.clone()),
            issuer: about.issuer.or_else(|| old.issuer.clone()),
            description: about.description.or_else(|| old.description.clone()),
            tags: if about.tags.is_empty() { old.tags.clone() } else { about.tags },
            metadata: if about.metadata.is_empty() { old.metadata.clone() } else { about.metadata },
            ..about
        },
        subject: old.subject.clone(),
        links: old.links.clone(),
        site: old.site,
        confidentiality: Some(old.confidentiality),
        source: super::Source::Upload,
    }
}
