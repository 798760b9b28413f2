//! What the clock brings contracts: the end, with a successor where they renew themselves, and the announcements
//! before it. Days are the client's.

use super::{Contract, Status, cover, term, write};
use crate::{
    assignment,
    client::Client,
    place::{MODULE, counts},
};
use events::{EapEvent, Envelope, eap::RenewalDue};
use kernel::{EapContractId, Error, Result};
use serde_json::Value;
use store::{Entity, Record, Wanted};
use web::{App, Ctx, Reaction, Task};

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.ecn.end", ended), Task::on("due.ecn.reminder", announced)]
}

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("client_org.updated", rezoned)]
}

/// A client that has moved takes the days of its contracts along.
async fn rezoned(ctx: Ctx, envelope: Envelope) -> Result<()> {
    let Some(EapEvent::ClientUpdated { client }) = envelope.read() else { return Ok(()) };
    let Some(client) = web::live::<Client>(&ctx, client).await? else { return Ok(()) };
    let tenant = ctx.tenant().map(|t| t.time_zone.clone()).unwrap_or_else(|_| "UTC".into());
    let zone = client.body.zone(&tenant);
    let list = Contract::LISTS.iter().find(|l| l.name == "client").expect("declared with the noun");
    let wanted = Wanted::by(&[&client.id], 100);
    let contracts = ctx.store().list_all(list, wanted).await?;
    for found in contracts.iter().filter(|c| c.body.zone != zone) {
        web::again(ctx.store(), || moved_to(&ctx, found.id, zone)).await?;
    }
    Ok(())
}

async fn moved_to(ctx: &Ctx, id: EapContractId, zone: &str) -> Result<()> {
    let Some(old) = web::live::<Contract>(ctx, id).await?.filter(|c| c.body.zone != zone) else {
        return Ok(());
    };
    let mut new = old.next(ctx.now());
    new.body.zone = zone.into();
    ctx.commit().update("rezone", &old, &new).run().await
}

/// Whoever was quicker has left a new due time.
fn settled(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

async fn ended(app: App, row: Value) -> Result<()> {
    let Some((ctx, old)) = web::rung::<Contract>(&app, MODULE, &row).await? else { return Ok(()) };
    let running = matches!(old.body.status, Status::Active | Status::Suspended);
    if !running || old.body.today(ctx.now()) <= old.body.end_date {
        return Ok(());
    }
    let renews = old.body.auto_renew && old.body.status == Status::Active && !old.body.terminating;
    match renew(&ctx, &old, renews).await {
        // The next term was given to another contract already.
        Err(Error::Refused(r)) if r.code == "contract-overlap" => {}
        Ok(true) => return Ok(()),
        Ok(false) => {}
        Err(e) => return settled(Err(e)),
    }
    settled(expire(&ctx, &old).await)
}

async fn expire(ctx: &Ctx, old: &Record<Contract>) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.status = if old.body.terminating { Status::Terminated } else { Status::Expired };
    new.body.follow_bills();
    let said = new.body.said(new.id);
    let (action, event) = match new.body.status {
        Status::Terminated => ("terminate", EapEvent::ContractTerminated(said)),
        _ => ("expire", EapEvent::ContractExpired(said)),
    };
    let commit = ctx.commit().update(action, old, &new).emit(event);
    let commit =
        commit.add_many(&counts(new.body.client), &write::moved(&[(Some(old), -1), (Some(&new), 1)]));
    cover::moved(ctx, Some(old), Some(&new), commit).await?.run().await
}

/// The contract expires and its successor begins, in one commit; false where it does not renew itself.
async fn renew(ctx: &Ctx, old: &Record<Contract>, renews: bool) -> Result<bool> {
    if !renews {
        return Ok(false);
    }
    let (next, mut new) = (successor(ctx, old), old.next(ctx.now()));
    (new.body.status, new.body.renewed_by) = (Status::Expired, Some(next.id));
    let records = [(Some(old), -1), (Some(&new), 1), (Some(&next), 1)];
    let commit = ctx
        .commit()
        .update("expire", old, &new)
        .emit(EapEvent::ContractExpired(new.body.said(new.id)))
        .create(&next)
        .emit(EapEvent::ContractRenewed(next.body.said(next.id)))
        .add_many(&counts(new.body.client), &write::moved(&records));
    cover::moved(ctx, Some(old), Some(&next), commit).await?.run().await?;
    Ok(true)
}

fn successor(ctx: &Ctx, old: &Record<Contract>) -> Record<Contract> {
    let was = &old.body;
    let term::Renewal { start, end, anchor_day } =
        term::renewal(was.start_date, was.end_date, was.anchor_day);
    let (number, first) = write::renewed_number(was);
    let body = Contract {
        contract_number: Some(number),
        first_number: Some(first),
        renewals: was.renewals + 1,
        renewed_from: Some(old.id),
        renewed_by: None,
        start_date: start,
        end_date: end,
        anchor_day,
        renewal_date: None,
        reminded: None,
        billed_to: None,
        bills: Default::default(),
        payment_status: Default::default(),
        ..was.clone()
    };
    Record::new(ctx.now(), body)
}

/// Once on each of its days: the day that was told stands in the record.
async fn announced(app: App, row: Value) -> Result<()> {
    let Some((ctx, old)) = web::rung::<Contract>(&app, MODULE, &row).await? else { return Ok(()) };
    let (c, today) = (&old.body, old.body.today(ctx.now()));
    let running = matches!(c.status, Status::Active | Status::Suspended) && !c.terminating;
    if !running || c.next_reminder().is_none_or(|day| day > today) || today > c.end_date {
        return Ok(());
    }
    let (manager, client) =
        futures::try_join!(assignment::manager(&ctx, c.client), web::live::<Client>(&ctx, c.client))?;
    let primary = client.and_then(|r| r.body.contacts.into_iter().find(|p| p.is_primary)?.user);
    let said = RenewalDue {
        contract: old.id,
        client: c.client,
        days: today.until(c.end_date).map(|span| span.get_days()).unwrap_or_default(),
        ends_on: c.end_date,
        auto_renew: c.auto_renew,
        manager,
        contact: primary.filter(|_| !c.auto_renew),
    };
    let mut new = old.next(ctx.now());
    new.body.reminded = Some(today);
    settled(ctx.commit().update("remind", &old, &new).emit(EapEvent::ContractRenewalDue(said)).run().await)
}
