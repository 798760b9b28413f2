//! Routes of clients.

use super::{Client, list, population, write};
use crate::place::{self, counts};
use axum::{
    http::Method,
    routing::{get, post, put},
};
use events::EapEvent;
use futures::future::try_join;
use kernel::{ClientOrgId, Error, IndustryId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Key, Record};
use web::{
    Answer, At, Body, Ctx, Route,
    noun::{self, Pages, Paths, View},
    ok, route,
};

const PATH: &str = "/v1/eap/clients";

pub fn routes() -> Vec<Route> {
    let (view, edit, verify) = ("client_org.view", "client_org.edit", "client_org.verify");
    let paths = Paths { path: PATH, view, create: "client_org.create", edit, delete: "client_org.delete" };
    let mut routes = place::capitals::<Client>(place::outward::<Client>(noun::crud::<Client>(paths)));
    routes.retain(|r| r.operation != "client_org.list");
    let at = |rest: &str| format!("{PATH}/{{id}}/{rest}");
    routes.extend(noun::steps::<Client>(PATH));
    routes.extend([
        route(Method::GET, PATH, view, "client_org.list", get(list::list))
            .asks::<list::Asked>()
            .gives::<Pages<list::Line>>(200)
            .trips(2)
            .says("A page of clients: every filter with every other, by time, name or status"),
        route(Method::GET, format!("{PATH}/summary"), view, "client_org.summary", get(summary))
            .gives::<Summary>(200)
            .trips(2)
            .says("How many clients there are, by status, verification and industry"),
        route(Method::POST, at("verify"), verify, "client_org.verify", post(verify_one))
            .takes::<Nothing>()
            .gives::<View<'static, Client>>(200)
            .trips(2)
            .says("Verifies a client; one that is verified stays as it is"),
        route(Method::POST, at("unverify"), verify, "client_org.unverify", post(unverify))
            .takes::<noun::Because>()
            .gives::<View<'static, Client>>(200)
            .trips(2)
            .says("Takes the verification back, with a reason"),
        route(Method::POST, at("join_code"), edit, "client_org.join_code", post(rotate))
            .takes::<Nothing>()
            .gives::<View<'static, Client>>(200)
            .trips(2)
            .says("A new code to register with; the old one is worth nothing from now on"),
        route(Method::GET, at("stats"), view, "client_org.stats", get(stats))
            .gives::<Stats>(200)
            .trips(1)
            .says("Contracts, employees on the list, and whether the client is verified"),
        route(Method::GET, at("population"), view, "client_org.populations", get(population::list))
            .asks::<population::Between>()
            .gives::<Pages<population::Month>>(200)
            .trips(2)
            .says("The eligible population month by month"),
        route(Method::PUT, at("population/{month}"), edit, "client_org.population", put(population::state))
            .takes::<population::Population>()
            .gives::<population::Month>(200)
            .trips(2)
            .says("States the headcount of a month, such as 2026-11"),
    ]);
    routes
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ClientOrgCommand")]
pub struct Nothing {}

async fn verify_one(ctx: Ctx, At(id): At<ClientOrgId>, _: Body<Nothing>) -> Answer {
    let old = ctx.change::<Client>(id).await?;
    if old.body.is_verified {
        return Ok(ctx.shown(200, &old)?.respond());
    }
    noun::change(ctx, "verify", old, None, |new| new.body.is_verified = true).await
}

async fn unverify(ctx: Ctx, At(id): At<ClientOrgId>, Body(said): Body<noun::Because>) -> Answer {
    let reason = ctx.needs_reason(said.reason.as_deref())?;
    let old = ctx.change::<Client>(id).await?;
    if !old.body.is_verified {
        return Err(Error::State { command: "unverify", state: "not verified".into() }.into());
    }
    noun::change(ctx, "unverify", old, Some(reason), |new| new.body.is_verified = false).await
}

async fn rotate(ctx: Ctx, At(id): At<ClientOrgId>, _: Body<Nothing>) -> Answer {
    let old = ctx.change::<Client>(id).await?;
    noun::change(ctx, "join_code", old, None, |new| new.body.join_code = write::code()).await
}

/// The four figures of the source.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClientOrgStats")]
struct Stats {
    total_contracts: i64,
    active_contracts: i64,
    /// Employees on the eligibility list.
    total_staff: i64,
    is_verified: bool,
}

async fn stats(ctx: Ctx, At(id): At<ClientOrgId>) -> Answer {
    let counts = counts(id);
    let (record, counts) = try_join(ctx.get::<Client>(id), ctx.store().read::<Value>(&counts)).await?;
    let counts = counts.unwrap_or_default();
    let count = |name: &str| counts[name].as_i64().unwrap_or_default();
    ok(&Stats {
        total_contracts: count("contracts_total"),
        active_contracts: count("contracts_active"),
        total_staff: count("staff_total"),
        is_verified: record.body.is_verified,
    })
}

/// Totals over all clients.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClientOrgSummary")]
struct Summary {
    total: i64,
    by_status: BTreeMap<String, i64>,
    verified: i64,
    by_industry: BTreeMap<IndustryId, i64>,
}

/// Where the totals lie. One item: clients come and go a few times a day.
pub fn totals() -> Key {
    Key::item("eap_totals", "clients", ".")
}

async fn summary(ctx: Ctx) -> Answer {
    if ctx.reach() != web::Reach::All {
        return Err(Error::forbidden("forbidden", "totals are for those who see every client").into());
    }
    let (counts, industries) =
        try_join(ctx.store().read::<BTreeMap<String, i64>>(&totals()), crate::industry::counts(&ctx)).await?;
    let counts = counts.unwrap_or_default();
    let of = |name: &str| counts.get(name).copied().unwrap_or_default();
    let by_status: BTreeMap<String, i64> =
        super::Status::ALL.iter().map(|s| (s.to_string(), of(s.as_str()))).collect();
    ok(&Summary {
        total: by_status.values().sum(),
        verified: of("verified"),
        by_status,
        by_industry: industries,
    })
}

/// What a change moves in the totals.
pub fn moved(old: Option<&Record<Client>>, new: &Record<Client>) -> Vec<(&'static str, i64)> {
    let mut all: BTreeMap<&'static str, i64> = BTreeMap::new();
    let mut count = |record: Option<&Record<Client>>, by: i64| {
        if let Some(record) = record.filter(|r| r.deleted_at.is_none()) {
            *all.entry(record.body.status.as_str()).or_default() += by;
            *all.entry("verified").or_default() += by * i64::from(record.body.is_verified);
        }
    };
    count(old, -1);
    count(Some(new), 1);
    all.into_iter().filter(|(_, by)| *by != 0).collect()
}

/// The event of a verification that a create or update brought with it.
pub fn said(action: &str, old: Option<&Record<Client>>, new: &Record<Client>) -> EapEvent {
    let client = new.id;
    match action {
        "create" => EapEvent::ClientCreated { client },
        "activate" => EapEvent::ClientActivated { client },
        "deactivate" => EapEvent::ClientDeactivated { client },
        "delete" => EapEvent::ClientDeleted { client },
        _ if new.body.is_verified && old.is_some_and(|o| !o.body.is_verified) => {
            EapEvent::ClientVerified { client }
        }
        _ => EapEvent::ClientUpdated { client },
    }
}
