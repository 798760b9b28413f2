//! Routes of contracts.

use super::{Contract, Status};
use crate::place;
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use jiff::civil::Date;
use kernel::{EapContractId, Error};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use web::{
    Answer, At, Body, Ctx, Route, Shown,
    noun::{self, Paths, View},
    route,
};

const PATH: &str = "/v1/eap/contracts";

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("eap_contract.view", "eap_contract.edit");
    let crud = noun::crud::<Contract>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    let mut routes = place::capitals::<Contract>(place::of_client::<Contract>(crud));
    routes.extend(noun::steps::<Contract>(PATH));
    let ours = |r: Route| match r.operation.as_str() {
        "eap_contract.create" => r.trips(3).refuses(&["unknown-client", "unknown-service"]),
        "eap_contract.update" | "eap_contract.replace" => r.trips(4).refuses(&["contract-overlap", "fixed"]),
        "eap_contract.activate" => {
            r.trips(5).refuses(&["contract-overlap", "client-inactive"]).approvable("eap_contract.activate")
        }
        "eap_contract.suspend" | "eap_contract.resume" => r.trips(3),
        "eap_contract.show" => r.handled_by(get(show)).trips(2),
        _ => r,
    };
    let mut routes: Vec<Route> = routes.into_iter().map(ours).collect();
    let path = format!("{PATH}/{{id}}/terminate");
    routes.push(
        route(Method::POST, path, edit, "eap_contract.terminate", post(terminate))
            .takes::<Ending>()
            .gives::<View<'static, Contract>>(200)
            .trips(3)
            .says("Ends a contract today or on a later day, with a reason; the last bill covers the days until then"),
    );
    routes
}

/// With whether it is active today, where the client is.
async fn show(ctx: Ctx, At(id): At<EapContractId>, query: RawQuery) -> Answer {
    if query.0.is_some() {
        if place::is_outside(&ctx) {
            return Err(Error::forbidden("forbidden", "your role sees the record as it is").into());
        }
        return noun::show::<Contract>(ctx, At(id), query).await;
    }
    let record = place::seen(&ctx, ctx.get::<Contract>(id).await?);
    let active = record.body.is_active(record.body.today(ctx.now()));
    Ok(Shown::record_with(&ctx, 200, &record, &json!({"is_active": active}))?.respond())
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EapContractEnding")]
struct Ending {
    /// The last day; today where none is given.
    effective: Option<Date>,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn terminate(ctx: Ctx, At(id): At<EapContractId>, Body(said): Body<Ending>) -> Answer {
    let reason = ctx.needs_reason(said.reason.as_deref())?;
    let old = ctx.change::<Contract>(id).await?;
    if !matches!(old.body.status, Status::Draft | Status::Active | Status::Suspended) {
        return Err(Error::State { command: "terminate", state: old.body.status.to_string() }.into());
    }
    let today = old.body.today(ctx.now());
    let effective = said.effective.unwrap_or(today);
    if effective < today || effective > old.body.end_date.max(today) {
        return Err(Error::field("range", "/effective", "from today to the contract's last day").into());
    }
    let mut new = old.next(ctx.now());
    let c = &mut new.body;
    (c.auto_renew, c.terminating) = (false, true);
    if c.status == Status::Draft || effective < c.start_date {
        // It never began: nothing of it is billed.
        (c.status, c.billed_to) = (Status::Terminated, Some(c.end_date));
    } else {
        c.end_date = effective.min(c.end_date);
        c.renewal_date = c.renewal_date.map(|day| day.min(effective));
        if effective == today {
            c.status = Status::Terminated;
        }
    }
    c.follow_bills();
    let commit = noun::commit_of(&ctx, "terminate", Some(&old), &mut new, Some(reason)).await?;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}
