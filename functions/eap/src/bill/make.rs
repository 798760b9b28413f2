//! Making bills: by the clock when a period is over where the client is, or by hand.

use super::{
    Bill, Status,
    lines::{Facts, Sums, sums},
};
use crate::{
    charge,
    client::{Client, headcounts},
    contract::{Contract, Pricing, term::Period},
    place::MODULE,
    service::Service,
};
use events::workflow::{TaskWish, WorkflowEvent};
use kernel::{EapServiceId, Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use store::Record;
use web::{App, Ctx, Task};

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.ecn.bill", period_over)]
}

async fn period_over(app: App, row: Value) -> Result<()> {
    let Some((ctx, contract)) = web::rung::<Contract>(&app, MODULE, &row).await? else { return Ok(()) };
    let over = |p: &Period| p.to < contract.body.today(ctx.now());
    let Some(period) = contract.body.next_period().filter(over) else { return Ok(()) };
    match draft(&ctx, &contract, period).await?.run().await {
        // Whoever was quicker made it, and left a new due time.
        Err(Error::Stale { .. } | Error::Duplicate { .. }) => Ok(()),
        other => other,
    }
}

/// The commit that makes the bill of a period and notes it in the contract. A period without anything to pay has no
/// bill.
pub struct Drafted {
    commit: store::Commit,
    pub bill: Option<Record<Bill>>,
}

impl Drafted {
    pub async fn run(self) -> Result<()> {
        self.commit.run().await
    }
    pub fn commit(self) -> store::Commit {
        self.commit
    }
}

pub async fn draft(ctx: &Ctx, contract: &Record<Contract>, period: Period) -> Result<Drafted> {
    let bill = drawn(ctx, contract, period).await?;
    let mut next = contract.next(ctx.now());
    next.body.billed_to = Some(period.to).max(contract.body.billed_to);
    let mut commit = ctx.commit().update("bill", contract, &next);
    let bill = (bill.held.is_some() || !bill.total.is_zero()).then(|| Record::new(ctx.now(), bill));
    if let Some(bill) = &bill {
        commit = commit.create(bill);
        if bill.body.held.is_some() {
            commit = commit.emit(WorkflowEvent::TaskRequested(waits(bill)));
        }
    }
    Ok(Drafted { commit, bill })
}

/// A bill that cannot be approved is somebody's task: whoever may state what is missing.
fn waits(bill: &Record<Bill>) -> TaskWish {
    TaskWish {
        title_code: "eap_bill_held".into(),
        category: "finance".into(),
        assignee: "role~eap_manager".into(),
        priority: None,
        due_at: None,
        record: Some(bill.id.to_string()),
        subject: None,
        site: None,
        close_on: vec!["eap_billing.approved".into()],
        key: format!("eap_bill_held~{}", bill.id),
    }
}

/// A draft from what is known now.
pub async fn drawn(ctx: &Ctx, contract: &Record<Contract>, period: Period) -> Result<Bill> {
    let c = &contract.body;
    let months = async {
        match c.pricing {
            Pricing::PerCapita if period.from <= c.end_date => {
                headcounts(ctx, c.client, &period.months()).await
            }
            _ => Ok(None),
        }
    };
    let (client, charges, headcounts) = futures::try_join!(
        ctx.store().fresh::<Client>(c.client),
        charge::between(ctx.store(), contract.id, period.from, period.to),
        months
    )?;
    let named: BTreeSet<EapServiceId> = charges.iter().filter_map(|c| c.service).collect();
    let named: Vec<EapServiceId> = named.into_iter().collect();
    let services = ctx.store().get_many::<Service>(&named).await?;
    let tenant = ctx.tenant().map(|t| t.policy("eap_min_cell", 10)).unwrap_or(10);
    let smallest = usize::try_from(client.body.smallest_cell(tenant)).unwrap_or(usize::MAX);
    let services = services.into_iter().map(|s| (s.id, s.body.name)).collect();
    let Sums { lines, tax, total, held } =
        sums(&Facts { contract: c, period, headcounts, charges, services, smallest })?;
    Ok(Bill {
        contract: contract.id,
        client: c.client,
        period_from: period.from,
        period_to: period.to,
        lines,
        tax,
        total,
        due: None,
        invoice: None,
        status: Status::Draft,
        held: held.map(Into::into),
    })
}
