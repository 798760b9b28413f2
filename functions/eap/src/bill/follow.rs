//! A bill moves, and with it the contract's payment status and the client's count of unpaid bills: all in one commit.
//! What billing says of its invoice comes in any order, and may come twice.

use super::{Bill, Status};
use crate::{
    contract::{Bills, Contract},
    place::counts,
};
use events::{EapEvent, Envelope};
use jiff::{ToSpan, civil::Date};
use kernel::{ClientBillId, Error, Result};
use serde_json::Value;
use store::{Commit, Record};
use web::{Ctx, Reaction};

pub fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on("invoice.issued", |ctx, e| heard(ctx, e, Status::Issued)),
        Reaction::on("invoice.overdue", |ctx, e| heard(ctx, e, Status::Overdue)),
        Reaction::on("invoice.paid", |ctx, e| heard(ctx, e, Status::Paid)),
        Reaction::on("invoice.credited", |ctx, e| heard(ctx, e, Status::Void)),
    ]
}

/// The commit of a bill's move.
pub async fn moved(
    ctx: &Ctx,
    action: &str,
    old: &Record<Bill>,
    new: &Record<Bill>,
    reason: Option<String>,
) -> Result<Commit> {
    let was = ctx.store().fresh::<Contract>(new.body.contract).await?;
    let mut contract = was.next(ctx.now());
    let place = |bills: &mut Bills, status: Status, by: i32| {
        let count = match status {
            Status::Issued => &mut bills.issued,
            Status::Overdue => &mut bills.overdue,
            Status::Paid => &mut bills.paid,
            Status::Void => &mut bills.void,
            Status::Draft | Status::Approved => return,
        };
        *count = count.saturating_add_signed(by);
    };
    place(&mut contract.body.bills, old.body.status, -1);
    place(&mut contract.body.bills, new.body.status, 1);
    contract.body.follow_bills();
    let unpaid = |s: Status| i64::from(matches!(s, Status::Approved | Status::Issued | Status::Overdue));
    let by = unpaid(new.body.status) - unpaid(old.body.status);
    let mut commit = ctx.commit().because(reason);
    if contract.body.bills != was.body.bills || contract.body.payment_status != was.body.payment_status {
        commit = commit.update("bill", &was, &contract);
    }
    if by != 0 {
        commit = commit.add(&counts(new.body.client), "bills_unpaid", by);
    }
    Ok(match said(action, &new.body, new.id) {
        Some(event) => commit.update(action, old, new).emit(event),
        None => commit.update(action, old, new),
    })
}

fn said(action: &str, bill: &Bill, id: ClientBillId) -> Option<EapEvent> {
    let (contract, client) = (bill.contract, bill.client);
    match action {
        "approve" => Some(EapEvent::BillingApproved(events::eap::BillSaid {
            bill: id,
            contract,
            client,
            lines: bill.lines.iter().map(billed).collect(),
            tax: bill.tax,
            total: bill.total,
            due: bill.due.unwrap_or(bill.period_to),
        })),
        "withdraw" => Some(EapEvent::BillingVoided { bill: id, contract, client }),
        _ => None,
    }
}

fn billed(line: &super::Line) -> events::eap::BillLine {
    events::eap::BillLine { label: line.label.clone(), quantity: line.quantity, amount: line.amount }
}

/// How far along it is: what is said late does not take it back.
fn rank(status: Status) -> u8 {
    match status {
        Status::Draft => 0,
        Status::Approved => 1,
        Status::Issued => 2,
        Status::Overdue => 3,
        Status::Paid => 4,
        Status::Void => 5,
    }
}

/// The bill that an invoice was made of: its `source`, an id or `{kind, id}`.
fn named(data: &Value) -> Option<ClientBillId> {
    let source = &data["source"];
    source.as_str().or(source["id"].as_str())?.parse().ok()
}

async fn heard(ctx: Ctx, envelope: Envelope, to: Status) -> Result<()> {
    let Some(bill) = named(&envelope.data) else { return Ok(()) };
    let day: Option<Date> = envelope.at.get(..10).and_then(|day| day.parse().ok());
    web::again(ctx.store(), || follow(&ctx, &envelope, bill, to, day)).await
}

async fn follow(
    ctx: &Ctx,
    envelope: &Envelope,
    id: ClientBillId,
    to: Status,
    day: Option<Date>,
) -> Result<()> {
    let Some(old) = web::live::<Bill>(ctx, id).await? else { return Ok(()) };
    let mut new = old.next(ctx.now());
    let number = envelope.data["number"].as_str().or(envelope.data["invoice"].as_str());
    if new.body.invoice.is_none() {
        new.body.invoice = number.map(|n| n.chars().take(60).collect());
    }
    if rank(to) > rank(old.body.status) {
        new.body.status = to;
    }
    if to == Status::Issued {
        let contract = ctx.store().fresh::<Contract>(old.body.contract).await?;
        let days = i32::from(contract.body.payment_days).days();
        new.body.due = day.map(|day| day.saturating_add(days)).or(old.body.due);
    }
    let same = (new.body.status, &new.body.invoice, new.body.due)
        == (old.body.status, &old.body.invoice, old.body.due);
    if same {
        return Ok(());
    }
    let commit = moved(ctx, "follow", &old, &new, None).await?;
    ctx.once_for(commit, "eap.bills", &envelope.id).run().await.or_else(|e| match e {
        Error::Missing => Ok(()),
        e => Err(e),
    })
}
