//! Reading the timeline.

use super::{Moment, key};
use crate::chart;
use authz::Only;
use axum::{http::Method, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use futures::future::try_join_all;
use jiff::Timestamp;
use kernel::{Error, PatientId, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use web::{Answer, At, Ctx, Query, Route, noun::Pages, route};

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// `visit`, `appointment`, `note`, …
    #[schemars(length(min = 1, max = 40))]
    #[serde(rename = "type")]
    kind: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(min = 1, max = 1000))]
    cursor: Option<String>,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/patients/{id}/timeline", "timeline.view", "timeline.list", get(list))
            .asks::<Asked>()
            .gives::<Pages<Moment>>(200)
            .trips(1)
            .says("What has happened with a patient, newest first"),
    ]
}

async fn list(ctx: Ctx, At(id): At<PatientId>, Query(asked): Query<Asked>) -> Answer {
    let span = span(&ctx, id, &asked)?;
    let limit = asked.limit.unwrap_or(25);
    let own = [id];
    let (patient, first) = futures::join!(chart::patient(&ctx, id), read(&ctx, &own, &span, limit));
    let (patient, mut all) = (patient?, first?);
    // A merged record shows its survivor's timeline, and a survivor those of the records merged into it.
    let others: Vec<PatientId> = patient.body.ids(patient.id).into_iter().filter(|p| *p != id).collect();
    if !others.is_empty() {
        all.extend(read(&ctx, &others, &span, limit).await?);
        all.sort_by(|a, b| b.0.cmp(&a.0));
        all.truncate(usize::try_from(limit).unwrap_or_default());
    }
    let full = all.len() == usize::try_from(limit).unwrap_or_default();
    let next = all
        .last()
        .filter(|_| full)
        .map(|(place, _)| BASE64.encode(ctx.store().seal(&sealed(id), place.clone().into_bytes())));
    let data = all.into_iter().map(|(_, moment)| seen(&ctx, moment)).collect();
    web::ok(&Pages { data, next })
}

struct Span {
    from: String,
    before: String,
    kind: Option<String>,
}

fn span(ctx: &Ctx, id: PatientId, asked: &Asked) -> Result<Span> {
    let from = asked.from.map(store::stamp).unwrap_or_default();
    // `~` sorts behind every entry of its moment.
    let to = asked.to.map(|to| format!("{}~", store::stamp(to))).unwrap_or_default();
    let before = match &asked.cursor {
        None => to,
        Some(cursor) => opened(ctx, id, cursor)?,
    };
    Ok(Span { from, before, kind: asked.kind.clone() })
}

fn opened(ctx: &Ctx, id: PatientId, cursor: &str) -> Result<String> {
    let wrong = || Error::invalid("?cursor", "cursor", "this cursor is not valid here; start the list again");
    let bytes = BASE64.decode(cursor).map_err(|_| wrong())?;
    let place = ctx.store().unseal(&sealed(id), &bytes).map_err(|_| wrong())?;
    String::from_utf8(place).map_err(|_| wrong())
}

fn sealed(id: PatientId) -> String {
    format!("timeline|{id}")
}

async fn read(ctx: &Ctx, ids: &[PatientId], span: &Span, limit: i32) -> Result<Vec<(String, Moment)>> {
    let parts = try_join_all(ids.iter().map(|id| one(ctx, *id, span, limit))).await?;
    let mut all: Vec<(String, Moment)> = parts.into_iter().flatten().collect();
    all.sort_by(|a, b| b.0.cmp(&a.0));
    all.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(all)
}

/// Pages that are read to fill one of a single type.
const PAGES: usize = 10;

async fn one(ctx: &Ctx, id: PatientId, span: &Span, limit: i32) -> Result<Vec<(String, Moment)>> {
    let wanted = usize::try_from(limit).unwrap_or_default();
    let (mut all, mut before) = (vec![], span.before.clone());
    let page = if span.kind.is_some() { 100 } else { limit };
    for _ in 0..PAGES {
        let found: Vec<(String, Moment)> =
            ctx.store().latest(&key(id, "."), &span.from, &before, page).await?;
        let last = found.last().map(|(place, _)| place.clone());
        let whole = found.len() == usize::try_from(page).unwrap_or_default();
        all.extend(found.into_iter().filter(|(_, m)| span.kind.as_ref().is_none_or(|k| *k == m.kind)));
        match last.filter(|_| whole && all.len() < wanted) {
            Some(place) => before = place,
            None => break,
        }
    }
    all.truncate(wanted);
    Ok(all)
}

/// The desk sees that something was, not what.
fn seen(ctx: &Ctx, moment: Moment) -> Moment {
    match ctx.only() {
        Some(Only::Headings) => Moment { practitioner: None, codes: vec![], ..moment },
        _ => moment,
    }
}
