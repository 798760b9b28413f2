//! Contracts (EAP-2): what a client bought, from when to when, at what price, with how many sessions for each person.

mod api;
mod clock;
mod cover;
pub mod term;
mod write;

pub use api::routes;
pub use clock::{reactions, tasks};

use crate::place::{self, Capitals, Outward, midnight};
use jiff::{Timestamp, ToSpan, civil::Date};
use kernel::{ClientOrgId, EapContractId, EapServiceId, Error, Fault, Lifecycle, Result, Step, money::Money};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Commit, Due, Entity, Key, List, Record, Row, Token, Unique, is};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        #[default] Draft = "draft", Active = "active", Suspended = "suspended", Expired = "expired",
        Terminated = "terminated",
    }
}
kernel::words! {
    #[derive(Default)]
    pub enum Frequency {
        #[default] Monthly = "monthly", Quarterly = "quarterly", SemiAnnual = "semi_annual", Annual = "annual",
    }
}
kernel::words! {
    #[derive(Default)]
    pub enum Payment { #[default] Pending = "pending", Paid = "paid", Overdue = "overdue", Cancelled = "cancelled" }
}
kernel::words! {
    #[derive(Default)]
    pub enum Pricing { #[default] Retainer = "retainer", PerCapita = "per_capita", FeePerSession = "fee_per_session" }
}
kernel::words! {
    /// What a session counts against.
    #[derive(Default)]
    pub enum CapScope { #[default] Issue = "issue", ContractYear = "contract_year", CalendarYear = "calendar_year" }
}
kernel::words! {
    /// Whose sessions are counted together.
    #[derive(Default)]
    pub enum CapPool { #[default] Person = "person", Household = "household" }
}

impl Frequency {
    pub fn months(self) -> i32 {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::SemiAnnual => 6,
            Self::Annual => 12,
        }
    }
}

/// How many of its bills stand how: what the payment status follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapContractBills")]
pub struct Bills {
    #[serde(default)]
    pub issued: u32,
    #[serde(default)]
    pub overdue: u32,
    #[serde(default)]
    pub paid: u32,
    #[serde(default)]
    pub void: u32,
}

/// A contract of a client organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapContract")]
pub struct Contract {
    pub client: ClientOrgId,
    #[schemars(length(min = 1, max = 255))]
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10_000))]
    pub description: Option<String>,
    /// The next of its sequence, `EAP-2026-00007`, where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub contract_number: Option<String>,
    pub start_date: Date,
    /// The last day.
    pub end_date: Date,
    /// The day of notice; `renewal_notice_days` before the end where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_date: Option<Date>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    /// The price of a period, if the pricing is a retainer.
    pub billing_amount: Money,
    #[serde(default)]
    pub billing_frequency: Frequency,
    /// Follows from its bills.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub payment_status: Payment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10_000))]
    pub payment_terms: Option<String>,
    /// Days from a bill's issue to its due day.
    #[serde(default = "thirty")]
    #[schemars(range(max = 120))]
    pub payment_days: u16,
    #[serde(default)]
    pub auto_renew: bool,
    #[serde(default = "thirty")]
    #[schemars(range(min = 1, max = 365))]
    pub renewal_notice_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10_000))]
    pub notes: Option<Sealed<String>>,
    #[serde(default)]
    #[schemars(extend("maxProperties" = 50, "propertyNames" = {"pattern": "^[a-z0-9_]{1,40}$"}))]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub pricing: Pricing,
    /// For a head a month, or for a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Money>,
    /// What its beneficiaries may use.
    #[serde(default)]
    #[schemars(length(max = 30))]
    pub services: Vec<EapServiceId>,
    /// Sessions for each issue, or year; 0 = as many as are needed.
    #[serde(default = "six")]
    #[schemars(range(max = 50))]
    pub session_cap: u8,
    #[serde(default)]
    pub cap_scope: CapScope,
    #[serde(default)]
    pub cap_pool: CapPool,
    /// A session cancelled later than so many hours before it counts as cancelled late.
    #[serde(default = "a_day")]
    #[schemars(range(max = 72))]
    pub late_cancel_hours: u8,
    #[serde(default = "yes")]
    pub no_show_counts: bool,
    #[serde(default = "yes")]
    pub late_cancel_counts: bool,
    #[serde(default = "yes")]
    pub covers_dependants: bool,
    /// Days after the end in which open cases are brought to theirs.
    #[serde(default = "thirty")]
    #[schemars(range(max = 365))]
    pub grace_days: u16,
    /// Percent, at most two decimals.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub tax_rate: f64,
    /// IANA: the client's, by which days begin and end.
    #[serde(default)]
    #[schemars(length(max = 50), extend("readOnly" = true))]
    pub zone: String,
    /// The day of the month to which periods and renewals are clamped.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub anchor_day: i8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub renewed_from: Option<EapContractId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub renewed_by: Option<EapContractId>,
    /// How often it was renewed, and the number of the first of the chain.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub renewals: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), extend("readOnly" = true))]
    pub first_number: Option<String>,
    /// The last day of reminding that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub reminded: Option<Date>,
    /// Ends by its termination, not by its term.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub terminating: bool,
    /// The last day that stands on a bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub billed_to: Option<Date>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub bills: Bills,
}

fn thirty() -> u16 {
    30
}
fn six() -> u8 {
    6
}
fn a_day() -> u8 {
    24
}
fn yes() -> bool {
    true
}

/// Days after grace until the last bill is made by itself: a counsellor may be late with the papers.
const ENTERED_LATE: i32 = 14;
/// The hour at which people are reminded.
const MORNING: i8 = 8;

impl Contract {
    /// Between its first and last day, and neither suspended nor ended.
    pub fn is_active(&self, day: Date) -> bool {
        self.status == Status::Active && self.start_date <= day && day <= self.end_date
    }
    /// Whether an open case of it may still be worked on: also while it is suspended, and for the days of grace.
    pub fn in_grace(&self, day: Date) -> bool {
        self.status != Status::Draft
            && self.start_date <= day
            && day <= self.end_date.saturating_add(i32::from(self.grace_days).days())
    }
    /// Today where the client is.
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(place::zone_of(&self.zone)).date()
    }
    /// What a session of that day counts against: the issue, or the year that the day lies in.
    pub fn bucket(&self, issue_key: &str, day: Date) -> String {
        match self.cap_scope {
            CapScope::Issue => issue_key.into(),
            CapScope::CalendarYear => day.year().to_string(),
            CapScope::ContractYear => {
                let years = (1..=100).take_while(|n| term::months_on(self.start_date, n * 12) <= day).count();
                term::months_on(self.start_date, years as i32 * 12).to_string()
            }
        }
    }
    pub fn notice(&self) -> Date {
        let notice = self.end_date.saturating_sub(i32::from(self.renewal_notice_days).days());
        self.renewal_date.unwrap_or(notice).max(self.start_date)
    }
    /// The next day on which the end is announced; days that were missed are not made up for.
    pub fn next_reminder(&self) -> Option<Date> {
        let days = term::reminders(self.end_date, self.notice());
        days.into_iter().find(|day| *day >= self.start_date && self.reminded.is_none_or(|told| *day > told))
    }
    /// What is billed next, if anything is.
    pub fn next_period(&self) -> Option<term::Period> {
        let months = self.billing_frequency.months();
        let next = term::next_period(self.start_date, self.anchor_day, months, self.billed_to, self.end_date);
        let left = |period: &term::Period| self.billed_to.is_some_and(|to| to < period.to);
        next.or_else(|| Some(self.afterwards()).filter(left))
    }
    /// The days after the last one in which sessions are still held (grace, a crisis) and entered: on one bill, of what
    /// was done in them alone.
    pub fn afterwards(&self) -> term::Period {
        let days = i32::from(self.grace_days) + ENTERED_LATE;
        term::Period::of(self.end_date.saturating_add(1.day()), self.end_date.saturating_add(days.days()))
    }
    /// What was entered later still, up to yesterday: billed by hand.
    pub fn later(&self, today: Date) -> Option<term::Period> {
        let billed = self.billed_to.filter(|to| *to >= self.afterwards().to)?;
        let period = term::Period::of(billed.saturating_add(1.day()), today.saturating_sub(1.day()));
        Some(period).filter(|p| p.from <= p.to)
    }
    pub fn number(&self) -> &str {
        self.contract_number.as_deref().unwrap_or_default()
    }
    pub fn said(&self, contract: EapContractId) -> events::eap::ContractSaid {
        let (client, end_date, from) = (self.client, self.end_date, self.renewed_from);
        events::eap::ContractSaid { contract, client, end_date, from }
    }
    /// From its bills: nothing issued, something late, all paid.
    pub fn follow_bills(&mut self) {
        let Bills { issued, overdue, paid, void } = self.bills;
        self.payment_status = match (issued, overdue, paid) {
            (_, 1.., _) => Payment::Overdue,
            (0, 0, 1..) => Payment::Paid,
            (0, 0, 0) if void > 0 && self.status == Status::Terminated => Payment::Cancelled,
            _ => Payment::Pending,
        };
    }
}

/// The condition that its terms are still those that were read.
pub fn unchanged(commit: Commit, contract: &Record<Contract>) -> Commit {
    commit.check(&Key::record(contract.id), is("version", contract.version), |_| {
        Error::conflict("changed-meanwhile", "the contract was changed this moment; try again")
    })
}

impl Entity for Contract {
    type Id = EapContractId;
    const NOUN: &'static str = "eap_contract";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.end_date, &r.id])]
        })
        .range()
        .oldest_first(),
        List::<Self>::by("client", &["client"], |r| {
            vec![Row::new(&[&r.body.client], &[&r.body.start_date, &r.id])]
        })
        .range(),
        List::<Self>::by("payment", &["payment_status"], |r| {
            vec![Row::new(&[&r.body.payment_status], &[&r.body.start_date, &r.id])]
        })
        .range(),
        List::newest(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("contract_number", "duplicate", |c| {
        c.contract_number.iter().map(|n| n.to_lowercase()).collect()
    })];
    fn tokens(&self) -> Vec<Token> {
        vec![Token::Exact("number", self.number().to_lowercase())]
    }
    fn due(record: &Record<Self>) -> Vec<Due> {
        let c = &record.body;
        let running = matches!(c.status, Status::Active | Status::Suspended);
        let day_after = |day: Date| midnight(day.saturating_add(1.day()), &c.zone);
        let end = day_after(c.end_date).filter(|_| running);
        let told = c.next_reminder().filter(|_| running && !c.terminating);
        let told = told.and_then(|day| place::at_hour(day, MORNING, &c.zone));
        let billed = c.next_period().filter(|_| c.status != Status::Draft).and_then(|p| day_after(p.to));
        [(end, "end"), (told, "reminder"), (billed, "bill")]
            .into_iter()
            .filter_map(|(at, what)| Some(Due { at: at?, what }))
            .collect()
    }
}

impl Lifecycle for Contract {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::<Self>::of("activate", "eap_contract.activate", &[Status::Draft], Status::Active).guard(
            |c, _| match c.services.is_empty() {
                true => Err(Error::field("no-services", "/services", "name what its beneficiaries may use")),
                false => Ok(()),
            },
        ),
        Step::<Self>::of("suspend", "eap_contract.edit", &[Status::Active], Status::Suspended).reason(),
        Step::of("resume", "eap_contract.edit", &[Status::Suspended], Status::Active),
    ];
}

impl Noun for Contract {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        place::near(ctx, record.body.client).await
    }
    fn check(&self) -> Vec<Fault> {
        write::faults(self)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = web::noun::possible(record, ctx);
        let ends = matches!(record.body.status, Status::Draft | Status::Active | Status::Suspended);
        if ends && ctx.may("eap_contract.edit") > Reach::None {
            actions.push("terminate");
        }
        actions
    }
}

impl Capitals for Contract {
    const WORDS: &'static [&'static str] = &["billing_frequency"];
}

impl Outward for Contract {
    fn outward(&mut self) {
        (self.notes, self.metadata) = (None, Map::new());
    }
}

impl place::OfClient for Contract {
    const EDIT: &'static str = "eap_contract.edit";
}

impl Hooks for Contract {
    async fn prepare(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> Result<()> {
        write::prepare(ctx, action, old, new).await
    }
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        write::before(ctx, action, old, new)
    }
    async fn on_write(ctx: &Ctx, change: Written<'_, Self>, commit: Commit) -> Result<Commit> {
        write::along(ctx, change, commit).await
    }
}
