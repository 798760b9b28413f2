//! What handlers extract: ids, checked bodies, checked queries, and the demands of the headers.

use crate::{Anyone, Ctx, Refused, check};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, header, request::Parts},
};
use kernel::{ContextId, Error, Fault, Id, Kind, Result, error::faultless};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Headers that shape a change.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    pub if_match: Option<u64>,
    pub once: Option<String>,
    pub reason: Option<String>,
    pub break_glass: Option<String>,
    pub tenant_context: Option<ContextId>,
}

impl Demands {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self> {
        let mut faults = vec![];
        let mut text = |name: &'static str, most: usize| -> Option<String> {
            let value = headers.get(name)?;
            if headers.get_all(name).iter().count() > 1 {
                faults.push(Fault::new(name, "repeated", "give it once"));
                return None;
            }
            match value.to_str() {
                Ok(v) if (1..=most).contains(&v.trim().len()) => Some(v.trim().to_string()),
                Ok(_) => {
                    faults.push(Fault::new(name, "length", format!("1 to {most} characters")));
                    None
                }
                Err(_) => match String::from_utf8(value.as_bytes().to_vec()) {
                    Ok(v) if v.len() <= most && check::hostile(&v).is_none() => Some(v),
                    _ => {
                        faults.push(Fault::new(name, "format", "printable text in UTF-8"));
                        None
                    }
                },
            }
        };
        let if_match = text("if-match", 40);
        let once = text("idempotency-key", 255);
        let reason = text("x-reason", 2000);
        let break_glass = text("x-break-glass", 40);
        let tenant_context = text("x-tenant-context", 40);
        // `*` is any version there is, which every change demands by itself.
        let if_match = if_match.filter(|v| v != "*").and_then(|v| {
            let version = v.trim_start_matches("W/").trim_matches('"').parse().ok();
            if version.is_none() {
                faults.push(Fault::new(
                    "if-match",
                    "format",
                    "expected the ETag of the record, such as \"7\"",
                ));
            }
            version
        });
        let tenant_context = tenant_context.and_then(|v| {
            let id = v.parse().ok();
            if id.is_none() {
                faults.push(Fault::new("x-tenant-context", "format", "expected opx_<ulid>"));
            }
            id
        });
        faultless(faults)?;
        Ok(Self { if_match, once, reason, break_glass, tenant_context })
    }
}

/// The id in the path. An id of another form names nothing: 404.
pub struct At<I>(pub I);

impl<I: Id, S: Sync + Send> FromRequestParts<S> for At<I> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match &words(parts, state).await?[..] {
            [one] => Ok(At(one.parse()?)),
            _ => Err(Error::Missing.into()),
        }
    }
}

/// The id in the path, and the number of one of its versions.
pub struct AtVersion<I>(pub I, pub u64);

impl<I: Id, S: Sync + Send> FromRequestParts<S> for AtVersion<I> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match &words(parts, state).await?[..] {
            [one, version] => match version.parse() {
                Ok(version @ 1..=999_999_999) => Ok(AtVersion(one.parse()?, version)),
                _ => Err(Error::Missing.into()),
            },
            _ => Err(Error::Missing.into()),
        }
    }
}

/// Two ids in the path, the record's and its part's.
pub struct Within<A, B>(pub A, pub B);

impl<A: Id, B: Id, S: Sync + Send> FromRequestParts<S> for Within<A, B> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match &words(parts, state).await?[..] {
            [a, b] => Ok(Within(a.parse()?, b.parse()?)),
            _ => Err(Error::Missing.into()),
        }
    }
}

/// A part of a record in the path, and one of its versions.
pub struct PartVersion<A, B>(pub A, pub B, pub u64);

impl<A: Id, B: Id, S: Sync + Send> FromRequestParts<S> for PartVersion<A, B> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match &words(parts, state).await?[..] {
            [a, b, version] => match version.parse() {
                Ok(version @ 1..=999_999_999) => Ok(PartVersion(a.parse()?, b.parse()?, version)),
                _ => Err(Error::Missing.into()),
            },
            _ => Err(Error::Missing.into()),
        }
    }
}

/// A word in the path that is no id: a slug, a section, a token.
pub struct Named(pub String);

impl<S: Sync + Send> FromRequestParts<S> for Named {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match &words(parts, state).await?[..] {
            [one] if one.len() <= 300 && check::hostile(one).is_none() => Ok(Named(one.clone())),
            _ => Err(Error::Missing.into()),
        }
    }
}

async fn words<S: Sync + Send>(parts: &mut Parts, state: &S) -> Result<Vec<String>> {
    let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
    let Path(segments) = path.map_err(|_| Error::Missing)?;
    Ok(segments.into_iter().map(|(_, v)| v).collect())
}

/// A JSON body, every fault of it reported at once.
pub struct Body<T>(pub T);

impl<T: JsonSchema + DeserializeOwned + 'static, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let value = Raw::from_request(request, state).await?.0;
        Ok(Body(check::read(&value)?))
    }
}

/// A JSON body as it came; for merge patches, which are checked against what they change.
pub struct Raw(pub Value);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Refused;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        json_media(request.headers())?;
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Error::invalid("", "body", "the body could not be read"))?;
        if bytes.is_empty() {
            return Ok(Raw(Value::Object(Default::default())));
        }
        Ok(Raw(check::json(&bytes)?))
    }
}

fn json_media(headers: &HeaderMap) -> Result<()> {
    let Some(media) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let media =
        media.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/json" || (media.starts_with("application/") && media.ends_with("+json")) {
        return Ok(());
    }
    Err(Error::refuse(Kind::MediaType, "media-type", "send application/json"))
}

/// Query parameters, checked like a body; unknown names are refused.
pub struct Query<T>(pub T);

impl<T: JsonSchema + DeserializeOwned + 'static, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Ok(Query(check::query(parts.uri.query().unwrap_or_default())?))
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts
            .extensions
            .get::<Ctx>()
            .cloned()
            .ok_or(Refused(Error::stranger("not-signed-in", "sign in first")))
    }
}

impl<S: Sync> FromRequestParts<S> for Anyone {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let anyone = parts.extensions.get::<Anyone>().cloned();
        anyone.ok_or(Refused(Error::internal("a public handler on a route that is not public")))
    }
}
