//! Plans: what a subscription costs, allows and switches on. Data, not code; a published one never changes.

mod api;
pub mod catalogue;

pub use api::routes;

use crate::limits::Limits;
use authz::Edition;
use kernel::{
    Error, Fault, Id, Lifecycle, PlanId, Result, Step, Ulid,
    country::Region,
    money::{Currency, Money},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Ctx, Noun, noun::possible};

kernel::words! { pub enum Status { Draft = "draft", Published = "published", Retired = "retired" } }
kernel::words! { pub enum Period { Month = "month", Year = "year" } }
kernel::words! { pub enum Per { Tenant = "tenant", User = "user" } }
kernel::words! {
    /// Who lets a sign-up to this plan in.
    pub enum Approval { None = "none", Platform = "platform" }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    pub price: Money,
    pub period: Period,
    pub per: Per,
}

/// Requests of partners: steady per second, and at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    #[schemars(range(min = 1, max = 10000))]
    pub rps: u32,
    #[schemars(range(min = 1, max = 20000))]
    pub burst: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `Basic`, `Professional`, `Enterprise`, or `Custom:<tenant>`.
    #[schemars(regex(pattern = r"^[A-Z][A-Za-z0-9:_-]{1,59}$"))]
    pub code: String,
    #[schemars(length(min = 2, max = 60))]
    pub name: String,
    /// Rises with every change of a published plan; organisations stay on theirs until they are moved.
    #[serde(default = "first")]
    #[schemars(extend("readOnly" = true))]
    pub revision: u32,
    #[serde(default = "draft")]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[schemars(length(min = 1, max = 4))]
    pub editions: Vec<Edition>,
    #[schemars(length(max = 40))]
    pub prices: Vec<Price>,
    /// Whole days.
    #[serde(default = "fortnight")]
    #[schemars(range(min = 0, max = 60))]
    pub trial_days: u16,
    pub approval: Approval,
    pub limits: Limits,
    pub rate: Rate,
    #[schemars(length(max = 60))]
    pub modules: Vec<String>,
    #[schemars(length(max = 40))]
    pub features: Vec<String>,
    /// The gateway's usage plan of the tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 60))]
    pub usage_plan_id: Option<String>,
}

fn first() -> u32 {
    1
}
fn draft() -> Status {
    Status::Draft
}
fn fortnight() -> u16 {
    14
}

/// Features that a plan can give.
pub const FEATURES: &[&str] = &[
    "sso",
    "scim",
    "custom_roles",
    "device_keys",
    "webhooks",
    "fhir",
    "ai",
    "warehouse_export",
    "white_label",
    "marketplace",
    "dual_approval",
];

impl Plan {
    /// The same plan of the same revision has the same id in every deployment, so that seeding repeats safely.
    pub fn id_of(code: &str, revision: u32) -> PlanId {
        let hash = seal::sha256(format!("plan:{code}:{revision}").as_bytes());
        PlanId::of(Ulid::from_bytes(hash[..16].try_into().expect("sixteen bytes")))
    }

    /// Modules that an organisation of this edition gets, the core included.
    pub fn licensed(&self, edition: Edition) -> Vec<String> {
        let of_edition = catalogue::modules_of(edition);
        let given = of_edition.iter().filter(|m| self.modules.contains(m)).cloned();
        catalogue::core().iter().cloned().chain(given).collect()
    }

    pub fn price(&self, currency: Currency, period: Period) -> Option<&Price> {
        self.prices.iter().find(|p| p.price.currency() == currency && p.period == period)
    }

    /// A plan is sold only where it has a price in the region's money.
    pub fn sellable(&self, region: Region) -> Result<()> {
        let currency = match region {
            Region::Africa => Currency::NGN,
            Region::Europe => Currency::GBP,
        };
        let custom = self.code.starts_with("Custom:");
        match self.prices.iter().find(|p| p.price.currency() == currency) {
            Some(p) if custom || !p.price.is_zero() => Ok(()),
            _ => Err(Error::field(
                "price-missing",
                "/prices",
                format!("a plan sold here has a price in {currency}"),
            )),
        }
    }
}

impl Entity for Plan {
    type Id = PlanId;
    const NOUN: &'static str = "plan";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.code, &r.id])]
        })
        .then(&["code"])
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("code", "plan-exists", |p| vec![format!("{}@{}", p.code, p.revision)])];
}

impl Noun for Plan {
    fn check(&self) -> Vec<Fault> {
        let unknown = |field: &str, all: &[String], known: &dyn Fn(&str) -> bool| -> Vec<Fault> {
            let wrong = all.iter().enumerate().filter(|(_, name)| !known(name));
            wrong
                .map(|(n, name)| {
                    Fault::new(format!("/{field}/{n}"), "unknown", format!("there is no {name}"))
                })
                .collect()
        };
        let mut faults = unknown("modules", &self.modules, &|m| catalogue::is_module(m));
        faults.extend(unknown("features", &self.features, &|f| FEATURES.contains(&f)));
        let negative = self.prices.iter().enumerate().filter(|(_, p)| p.price.is_negative());
        faults.extend(
            negative.map(|(n, _)| Fault::new(format!("/prices/{n}/price"), "range", "not below zero")),
        );
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        possible(record, ctx)
    }
}

impl Lifecycle for Plan {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("publish", "plan.publish", &[Status::Draft], Status::Published),
        Step::of("retire", "plan.edit", &[Status::Published], Status::Retired),
    ];
}
