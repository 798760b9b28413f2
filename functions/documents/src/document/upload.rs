//! How bytes come: by one link, or by one for each part of a large file. A new link for what is awaited, and "they are
//! there" of a client: the parts are joined then, and looked at.

use super::{
    Document, FileState, FileVersion, Pieces,
    create::{NewFile, file_of},
    receive::{Arrival, receive},
    step,
};
use axum::{http::Method, routing::post};
use jiff::SignedDuration;
use kernel::{DocumentId, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use web::{
    Answer, At, Body, Ctx, Queue, Route, Shown,
    files::{Arrived, Link, Piece, Upload},
    noun::View,
    route,
};

/// Minutes that an upload link lives.
const LINK: SignedDuration = SignedDuration::from_mins(15);
/// The same of links to parts, of which there are many.
const LINKS: SignedDuration = SignedDuration::from_mins(45);
/// Bytes that one link takes.
const ONE_LINK: u64 = 100 << 20;
/// Bytes of a part; the last one has the rest.
const PART: u64 = 64 << 20;

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
        .says("A new link for the bytes that are awaited, or one for each of their parts"),
        route(
            Method::POST,
            "/v1/documents/{id}/complete",
            "document.create",
            "document.complete",
            post(complete),
        )
        .takes::<Complete>()
        .gives::<View<'static, Document>>(200)
        .trips(4)
        .refuses(&["not-uploaded", "parts-needed"])
        .says("Looks at once at the bytes that were uploaded; joins those that came in parts"),
    ]
}

/// Where the bytes go.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Uploads {
    Whole(Link),
    Parts { parts: Vec<PartLink> },
}

#[derive(Clone, Serialize)]
pub struct PartLink {
    n: u16,
    /// Bytes.
    size: u64,
    #[serde(flatten)]
    link: Link,
}

#[derive(Serialize)]
pub struct WithUpload {
    pub upload: Uploads,
}

/// The parts that a file comes in; none if one link takes it. 422 if their digests are not what its size asks for.
pub fn pieces(new: &NewFile) -> Result<Option<Pieces>> {
    let wanted = if new.size > ONE_LINK { new.size.div_ceil(PART) } else { 0 };
    if new.part_sha256.len() as u64 != wanted {
        let detail = match wanted {
            0 => "files of up to 100 MB come whole".to_string(),
            n => format!("over 100 MB a file comes in parts: send the SHA-256 of each 64 MB, {n} in all"),
        };
        return Err(Error::field("parts-needed", "/part_sha256", detail));
    }
    let sha256 = new.part_sha256.clone();
    Ok((wanted > 0).then(|| Pieces { upload: String::new(), size: PART, sha256 }))
}

/// The place for a new version's bytes, with its links.
pub async fn begin(ctx: &Ctx, id: DocumentId, file: &mut FileVersion) -> Result<Uploads> {
    let place = file_of(ctx, id, file);
    if let Some(pieces) = &mut file.pieces {
        pieces.upload = ctx.app().files().begin(&place, &file.content_type).await?;
    }
    links(ctx, id, file).await
}

async fn links(ctx: &Ctx, id: DocumentId, file: &FileVersion) -> Result<Uploads> {
    let (files, place) = (ctx.app().files(), file_of(ctx, id, file));
    let Some(pieces) = &file.pieces else {
        let (sha256, content_type) = (file.sha256.clone(), file.content_type.clone());
        let upload = Upload { size: file.size, sha256, content_type };
        return Ok(Uploads::Whole(files.upload(&place, &upload, LINK).await?));
    };
    let mut parts = vec![];
    for (n, sha256) in (1..).zip(&pieces.sha256) {
        let size = pieces.size.min(file.size - u64::from(n - 1) * pieces.size);
        let piece = Piece { n, size, sha256: sha256.clone() };
        let link = files.piece(&place, &pieces.upload, &piece, LINKS).await?;
        parts.push(PartLink { n, size, link });
    }
    Ok(Uploads::Parts { parts })
}

async fn upload_url(ctx: Ctx, At(id): At<DocumentId>) -> Answer {
    let record = ctx.change::<Document>(id).await?;
    step("upload_url", record.body.status)?;
    let upload = links(&ctx, id, &record.body.file).await?;
    Ok(Shown::record_with(&ctx, 200, &record, &WithUpload { upload })?.respond())
}

#[derive(Deserialize, JsonSchema)]
struct Complete {
    /// Of a file that came in parts: all of them.
    #[schemars(length(max = 40))]
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize, JsonSchema)]
struct Part {
    #[schemars(range(min = 1, max = 40))]
    n: u16,
    /// As the storage gave it for the part.
    #[schemars(length(min = 1, max = 100))]
    etag: String,
}

async fn complete(ctx: Ctx, At(id): At<DocumentId>, Body(body): Body<Complete>) -> Answer {
    let record = ctx.change::<Document>(id).await?;
    let file = &record.body.file;
    if file.state != FileState::Awaiting {
        return Ok(ctx.shown(200, &record)?.respond());
    }
    if let Some(pieces) = &file.pieces {
        join(&ctx, id, file, pieces, &body.parts).await?;
        return Ok(ctx.shown(200, &record)?.respond());
    }
    if receive(&ctx, id, file.n).await? == Arrival::Nothing {
        let detail = "nothing has arrived yet: PUT the bytes to the upload link first";
        return Err(Error::conflict("not-uploaded", detail).into());
    }
    let record = ctx.change::<Document>(id).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

/// Makes one file of the parts. Looking at it means reading it all, which takes longer than a caller waits: it is done
/// by message, as when the storage tells of it.
async fn join(ctx: &Ctx, id: DocumentId, file: &FileVersion, pieces: &Pieces, parts: &[Part]) -> Result<()> {
    let given = parts.iter().map(|p| p.n).eq((1..).take(pieces.sha256.len()));
    if !given {
        let detail = format!("name the parts 1 to {} with their marks", pieces.sha256.len());
        return Err(Error::field("parts-needed", "/parts", detail));
    }
    let arrived = |(part, sha256): (&Part, &String)| Arrived {
        n: part.n,
        etag: part.etag.clone(),
        sha256: sha256.clone(),
    };
    let arrived: Vec<Arrived> = parts.iter().zip(&pieces.sha256).map(arrived).collect();
    let place = file_of(ctx, id, file);
    if !ctx.app().files().join(&place, &pieces.upload, &arrived).await? {
        let detail = "not every part has arrived, or a mark is another part's: PUT each to its link first";
        return Err(Error::conflict("not-uploaded", detail));
    }
    let message = json!({"type": "file.stored", "key": place.key()});
    ctx.app().post().send(Queue::Documents, message.to_string()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::Sealed;

    #[test]
    fn a_large_file_comes_in_parts_of_64_mb_and_a_small_one_whole() {
        let count = |size: u64, given: usize| {
            let new = NewFile {
                file_name: Sealed("x.mp4".into()),
                content_type: "video/mp4".into(),
                size,
                sha256: "0".repeat(64),
                part_sha256: vec!["0".repeat(64); given],
                note: None,
            };
            pieces(&new).map(|p| p.map_or(0, |p| p.sha256.len())).map_err(|e| e.code())
        };
        assert_eq!(count(ONE_LINK, 0), Ok(0));
        assert_eq!(count(ONE_LINK, 2), Err("parts-needed"));
        assert_eq!(count(ONE_LINK + 1, 0), Err("parts-needed"));
        assert_eq!(count(ONE_LINK + 1, 2), Ok(2));
        assert_eq!(count(2 << 30, 32), Ok(32));
        assert_eq!(count((2 << 30) + 1, 33), Ok(33));
    }
}
