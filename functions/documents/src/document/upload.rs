//! A new link for bytes that are awaited, and "they are there" of a client who does not want to wait.

use super::{
    Document, FileState,
    create::{self, WithUpload},
    receive::{Arrival, receive},
    step,
};
use axum::{http::Method, routing::post};
use kernel::{DocumentId, Error};
use web::{Answer, At, Ctx, Route, Shown, noun::View, route};

pub fn routes() -> Vec<Route> {
    vec![
        route(
            Method::POST,
            "/v1/documents/{id}/upload_url",
            "document.create",
            "document.upload_url",
            post(upload_url),
        )
        .gives::<View<'static, Document>>(200)
        .trips(2)
        .says("A new link for the bytes that are awaited"),
        route(
            Method::POST,
            "/v1/documents/{id}/complete",
            "document.create",
            "document.complete",
            post(complete),
        )
        .gives::<View<'static, Document>>(200)
        .trips(4)
        .refuses(&["not-uploaded"])
        .says("Looks at once at the bytes that were uploaded; the storage tells of them too"),
    ]
}

async fn upload_url(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    let record = ctx.change::<Document>(id).await?;
    step("upload_url", record.body.status)?;
    let upload = create::link(&ctx, id, &record.body.file).await?;
    Ok(Shown::record_with(&ctx, 200, &record, &WithUpload { upload })?.respond())
}

async fn complete(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    let record = ctx.change::<Document>(id).await?;
    if record.body.file.state == FileState::Awaiting
        && receive(&ctx, id, record.body.file.n).await? == Arrival::Nothing
    {
        let detail = "nothing has arrived yet: PUT the bytes to the upload link first";
        return Err(Error::conflict("not-uploaded", detail).into());
    }
    let record = ctx.change::<Document>(id).await?;
    Ok(ctx.shown(200, &record)?.respond())
}
