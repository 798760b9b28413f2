//! The API's documentation: an interactive page and the document it shows. Everything comes from this binary,
//! nothing from the network; only the function that mounts [`routes`] carries it.

use crate::{Answer, Door, Named, Route, route};
use axum::{
    body::Body,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
    routing::get,
};
use kernel::Error;

/// What the page may do: its own scripts, requests to its own API. The browser inside sets styles on elements,
/// which no hash can cover.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long a browser keeps any of it.
const KEPT: &str = "public, max-age=300";

const PAGE: &str = include_str!("../assets/docs.html");

/// Name, media type, bytes. RapiDoc 9.3.8, see `assets/README.md`.
const FILES: [(&str, &str, &str); 3] = [
    ("docs.css", "text/css; charset=utf-8", include_str!("../assets/docs.css")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("../assets/docs.js")),
    ("rapidoc-min.js", "text/javascript; charset=utf-8", include_str!("../assets/rapidoc-min.js")),
];

/// `/docs`, its files, and `/v1/openapi.json`, which answers `openapi`. All of them public.
pub fn routes(openapi: &'static str) -> Vec<Route> {
    let document = move || async move { json(openapi) };
    vec![
        route(Method::GET, "/docs", Door::Public, "docs.page", get(page))
            .trips(0)
            .says("This documentation, interactive."),
        route(Method::GET, "/docs/{file}", Door::Public, "docs.file", get(part))
            .trips(0)
            .says("A file of the documentation's page."),
        route(Method::GET, "/v1/openapi.json", Door::Public, "docs.document", get(document))
            .trips(0)
            .says("This document."),
    ]
}

async fn page() -> Response {
    let mut response = file("text/html; charset=utf-8", PAGE);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The document is kept with a line per member, for those who review its changes; it is sent without.
fn json(document: &str) -> Response {
    let (mut quoted, mut escaped) = (false, false);
    let dense: String = document
        .chars()
        .filter(|c| {
            let kept = quoted || !c.is_ascii_whitespace();
            quoted ^= *c == '"' && !escaped;
            escaped = quoted && *c == '\\' && !escaped;
            kept
        })
        .collect();
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, KEPT)];
    (headers, dense).into_response()
}

async fn part(Named(name): Named) -> Answer {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, media, text) = found.ok_or(Error::Missing)?;
    Ok(file(media, text))
}

/// Text, so that no gateway needs to be told which media types are binary; the gateway compresses it.
fn file(media: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, KEPT)];
    (headers, Body::from(text)).into_response()
}
