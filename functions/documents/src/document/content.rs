//! Downloads: a link of a minute, named as the file was, after the access entry stands.

use super::{Document, FileState, FileVersion, Status, create};
use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use jiff::SignedDuration;
use kernel::{DocumentId, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Record;
use web::{
    Answer, At, Ctx, Query, Reach, Route,
    files::{Link, Named},
    ok, route,
};

/// Seconds that a download link lives.
pub const LIFE: SignedDuration = SignedDuration::from_secs(60);

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/documents/{id}/content", "document.view", "document.download", get(content))
            .asks::<Asked>()
            .gives::<Link>(200)
            .trips(2)
            .refuses(&["quarantined", "not-received"])
            .says("A link of one minute to a version's bytes; with redirect=true it is followed"),
        route(
            Method::GET,
            "/v1/documents/{id}/versions",
            "document.view",
            "document.versions",
            get(versions),
        )
        .gives::<Versions>(200)
        .trips(2)
        .says("Every version of a document's file"),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// The current one, if not named.
    #[schemars(range(min = 1))]
    version: Option<u32>,
    #[serde(default)]
    redirect: Option<bool>,
}

async fn content(ctx: Ctx, At(id): At<DocumentId>, Query(asked): Query<Asked>) -> Answer {
    let record = ctx.get::<Document>(id).await?;
    let file = version(&ctx, &record, asked.version).await?;
    readable(&ctx, &record, &file)?;
    let link = download(&ctx, id, &file, LIFE).await?;
    if asked.redirect == Some(true) {
        let to = HeaderValue::try_from(&link.url).map_err(Error::internal)?;
        return Ok((StatusCode::FOUND, [(header::LOCATION, to)]).into_response());
    }
    ok(&link)
}

/// A link to the bytes of a version.
pub async fn download(ctx: &Ctx, id: DocumentId, file: &FileVersion, life: SignedDuration) -> Result<Link> {
    let named = Named { name: file.file_name.0.clone(), content_type: file.content_type.clone() };
    ctx.app().files().download(&create::file_of(ctx, id, file), &named, life).await
}

/// The version asked for; the current one lies in the record itself.
pub async fn version(ctx: &Ctx, record: &Record<Document>, n: Option<u32>) -> Result<FileVersion> {
    match n {
        Some(n) if n != record.body.file.n => {
            ctx.store().read(&create::part(record.id, n)).await?.ok_or(Error::Missing)
        }
        _ => Ok(record.body.file.clone()),
    }
}

/// Received, and looked at by somebody or by who may do so.
fn readable(ctx: &Ctx, record: &Record<Document>, file: &FileVersion) -> Result<()> {
    match file.state {
        FileState::Received => {}
        FileState::Quarantined => {
            return Err(Error::conflict(
                "quarantined",
                "harmful content was found in this file; nobody can read it",
            ));
        }
        FileState::Awaiting | FileState::Refused => {
            return Err(Error::conflict("not-received", "there are no bytes of this version"));
        }
        FileState::Removed => return Err(Error::gone("removed", "the bytes of this version were removed")),
    }
    let waits =
        matches!(record.body.status, Status::Pending | Status::Rejected) && file.n == record.body.file.n;
    let may = ctx.may("document.verify") > Reach::None || file.uploaded_by == ctx.actor().user;
    if waits && !may {
        return Err(Error::conflict("not-verified", "this document waits for somebody who looks at it"));
    }
    Ok(())
}

#[derive(serde::Serialize, JsonSchema)]
struct Versions {
    data: Vec<FileVersion>,
    next: Option<String>,
}

async fn versions(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    ctx.get::<Document>(id).await?;
    let parts = ctx.store().under::<FileVersion>(&create::part(id, 1), "file#", 1000).await?;
    let data = parts.into_iter().rev().map(|(_, version)| version).collect();
    ok(&Versions { data, next: None })
}
