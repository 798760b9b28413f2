//! The register of organisations: one record each in the platform's part, and the life of a subscription.

mod api;
pub mod life;
pub mod notices;
pub mod time;

pub use api::{Reason, begin_closing, routes};
pub use web::gate::Status;

use crate::{details::Details, limits::Limits, plan::Period, region::TransferBasis};
use authz::Edition;
use jiff::{Timestamp, civil::Date};
use kernel::{
    Lifecycle, OperatorId, PlanId, SignupId, Step, TenantId,
    country::{Country, Region},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row, Unique};
use web::{Ctx, Noun, noun::possible};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tenant {
    pub name: String,
    pub edition: Edition,
    pub country: Country,
    pub region: Region,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_basis: Option<TransferBasis>,
    #[serde(flatten)]
    pub details: Details,
    pub slug: String,
    /// The organisation's own host; an operator sets it who has seen its DNS record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    pub plan: PlanId,
    pub plan_code: String,
    pub plan_revision: u32,
    pub billing_period: Period,
    #[serde(default)]
    pub limits_override: Limits,
    /// IANA: days of trial and payment are days there.
    pub time_zone: String,
    /// The last whole day of the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_ends_on: Option<Date>,
    /// The last day that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_until: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_due_since: Option<Date>,
    /// The day on which an unpaid organisation is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_on: Option<Date>,
    /// How often `suspend_on` was moved; at most twice.
    #[serde(default)]
    pub extensions: u8,
    /// The last notice that was sent, in days before the trial's end or after the due date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_closing: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erase_after: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_operator: Option<OperatorId>,
    pub signup: SignupId,
}

impl Tenant {
    /// Whether the organisation may work.
    pub fn is_active(&self) -> bool {
        matches!(self.status, Status::Trial | Status::Active | Status::PastDue)
    }
}

impl Entity for Tenant {
    type Id = TenantId;
    const NOUN: &'static str = "tenant";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("status", &["status"], |r| {
            let until =
                r.body.paid_until.or(r.body.trial_ends_on).map_or("9999-12-31".into(), |d| d.to_string());
            vec![Row::new(&[&r.body.status], &[&until, &r.id])]
        })
        .range()
        .oldest_first(),
        List::by("plan", &["plan"], |r| vec![Row::new(&[&r.body.plan_code], &[&r.id])]),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("slug", "slug-taken", |t| vec![t.slug.clone()]),
        Unique::of("domain", "domain-taken", |t| t.domain.iter().cloned().collect()),
        Unique::of("registration_number", "already-registered", |t| {
            t.details.registration(t.country).into_iter().collect()
        }),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        time::dues(&record.body)
    }
}

impl Noun for Tenant {
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        possible(record, ctx)
    }
}

use Status::{Active, Closing, PastDue, Suspended, Trial};

impl Lifecycle for Tenant {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[ACTIVATE, SUSPEND, REACTIVATE, EXTEND, CLOSE, CANCEL_CLOSING];
}

pub const ACTIVATE: Step<Tenant> = Step::of("activate", "tenant.activate", &[Trial], Active);
pub const SUSPEND: Step<Tenant> =
    Step::<Tenant>::of("suspend", "tenant.suspend", &[Trial, Active, PastDue], Suspended).reason();
pub const REACTIVATE: Step<Tenant> =
    Step::<Tenant>::of("reactivate", "tenant.reactivate", &[PastDue, Suspended], Active).reason();
pub const EXTEND: Step<Tenant> =
    Step::<Tenant>::of("extend", "tenant.extend", &[PastDue], PastDue).guard(time::may_extend);
pub const CLOSE: Step<Tenant> =
    Step::<Tenant>::of("close", "tenant.close", &[Trial, Active, PastDue, Suspended], Closing).reason();
/// Where it goes back to is what it was before.
pub const CANCEL_CLOSING: Step<Tenant> =
    Step::<Tenant>::of("cancel-closing", "tenant.close", &[Closing], Active).reason();
