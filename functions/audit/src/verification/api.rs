//! Routes of verifications.

use super::{Bounds, Checked, SILENCE, State, Verification, bounds, kind, record};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::AuditEvent;
use jiff::civil::Date;
use kernel::Error;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Record, chain::Finding};
use web::{
    Answer, Body, Ctx, Named, Route,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/audit/verifications";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "verification.view", "verification.list", get(noun::list::<Verification>))
            .asks_shape(noun::list_shape::<Verification>)
            .gives::<Pages<View<'static, Verification>>>(200)
            .trips(1)
            .says("Verifications, newest first"),
        route(Method::POST, PATH, "verification.create", "verification.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Verification>>(202)
            .trips(2)
            .refuses(&["bad-range", "reason-required", "unknown-record"])
            .says("Verifies a record, some days, or everything there is"),
        route(
            Method::GET,
            "/v1/audit/records/{id}/verify",
            "verification.view",
            "verification.record",
            get(at_once),
        )
        .gives::<Verdict>(200)
        .trips(4)
        .refuses(&["too-many-versions", "too-many-days"])
        .says("Verifies one record at once"),
    ];
    routes.extend(noun::reading::<Verification>(PATH, "verification.view"));
    routes
}

/// Nothing named: everything, from the first digest on.
#[derive(Deserialize, JsonSchema)]
struct New {
    #[schemars(length(min = 1, max = 40))]
    record: Option<String>,
    /// UTC days, both included.
    from: Option<Date>,
    to: Option<Date>,
    #[schemars(length(min = 1, max = 1000))]
    reason: Option<String>,
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let reason = ctx.needs_reason(new.reason.as_deref())?;
    if let Some(record) = &new.record {
        kind(record)?;
    }
    let Bounds { first, today, .. } = bounds(&ctx).await?;
    let (from, to) = (new.from.unwrap_or(first), new.to.unwrap_or(today));
    if from > to {
        return Err(Error::field("bad-range", "/to", "not before from").into());
    }
    let body = Verification {
        record: new.record,
        from,
        to,
        whole: from <= first,
        requested_by: ctx.actor().user.clone(),
        reason: Some(Sealed(reason.clone())),
        status: State::Queued,
        look_at: Some(ctx.now() + SILENCE),
        ..Verification::default()
    };
    let record = Record::new(ctx.now(), body);
    let event = AuditEvent::VerificationRequested { verification: record.id };
    let commit = ctx.commit().because(Some(reason)).create(&record).emit(event);
    ctx.settle(commit, ctx.shown(202, &record)?).await
}

#[derive(Serialize, JsonSchema)]
struct Verdict {
    record: String,
    /// `intact` or `broken`
    status: State,
    checked: Checked,
    findings: Vec<Finding>,
    first_broken: Option<Finding>,
}

async fn at_once(ctx: Ctx, Named(id): Named) -> Answer {
    let kind = crate::kinds::kind_of(&id).ok_or(Error::Missing)?;
    let first = bounds(&ctx).await?.first;
    let (checked, findings) = record::judge(&ctx, kind, &id, first).await?;
    let first_broken = findings.iter().find(|f| f.finding.is_failure()).cloned();
    let status = if first_broken.is_some() { State::Broken } else { State::Intact };
    ok(&Verdict { record: id, status, checked, findings, first_broken })
}
