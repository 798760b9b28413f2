//! What is done for an organisation as a whole (EAP-7): trainings, outreach, support after an incident. Counts only:
//! nobody who came is named.

use crate::{
    charge, client,
    contract::{self, Contract},
    place::{self, OfClient, Outward},
};
use axum::{http::Method, routing::post};
use events::EapEvent;
use jiff::{Timestamp, ToSpan, civil::Date};
use kernel::{
    ClientOrgId, EapContractId, EapProviderId, Error, Fault, Lifecycle, OrgServiceId, Result, Step,
    money::Money,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, List, Record, Row, Wanted};
use web::{
    Actor, Answer, At, Body, Ctx, Noun, Reach, Route,
    noun::{self, Hooks, Paths, View, Written},
    route,
};

const PATH: &str = "/v1/eap/org_services";

kernel::words! {
    pub enum Kind {
        Training = "training", Outreach = "outreach", CriticalIncident = "critical_incident", Mediation = "mediation",
        ManagerConsult = "manager_consult",
    }
}
kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Planned = "planned", Held = "held", Cancelled = "cancelled" }
}

/// An event for a client organisation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrgService {
    pub client: ClientOrgId,
    #[schemars(length(min = 1, max = 255))]
    pub title: String,
    pub kind: Kind,
    pub starts_at: Timestamp,
    #[schemars(range(min = 5, max = 2880))]
    pub minutes: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<EapProviderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000))]
    pub invited: Option<u32>,
    /// How many came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000), extend("readOnly" = true))]
    pub attended: Option<u32>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    /// On whose bill the fee stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<EapContractId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
}

impl Entity for OrgService {
    type Id = OrgServiceId;
    const NOUN: &'static str = "org_service";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("client", &["client"], |r| {
            vec![Row::new(&[&r.body.client], &[&store::stamp(r.body.starts_at), &r.id])]
        })
        .range(),
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&store::stamp(r.body.starts_at), &r.id])]
        })
        .range(),
        List::newest(),
    ];
}

impl Lifecycle for OrgService {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] =
        &[Step::<Self>::of("cancel", "org_service.edit", &[Status::Planned], Status::Cancelled).reason()];
}

impl Noun for OrgService {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        place::near(ctx, record.body.client).await
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        if self.fee.is_some() && self.contract.is_none() {
            faults.push(Fault::new(
                "/contract",
                "required",
                "a fee stands on the bill of a contract: name it",
            ));
        }
        if self.fee.is_some_and(|fee| fee.is_negative()) {
            faults.push(Fault::new("/fee", "range", "not below zero"));
        }
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = noun::possible(record, ctx);
        if record.body.status == Status::Planned && ctx.may("org_service.edit") > Reach::None {
            actions.push("hold");
        }
        actions
    }
}

impl Outward for OrgService {
    fn outward(&mut self) {}
}

impl OfClient for OrgService {
    const EDIT: &'static str = "org_service.edit";
}

impl Hooks for OrgService {
    async fn prepare(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> Result<()> {
        if matches!(action, "create" | "update") {
            client::known(ctx, new.body.client).await?;
            payer(ctx, &new.body).await?;
        }
        match old {
            Some(old) if action == "update" && old.body.status != Status::Planned => {
                Err(Error::State { command: "update", state: old.body.status.to_string() })
            }
            Some(old) if action == "delete" && old.body.status == Status::Held => {
                Err(Error::State { command: "delete", state: old.body.status.to_string() })
            }
            _ => Ok(()),
        }
    }
    async fn on_write(
        _: &Ctx,
        Written { old, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        Ok(match old {
            None => client::required(commit, new.body.client),
            Some(_) => commit,
        })
    }
}

/// The contract is the client's own, in the fee's currency.
async fn payer(ctx: &Ctx, event: &OrgService) -> Result<Option<Record<Contract>>> {
    let Some(id) = event.contract else { return Ok(None) };
    let found = web::live::<Contract>(ctx, id).await?.filter(|c| c.body.client == event.client);
    let contract = found
        .ok_or_else(|| Error::field("unknown-contract", "/contract", "the client has no such contract"))?;
    let currency = contract.body.billing_amount.currency();
    if event.fee.is_some_and(|fee| fee.currency() != currency) {
        return Err(Error::field("currencies-differ", "/fee", format!("the contract is in {currency}")));
    }
    Ok(Some(contract))
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("org_service.view", "org_service.edit");
    let crud = noun::crud::<OrgService>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    let trips = |r: Route| match r.operation.as_str() {
        "org_service.create" => r.trips(3),
        "org_service.update" => r.trips(4),
        _ => r,
    };
    let mut routes: Vec<Route> = place::of_client::<OrgService>(crud).into_iter().map(trips).collect();
    routes.extend(noun::steps::<OrgService>(PATH));
    routes.push(
        route(Method::POST, format!("{PATH}/{{id}}/hold"), edit, "org_service.hold", post(hold))
            .takes::<Held>()
            .gives::<View<'static, OrgService>>(200)
            .trips(3)
            .says("It took place: how many came, and its fee on the contract's next bill"),
    );
    routes
}

/// How many came to what was held for a client on these days (both inclusive, where the organisation is).
pub async fn attended(ctx: &Ctx, client: ClientOrgId, (first, last): (Date, Date)) -> Result<u64> {
    let begin = |day: Date| day.to_zoned(ctx.zone()).map(|zoned| store::stamp(zoned.timestamp()));
    let (from, to) = (begin(first), begin(last.saturating_add(1.day())));
    let wanted = Wanted {
        from: Some(from.map_err(Error::internal)?),
        to: Some(to.map_err(Error::internal)?),
        ..Wanted::by(&[&client], 100)
    };
    let held = ctx.store().list_all(&OrgService::LISTS[0], wanted).await?;
    Ok(held.iter().filter_map(|event| event.body.attended).map(u64::from).sum())
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "OrgServiceHeld")]
struct Held {
    #[schemars(range(max = 1_000_000))]
    attended: u32,
}

async fn hold(ctx: Ctx, At(id): At<OrgServiceId>, Body(held): Body<Held>) -> Answer {
    let old = ctx.change::<OrgService>(id).await?;
    if old.body.status != Status::Planned {
        return Err(Error::State { command: "hold", state: old.body.status.to_string() }.into());
    }
    if old.body.starts_at > ctx.now() {
        return Err(Error::field("in-the-future", "/starts_at", "it has not begun yet").into());
    }
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.attended) = (Status::Held, Some(held.attended));
    let shown = ctx.shown(200, &new)?;
    let (client, kind) = (new.body.client, new.body.kind.to_string());
    let mut commit = ctx.commit().update("hold", &old, &new).emit(EapEvent::OrgServiceHeld {
        org_service: id,
        client,
        kind,
        attended: held.attended,
    });
    if let (Some(contract), Some(fee)) = (payer(&ctx, &new.body).await?, new.body.fee) {
        let day = contract.body.today(ctx.now());
        commit = charge::event(commit, (contract.id, day), id, &new.body.title, fee);
        commit = contract::unchanged(commit, &contract);
    }
    ctx.settle(commit, shown).await
}
