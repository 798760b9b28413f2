//! Routes of bills.

use super::{Bill, Status, follow, make};
use crate::{
    contract::{Contract, term},
    place,
};
use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::{ToSpan, civil::Date};
use kernel::{ClientBillId, EapContractId, Error, Lifecycle, Step};
use schemars::JsonSchema;
use serde::Deserialize;
use web::{
    Answer, At, Body, Ctx, Route,
    noun::{self, Because, Pages, View},
    route,
};

const PATH: &str = "/v1/eap/bills";

pub fn routes() -> Vec<Route> {
    let (view, approve) = ("client_bill.view", "client_bill.approve");
    let reading = place::outward::<Bill>(noun::reading::<Bill>(PATH, view));
    let at = |rest: &str| format!("{PATH}/{{id}}/{rest}");
    let command = |name: &'static str, says: &str| {
        let handler =
            move |ctx: Ctx, at: At<ClientBillId>, body: Body<Because>| commanded(ctx, at, body, name);
        route(Method::POST, at(name), approve, format!("client_bill.{name}"), post(handler))
            .takes::<Because>()
            .gives::<View<'static, Bill>>(200)
            .trips(3)
            .says(says)
    };
    let mut routes = vec![
        route(Method::GET, PATH, view, "client_bill.list", get(place::list::<Bill>))
            .asks_shape(noun::list_shape::<Bill>)
            .gives::<Pages<View<'static, Bill>>>(200)
            .trips(2)
            .says("A page of bills, by status, client or contract"),
        route(Method::POST, PATH, approve, "client_bill.create", post(create))
            .takes::<Wanted>()
            .gives::<View<'static, Bill>>(201)
            .trips(4)
            .refuses(&["nothing-due", "bill-exists"])
            .says("Makes the bill of a period that is over: the next one, or one whose bill was withdrawn"),
        command("approve", "Approves a draft: billing makes the invoice")
            .approvable("client_bill.approve")
            .trips(4),
        command("void", "Withdraws a bill that is not issued yet, with a reason"),
        route(Method::POST, at("recalculate"), approve, "client_bill.recalculate", post(recalculate))
            .takes::<Because>()
            .gives::<View<'static, Bill>>(200)
            .trips(5)
            .says("Draws a draft again from what is known now"),
    ];
    routes.extend(reading);
    routes
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ClientBillWanted")]
struct Wanted {
    contract: EapContractId,
    /// The first day of the period; the next one where none is given.
    period_from: Option<Date>,
}

/// The period of a bill that begins on this day.
fn period(contract: &Contract, from: Date) -> Option<term::Period> {
    let afterwards = contract.afterwards();
    if from == afterwards.from {
        return Some(afterwards);
    }
    let months = contract.billing_frequency.months();
    term::period_from(contract.start_date, contract.anchor_day, months, from, contract.end_date)
}

async fn create(ctx: Ctx, Body(wanted): Body<Wanted>) -> Answer {
    let unknown = || Error::field("unknown-contract", "/contract", "there is no such contract");
    let contract = web::known::<Contract>(&ctx, wanted.contract, unknown).await?;
    let draft = contract.body.status == crate::contract::Status::Draft;
    let over = |p: &term::Period| !draft && p.to < contract.body.today(ctx.now());
    let nothing =
        || Error::unprocessable("nothing-due", "no period of this contract is over and without a bill");
    let wanted = match wanted.period_from {
        None => contract.body.next_period().or_else(|| contract.body.later(contract.body.today(ctx.now()))),
        Some(from) => period(&contract.body, from),
    };
    let period = wanted.filter(over).ok_or_else(nothing)?;
    let drafted = make::draft(&ctx, &contract, period).await?;
    let shown = ctx.shown(201, drafted.bill.as_ref().ok_or_else(nothing)?)?;
    ctx.settle(drafted.commit(), shown).await
}

async fn commanded(
    ctx: Ctx,
    At(id): At<ClientBillId>,
    Body(said): Body<Because>,
    command: &'static str,
) -> Answer {
    let step: &Step<Bill> = Bill::STEPS.iter().find(|s| s.command == command).ok_or(Error::Missing)?;
    let given = said.reason;
    let reason = if step.reason { Some(ctx.needs_reason(given.as_deref())?) } else { given.or(ctx.reason()) };
    let old = ctx.change::<Bill>(id).await?;
    let mut new = old.next(ctx.now());
    new.body.advance(step, ctx.today())?;
    if command == "approve" {
        let contract = ctx.store().get::<Contract>(old.body.contract).await?;
        let days = i32::from(contract.body.payment_days).days();
        new.body.due = Some(ctx.today().saturating_add(days));
    }
    let action = match (command, old.body.status) {
        ("void", Status::Approved) => "withdraw",
        (command, _) => command,
    };
    let shown = ctx.shown(200, &new)?;
    ctx.settle(follow::moved(&ctx, action, &old, &new, reason).await?, shown).await
}

async fn recalculate(ctx: Ctx, At(id): At<ClientBillId>, _: Body<Because>) -> Answer {
    let old = ctx.change::<Bill>(id).await?;
    if old.body.status != Status::Draft {
        return Err(Error::State { command: "recalculate", state: old.body.status.to_string() }.into());
    }
    let contract = ctx.store().fresh::<Contract>(old.body.contract).await?;
    let (from, to) = (old.body.period_from, old.body.period_to);
    let again = match from > contract.body.end_date {
        true => Some(term::Period::of(from, to)),
        false => period(&contract.body, from),
    };
    let again = again.ok_or(Error::Missing)?;
    let mut new = old.next(ctx.now());
    new.body = make::drawn(&ctx, &contract, again).await?;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().update("recalculate", &old, &new), shown).await
}
