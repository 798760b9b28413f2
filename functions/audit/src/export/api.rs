//! Routes of exports.

use super::{Export, Format, SILENCE, Source, State};
use crate::{
    kinds::kind_of,
    search::{Range, accesses, changes},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::AuditEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{AuditExportId, Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::Record;
use web::{
    Answer, At, Body, Ctx, Route,
    files::{Link, Named},
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/audit/exports";
/// Days that one export spans.
const DAYS: i64 = 366;
/// How long a link is good.
const LINK: SignedDuration = SignedDuration::from_mins(10);

pub fn routes() -> Vec<Route> {
    let view = "audit_export.view";
    let mut routes = vec![
        route(Method::GET, PATH, view, "audit_export.list", get(noun::list::<Export>))
            .asks_shape(noun::list_shape::<Export>)
            .gives::<Pages<View<'static, Export>>>(200)
            .trips(1)
            .says("Exports, newest first"),
        route(Method::POST, PATH, "audit_export.create", "audit_export.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Export>>(202)
            .trips(1)
            .refuses(&["bad-range", "reason-required", "unsupported-filter"])
            .says("Changes or access entries of up to a year, as a file"),
        route(Method::POST, format!("{PATH}/{{id}}/download"), view, "audit_export.download", post(download))
            .gives::<Link>(200)
            .trips(1)
            .says("A link to the file, good for ten minutes"),
    ];
    routes.extend(noun::reading::<Export>(PATH, view));
    routes
}

#[derive(Deserialize, JsonSchema)]
struct New {
    source: Source,
    format: Format,
    from: Timestamp,
    to: Timestamp,
    #[schemars(length(min = 1, max = 60))]
    user: Option<String>,
    #[schemars(length(min = 1, max = 40))]
    record: Option<String>,
    #[schemars(regex(pattern = r"^[a-z]{3}\.[a-z_]{1,60}$"))]
    action: Option<String>,
    #[schemars(length(min = 1, max = 1000))]
    reason: Option<String>,
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let reason = ctx.needs_reason(new.reason.as_deref())?;
    Range::read(Some(new.from), Some(new.to), ctx.now(), DAYS)?;
    combine(&ctx, &new).await?;
    let body = Export {
        source: new.source,
        format: new.format,
        from: new.from,
        to: new.to,
        user: new.user,
        record: new.record,
        action: new.action,
        reason: Sealed(reason.clone()),
        requested_by: ctx.actor().user.clone(),
        status: State::Queued,
        rows: None,
        sha256: None,
        size: None,
        trouble: None,
        expires_at: None,
        tries: 0,
        look_at: Some(ctx.now() + SILENCE),
    };
    let record = Record::new(ctx.now(), body);
    // The export is itself a look at everything that it holds.
    ctx.looked_into("axp", vec![record.id.to_string()]).await?;
    let event = AuditEvent::ExportRequested { export: record.id };
    let commit = ctx.commit().because(Some(reason)).create(&record).emit(event);
    ctx.settle(commit, ctx.shown(202, &record)?).await
}

/// What does not go together is refused now and not by the run.
async fn combine(ctx: &Ctx, new: &New) -> Result<()> {
    let (user, record, action) = (new.user.clone(), new.record.clone(), new.action.clone());
    let refuse =
        |allowed: &str| Err(Error::field("unsupported-filter", "/source", format!("allowed: {allowed}")));
    match new.source {
        Source::Changes => {
            let asked = changes::Asked { user, record, action, ..changes::Asked::default() };
            asked.wanted(ctx).map(drop).or_else(|_| refuse(changes::ALLOWED))
        }
        Source::Access if action.is_some() => refuse("user; record"),
        Source::Access => {
            let asked = accesses::Asked { user, record, ..accesses::Asked::default() };
            asked.wanted(ctx).await.map(drop).or_else(|_| refuse("user; record"))
        }
        Source::Appearances => match (user, record.as_deref().and_then(kind_of), action) {
            (None, Some(_), None) => Ok(()),
            _ => refuse("record alone"),
        },
        Source::Proof if new.format == Format::Csv => {
            Err(Error::field("unsupported-filter", "/format", "a proof is json"))
        }
        Source::Proof => match (user, record, action) {
            (None, None, None) => Ok(()),
            _ => refuse("time alone"),
        },
    }
}

async fn download(ctx: Ctx, At(id): At<AuditExportId>) -> Answer {
    let export = ctx.get::<Export>(id).await?;
    if export.body.status != State::Ready {
        return Err(Error::State { command: "download", state: export.body.status.to_string() }.into());
    }
    ctx.looked_into("axp", vec![id.to_string()]).await?;
    let named = Named { name: export.body.name(), content_type: export.body.media().into() };
    ok(&ctx.app().files().download(&Export::file(ctx.scope(), id), &named, LINK).await?)
}
