//! Rules of contracts across fields and records, and what else a change of one writes.

use super::{Contract, Pricing, Status, cover};
use crate::{
    client::{self, Client},
    place::{self, counts},
    service::Service,
};
use events::EapEvent;
use jiff::ToSpan;
use kernel::{Error, Fault, Result, money::Money};
use std::collections::{BTreeMap, BTreeSet};
use store::{Commit, Record};
use web::{Ctx, noun::Written};

/// 12 digits, two of them after the point.
const MOST: i64 = 999_999_999_999;

pub fn faults(c: &Contract) -> Vec<Fault> {
    let mut faults = vec![];
    let mut wrong = |at: &str, code: &'static str, way: &str| faults.push(Fault::new(at, code, way));
    if c.title.trim().is_empty() {
        wrong("/title", "length", "may not be empty");
    }
    if c.end_date < c.start_date {
        wrong("/end_date", "range", "not before start_date");
    }
    if c.renewal_date.is_some_and(|day| day < c.start_date || day > c.end_date) {
        wrong("/renewal_date", "range", "between start_date and end_date");
    }
    let fits = |m: &Money| !m.is_negative() && m.in_minor() <= MOST;
    if !fits(&c.billing_amount) {
        wrong("/billing_amount", "range", "0 to 9999999999.99");
    }
    match (c.pricing, &c.rate) {
        (Pricing::Retainer, None) => {}
        (_, None) => {
            wrong("/rate", "required", "this pricing needs a rate: for a head a month, or for a session")
        }
        (_, Some(rate)) if rate.currency() != c.billing_amount.currency() => {
            wrong("/rate", "currencies-differ", "in the currency of billing_amount");
        }
        (_, Some(rate)) if !fits(rate) => wrong("/rate", "range", "0 to 9999999999.99"),
        _ => {}
    }
    if (c.tax_rate * 100.0 - (c.tax_rate * 100.0).round()).abs() > 1e-6 {
        wrong("/tax_rate", "precision", "at most two decimals");
    }
    if c.services.iter().collect::<BTreeSet<_>>().len() < c.services.len() {
        wrong("/services", "repeated", "each service once");
    }
    faults.extend(place::metadata(&c.metadata));
    faults
}

/// The client's zone, the next number, the services: whatever has to be looked up.
pub async fn prepare(
    ctx: &Ctx,
    action: &str,
    old: Option<&Record<Contract>>,
    new: &mut Record<Contract>,
) -> Result<()> {
    if action == "create" {
        let year = ctx.today().year();
        let number = async {
            match new.body.contract_number {
                Some(_) => Ok(None),
                None => ctx.store().next_number("eap_contract", year).await.map(Some),
            }
        };
        let (client, number) = futures::try_join!(client::known(ctx, new.body.client), number)?;
        zoned(ctx, new, &client);
        new.body.anchor_day = new.body.start_date.day();
        if let Some(number) = number {
            new.body.contract_number = Some(format!("EAP-{year}-{number:05}"));
        }
    }
    let activates = action == "activate";
    let new_services = old.is_some_and(|o| o.body.services != new.body.services);
    if activates {
        let client = client::known(ctx, new.body.client).await?;
        zoned(ctx, new, &client);
        if new.body.end_date < new.body.today(ctx.now()) {
            return Err(Error::field("ended", "/end_date", "it would have ended already: move its end"));
        }
    }
    if action == "create" || activates || new_services {
        offered(ctx, &new.body).await?;
    }
    Ok(())
}

fn zoned(ctx: &Ctx, new: &mut Record<Contract>, client: &Record<Client>) {
    let tenant = ctx.tenant().map(|t| t.time_zone.clone()).unwrap_or_else(|_| "UTC".into());
    new.body.zone = client.body.zone(&tenant).to_string();
}

/// Every service is there and not retired.
async fn offered(ctx: &Ctx, contract: &Contract) -> Result<()> {
    let found = ctx.store().get_many::<Service>(&contract.services).await?;
    let live: BTreeSet<_> =
        found.iter().filter(|s| s.deleted_at.is_none() && s.body.is_offered()).map(|s| s.id).collect();
    match contract.services.iter().position(|s| !live.contains(s)) {
        Some(at) => Err(Error::field(
            "unknown-service",
            format!("/services/{at}"),
            "there is no such service on offer",
        )),
        None => Ok(()),
    }
}

pub fn before(
    ctx: &Ctx,
    action: &str,
    old: Option<&Record<Contract>>,
    new: &mut Record<Contract>,
) -> Result<()> {
    let Some(old) = old else { return Ok(()) };
    let (was, now) = (&old.body, &mut new.body);
    match action {
        // What ran once stays: bills and cases name it.
        "delete" if was.status != Status::Draft => {
            Err(Error::State { command: "delete", state: was.status.to_string() })
        }
        "update" => amended(ctx, was, now),
        // What lies before today was nobody told of, and will not be.
        "activate" => {
            let yesterday = now.today(ctx.now()).saturating_sub(1.day());
            now.reminded = Some(yesterday.max(now.start_date.saturating_sub(1.day())));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn amended(ctx: &Ctx, was: &Contract, now: &mut Contract) -> Result<()> {
    let fixed = |at: &'static str, way: &'static str| Err(Error::field("fixed", at, way));
    if was.client != now.client {
        return fixed("/client", "a contract stays with its client; make a new one");
    }
    if now.contract_number.is_none() {
        now.contract_number = was.contract_number.clone();
    }
    if was.status == Status::Draft {
        now.anchor_day = now.start_date.day();
        return Ok(());
    }
    if was.start_date != now.start_date {
        return fixed("/start_date", "an activated contract keeps its first day");
    }
    if was.billing_amount.currency() != now.billing_amount.currency() {
        return fixed("/billing_amount", "an activated contract keeps its currency");
    }
    let terms = |c: &Contract| {
        (
            (c.end_date, c.renewal_date, c.billing_amount, c.rate, c.pricing, c.billing_frequency),
            (c.session_cap, c.cap_scope, c.cap_pool, c.services.clone()),
        )
    };
    if terms(was) == terms(now) {
        return Ok(());
    }
    if matches!(was.status, Status::Expired | Status::Terminated) {
        return Err(Error::State { command: "update", state: was.status.to_string() });
    }
    if now.services.is_empty() {
        return Err(Error::field("no-services", "/services", "name what its beneficiaries may use"));
    }
    let (today, billed) = (now.today(ctx.now()), now.billed_to);
    if was.end_date != now.end_date && (now.end_date < today || billed.is_some_and(|b| now.end_date < b)) {
        return fixed("/end_date", "not before today, nor before what is billed");
    }
    ctx.needs_reason(None).map(drop)
}

/// Its events, its client's counters, and whom it covers.
pub async fn along(ctx: &Ctx, change: Written<'_, Contract>, commit: Commit) -> Result<Commit> {
    let Written { action, old, new } = change;
    let said = new.body.said(new.id);
    let mut commit = match action {
        "activate" => commit.emit(EapEvent::ContractActivated(said)),
        "suspend" => commit.emit(EapEvent::ContractSuspended(said)),
        "terminate" if new.body.status == Status::Terminated => {
            commit.emit(EapEvent::ContractTerminated(said))
        }
        _ => commit,
    };
    if action == "activate" {
        commit = client::write::active(commit, new.body.client);
    }
    if matches!(action, "create" | "restore") {
        commit = client::required(commit, new.body.client);
    }
    commit = counted(old, new, commit);
    cover::moved(ctx, old, Some(new), commit).await
}

/// The client's counters follow.
pub fn counted(old: Option<&Record<Contract>>, new: &Record<Contract>, commit: Commit) -> Commit {
    commit.add_many(&counts(new.body.client), &moved(&[(old, -1), (Some(new), 1)]))
}

/// What these records, each added or taken away, move in the counters.
pub fn moved(records: &[(Option<&Record<Contract>>, i64)]) -> Vec<(&'static str, i64)> {
    let mut all: BTreeMap<&'static str, i64> = BTreeMap::new();
    for (record, by) in records {
        let Some(record) = record.filter(|r| r.deleted_at.is_none()) else { continue };
        *all.entry("contracts_total").or_default() += by;
        match record.body.status {
            Status::Active => *all.entry("contracts_active").or_default() += by,
            Status::Suspended => *all.entry("contracts_suspended").or_default() += by,
            _ => {}
        }
    }
    all.into_iter().filter(|(_, by)| *by != 0).collect()
}

/// The number of a renewal: the first contract's, and how often it was renewed.
pub fn renewed_number(contract: &Contract) -> (String, String) {
    let first = contract.first_number.clone().unwrap_or_else(|| contract.number().to_string());
    (format!("{first}-R{}", contract.renewals + 1), first)
}
