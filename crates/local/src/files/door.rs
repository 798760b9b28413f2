//! `/local/files/…`: where links lead. Refused as S3 refuses, in its words.

use super::{Label, Shelf};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::StreamExt;
use std::{collections::BTreeMap, io::Write, path::PathBuf, sync::Arc};
use web::files::{Bucket, disposition};

/// Told of every file that arrived, with its key.
pub type Stored = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
struct Door {
    shelf: Arc<Shelf>,
    stored: Stored,
}

pub fn router(shelf: Arc<Shelf>, stored: Stored) -> Router {
    let methods = get(give).put(take).options(allow);
    Router::new().route("/local/files/{bucket}/{*key}", methods).with_state(Door { shelf, stored })
}

type Refused = (StatusCode, &'static str);

const DENIED: Refused = (StatusCode::FORBIDDEN, "SignatureDoesNotMatch");

/// What a link says, once its signature holds and its time is not over.
fn read(
    shelf: &Shelf,
    method: &str,
    bucket: &str,
    key: &str,
    query: &str,
) -> Result<(Bucket, BTreeMap<String, String>), Refused> {
    let mut said: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let given = said.remove("signature").unwrap_or_default();
    let wanted = shelf.seal(method, bucket, key, &said);
    aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), wanted.as_bytes())
        .map_err(|_| DENIED)?;
    let until: i64 = said.get("expires").and_then(|e| e.parse().ok()).unwrap_or_default();
    if shelf.clock.now().as_second() > until {
        return Err((StatusCode::FORBIDDEN, "AccessDenied"));
    }
    Ok((bucket.parse().map_err(|()| DENIED)?, said))
}

async fn give(
    State(door): State<Door>,
    Path((bucket, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    match sent(&door, &bucket, &key, request.uri().query().unwrap_or_default()).await {
        Ok(response) => open(response),
        Err(refused) => open(refusal(refused)),
    }
}

async fn sent(door: &Door, bucket: &str, key: &str, query: &str) -> Result<Response, Refused> {
    let (bucket, said) = read(&door.shelf, "GET", bucket, key, query)?;
    let found = door.shelf.label(bucket, key).map_err(|_| FAULT)?;
    let (label, path) = found.ok_or((StatusCode::NOT_FOUND, "NoSuchKey"))?;
    let bytes = tokio::fs::read(path).await.map_err(|_| FAULT)?;
    let named = |name: &str| said.get(name).cloned();
    let headers = [
        (header::CONTENT_TYPE, named("type").unwrap_or(label.content_type)),
        (header::CONTENT_DISPOSITION, disposition(&named("name").unwrap_or_default())),
        (header::ETAG, format!("\"{}\"", label.sha256)),
    ];
    Ok((headers, bytes).into_response())
}

const FAULT: Refused = (StatusCode::INTERNAL_SERVER_ERROR, "InternalError");

async fn take(
    State(door): State<Door>,
    Path((bucket, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    match taken(&door, &bucket, &key, request).await {
        Ok(None) => {
            (door.stored)(&key);
            open(StatusCode::OK.into_response())
        }
        Ok(Some(mark)) => open([(header::ETAG, mark)].into_response()),
        Err(refused) => open(refusal(refused)),
    }
}

/// The mark of a piece of an upload in parts; none of a whole file.
async fn taken(door: &Door, bucket: &str, key: &str, request: Request) -> Result<Option<String>, Refused> {
    let (bucket, said) = read(&door.shelf, "PUT", bucket, key, request.uri().query().unwrap_or_default())?;
    let named = |name: &str| said.get(name).cloned().unwrap_or_default();
    let size: u64 = named("size").parse().map_err(|_| DENIED)?;
    let label = Label { size, sha256: named("sha256"), content_type: named("type"), held: false };
    let piece = said.get("upload");
    // Both stand in the signature that S3 checks.
    let length = text(request.headers(), header::CONTENT_LENGTH).and_then(|l| l.parse::<u64>().ok());
    let typed = text(request.headers(), header::CONTENT_TYPE);
    let other_type = piece.is_none() && typed != Some(label.content_type.as_str());
    if length.is_some_and(|l| l != size) || other_type {
        return Err(DENIED);
    }
    let part = received(&door.shelf, &label, request.into_body()).await?;
    let Some(upload) = piece else {
        return door.shelf.keep(bucket, key, &label, &part).map(|()| None).map_err(|_| FAULT);
    };
    let came = door.shelf.piece_came(upload, &named("part"), &label.sha256, &part).map_err(|_| FAULT)?;
    if came {
        Ok(Some(format!("\"{}\"", label.sha256)))
    } else {
        Err((StatusCode::NOT_FOUND, "NoSuchUpload"))
    }
}

/// The body in a temporary file, if it is what the link names.
async fn received(shelf: &Shelf, label: &Label, body: Body) -> Result<PathBuf, Refused> {
    let (mut out, part) = shelf.part(std::path::Path::new("upload")).map_err(|_| FAULT)?;
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let (mut left, mut body) = (label.size, body.into_data_stream());
    let mut fits = true;
    while let Some(chunk) = body.next().await {
        let Some(chunk) = chunk.ok().filter(|c| c.len() as u64 <= left) else {
            fits = false;
            break;
        };
        left -= chunk.len() as u64;
        digest.update(&chunk);
        fits = fits && out.write_all(&chunk).is_ok();
    }
    let whole = fits && left == 0 && hex::encode(digest.finish().as_ref()) == label.sha256;
    if !whole || out.sync_all().is_err() {
        let _ = std::fs::remove_file(&part);
        return Err((StatusCode::BAD_REQUEST, "BadDigest"));
    }
    Ok(part)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// A browser may come from any page: the link is the authority.
async fn allow() -> Response {
    open(StatusCode::NO_CONTENT.into_response())
}

fn open(mut response: Response) -> Response {
    let any = header::HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, any);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, header::HeaderValue::from_static("etag"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, header::HeaderValue::from_static("GET, PUT"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

fn refusal((status, code): Refused) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}
