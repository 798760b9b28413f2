//! Making and revoking.

use super::{Passcode, Secret, Share, Status, place};
use crate::{
    document::{Document, FileState, Status as Doc, content},
    place as shared, token,
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::{DocumentEvent, documents::Share as Said};
use jiff::{SignedDuration, Timestamp};
use kernel::{DocumentId, Error, ShareId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Entity, Record, Wanted};
use web::{
    Answer, App, At, Body, Ctx, Noun, Route, Shown, Task,
    noun::{self, Pages, View},
    ok, route,
};

const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::POST, "/v1/documents/{id}/shares", "share.create", "share.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Share>>(201)
            .trips(2)
            .refuses(&["not-shareable"])
            .says("A link for somebody without a login; its token is shown this once"),
        route(Method::GET, "/v1/documents/{id}/shares", "share.create", "share.list", get(list))
            .gives::<Pages<View<'static, Share>>>(200)
            .trips(2)
            .says("The links to a document"),
        route(Method::POST, "/v1/documents/shares/{id}/revoke", "share.revoke", "share.revoke", post(revoke))
            .gives::<View<'static, Share>>(200)
            .trips(2)
            .says("active → revoked: from this moment on the link opens nothing"),
    ];
    routes.extend(noun::reading::<Share>("/v1/documents/shares", "share.create"));
    routes
}

#[derive(Deserialize, JsonSchema)]
struct New {
    #[schemars(length(min = 1, max = 500))]
    purpose: Sealed<String>,
    #[schemars(length(min = 1, max = 200))]
    recipient: Option<Sealed<String>>,
    /// At most 30 days from now; 7 if not said.
    expires_at: Option<Timestamp>,
    #[schemars(range(min = 1, max = 100))]
    max_downloads: Option<u32>,
    #[schemars(length(min = 6, max = 100))]
    passcode: Option<Sealed<String>>,
    /// A certain version; whichever is in force, if not said.
    #[schemars(range(min = 1))]
    document_version: Option<u32>,
}

#[derive(Serialize)]
struct Once {
    token: String,
    url: String,
}

pub fn said(record: &Record<Share>) -> Said {
    Said { share: record.id, document: record.body.document }
}

async fn create(ctx: Ctx, At(id): At<DocumentId>, Body(new): Body<New>) -> Answer {
    let document = ctx.change::<Document>(id).await?;
    let file = content::version(&ctx, &document, new.document_version).await?;
    let ready = matches!(document.body.status, Doc::Verified | Doc::Expired | Doc::Renewed);
    if !ready || file.state != FileState::Received {
        return Err(Error::conflict("not-shareable", "only what was received and verified is shared").into());
    }
    let expires_at = new.expires_at.unwrap_or(ctx.now() + LIFE);
    if expires_at <= ctx.now() || expires_at > ctx.now() + LONGEST {
        return Err(
            Error::field("expires-at", "/expires_at", "from now on, and at most 30 days ahead").into()
        );
    }
    let secret = token::secret()?;
    let passcode = new.passcode.as_ref().map(|code| Passcode::of(code)).transpose()?;
    let body = Share {
        document: id,
        document_version: new.document_version,
        purpose: new.purpose,
        recipient: new.recipient,
        expires_at,
        max_downloads: new.max_downloads.unwrap_or(5),
        downloads: 0,
        passcode: passcode.is_some(),
        status: Status::Active,
        shared_by: ctx.actor().user.clone(),
        revoked_at: None,
        revoked_by: None,
        last_at: None,
    };
    let record = Record::new(ctx.now(), body);
    let kept = Secret { token_hash: token::hash(&secret), passcode, lock: Default::default() };
    let commit = ctx.commit().create(&record).emit(DocumentEvent::ShareCreated(said(&record)));
    let token = token::write(ctx.scope(), record.id, 1, &secret);
    let url = format!("{}/shared/{token}", ctx.app().place().public_url);
    let shown = Shown::record_with(&ctx, 201, &record, &Once { token, url })?;
    ctx.settle(commit.put(&place(record.id), &kept), shown).await
}

async fn list(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    ctx.change::<Document>(id).await?;
    let wanted = Wanted::by(&[&id], 100);
    let page = ctx.store().list(&Share::LISTS[1], &wanted).await?;
    let mine: Vec<_> = page.data.into_iter().filter(|r| Share::within(r, ctx.reach(), ctx.actor())).collect();
    ctx.looked_at::<Share>(mine.iter().map(|r| r.id)).await?;
    let data = mine.into_iter().map(|r| View::owned(&ctx, r)).collect();
    ok(&Pages { data, next: page.next })
}

async fn revoke(ctx: Ctx, At(id): At<ShareId>) -> Answer {
    let old = ctx.change::<Share>(id).await?;
    if old.body.status == Status::Revoked {
        return Ok(ctx.shown(200, &old)?.respond());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Revoked;
    (new.body.revoked_at, new.body.revoked_by) = (Some(ctx.now()), Some(ctx.actor().user.clone()));
    let commit = ctx.commit().update("revoke", &old, &new).emit(DocumentEvent::ShareRevoked(said(&new)));
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.shr.expire", |app: App, row: Value| async move {
        let Some((ctx, found)) = shared::due::<Share>(&app, &row).await? else { return Ok(()) };
        web::again(ctx.store(), || async {
            let Some(old) = shared::live::<Share>(&ctx, found.id).await? else { return Ok(()) };
            if old.body.status != Status::Active || old.body.expires_at > ctx.now() {
                return Ok(());
            }
            let mut new = old.next(ctx.now());
            new.body.status = Status::Expired;
            ctx.store().commit().update("expire", &old, &new).run().await
        })
        .await
    })]
}
