//! Client bills (EAP-7): what a contract costs in a period, in lines that never tell who used the service.

mod api;
mod follow;
mod lines;
mod make;

pub use api::routes;
pub use follow::reactions;
pub use lines::Line;
pub use make::tasks;

use crate::place::{self, OfClient, Outward};
use jiff::civil::Date;
use kernel::{ClientBillId, ClientOrgId, EapContractId, Lifecycle, Result, Step, money::Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        #[default] Draft = "draft", Approved = "approved", Issued = "issued", Paid = "paid", Overdue = "overdue",
        Void = "void",
    }
}

/// A bill of a contract's period.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientBill")]
pub struct Bill {
    pub contract: EapContractId,
    pub client: ClientOrgId,
    pub period_from: Date,
    pub period_to: Date,
    pub lines: Vec<Line>,
    pub tax: Money,
    pub total: Money,
    /// The last day to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// The number of billing's invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    pub status: Status,
    /// Why it cannot be approved yet: `no-headcount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl Entity for Bill {
    type Id = ClientBillId;
    const NOUN: &'static str = "client_bill";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.period_to, &r.id])]
        })
        .range(),
        List::<Self>::by("client", &["client"], |r| {
            vec![Row::new(&[&r.body.client], &[&r.body.period_to, &r.id])]
        })
        .range(),
        List::<Self>::by("contract", &["contract"], |r| {
            vec![Row::new(&[&r.body.contract], &[&r.body.period_to, &r.id])]
        })
        .range(),
        List::newest(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("period", "bill-exists", |b| match b.status {
        Status::Void => vec![],
        _ => vec![format!("{}|{}", b.contract, b.period_from)],
    })];
}

impl Lifecycle for Bill {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::<Self>::of("approve", "client_bill.approve", &[Status::Draft], Status::Approved).guard(|bill, _| match bill.held.is_some() {
                true => Err(kernel::Error::field(
                    "no-headcount",
                    "/held",
                    "state the headcount of its months (PUT /v1/eap/clients/{id}/population/{month}), then recalculate",
                )),
                false => Ok(()),
            }),
        Step::<Self>::of("void", "client_bill.approve", &[Status::Draft, Status::Approved], Status::Void).reason(),
    ];
}

impl Noun for Bill {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        Ok(record.body.is_out() && place::near(ctx, record.body.client).await?)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        web::noun::possible(record, ctx)
    }
}

impl Outward for Bill {
    fn outward(&mut self) {
        self.held = None;
    }
}

impl OfClient for Bill {
    const EDIT: &'static str = "client_bill.approve";
    fn is_out(&self) -> bool {
        matches!(self.status, Status::Issued | Status::Paid | Status::Overdue)
    }
}

impl Hooks for Bill {}
