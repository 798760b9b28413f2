//! TEN-2: an approved sign-up becomes an organisation. A run is a record whose parts say what is done; every part
//! is safe to repeat, so a run that broke off goes on where it was.

mod api;
mod run;

pub use api::routes;
pub use run::{answered, closed, go, stuck};

use crate::tenant::Tenant;
use jiff::{SignedDuration, Timestamp};
use kernel::{Id, ProvisioningId, SignupId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Due, Entity, List, Record, Row};
use web::{Ctx, Noun};

kernel::words! {
    pub enum Status {
        Running = "running",
        /// Prepared: other modules have still to answer.
        Waiting = "waiting",
        /// Longer than an hour without an end.
        Stuck = "stuck",
        /// Open; the administrator's invitation is still to be sent.
        Open = "open",
        Done = "done",
        Abandoned = "abandoned",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Provisioning {
    pub tenant: TenantId,
    pub signup: SignupId,
    pub status: Status,
    /// What is done, and since when: `key`, `records`, one per answer, `open`, `invited`.
    pub parts: BTreeMap<String, Timestamp>,
    #[serde(default)]
    pub attempts: u32,
    /// The code of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    pub stuck_at: Timestamp,
}

/// Answers that an organisation waits for before it opens. `policies.installed` joins them with the privacy module.
pub const AWAITED: &[&str] = &["user.prepared"];
/// How long a run may take before somebody is told.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

impl Provisioning {
    pub fn new(tenant: TenantId, signup: SignupId, now: Timestamp) -> Self {
        Self {
            tenant,
            signup,
            status: Status::Running,
            parts: BTreeMap::new(),
            attempts: 0,
            trouble: None,
            stuck_at: now + PATIENCE,
        }
    }
    pub fn has(&self, part: &str) -> bool {
        self.parts.contains_key(part)
    }
    /// Whether everybody has answered.
    pub fn answered(&self) -> bool {
        AWAITED.iter().all(|part| self.has(part))
    }
    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Done | Status::Abandoned)
    }
}

/// One run per organisation, under its own ULID.
pub fn run_of(tenant: TenantId) -> ProvisioningId {
    ProvisioningId::of(tenant.ulid())
}

impl Entity for Provisioning {
    type Id = ProvisioningId;
    const NOUN: &'static str = "provisioning";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])];
    fn due(record: &Record<Self>) -> Vec<Due> {
        match record.body.status {
            Status::Running | Status::Waiting => vec![Due { at: record.body.stuck_at, what: "stuck" }],
            _ => vec![],
        }
    }
}

impl Noun for Provisioning {
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let may = |permission| ctx.may(permission) > web::Reach::None;
        let mut all = vec![];
        if !record.body.is_over() && record.body.status != Status::Open && may("provisioning.resume") {
            all.extend(["resume", "abandon"]);
        }
        all
    }
}

/// The first administrator, handed over to identity: sealed, in the organisation's own part.
#[derive(Serialize, Deserialize)]
pub struct FirstAdministrator {
    pub given_name: seal::Sealed<String>,
    pub family_name: seal::Sealed<String>,
    pub email: seal::Sealed<String>,
    pub phone: seal::Sealed<String>,
}

/// Where it lies.
pub fn first_administrator() -> store::Key {
    store::Key::item("admin", "first", ".")
}

/// The whole days of a trial begin with the day on which the organisation opens.
pub fn begin(tenant: &mut Tenant, trial_days: u16, now: Timestamp) {
    let today = now.to_zoned(tenant.zone()).date();
    tenant.status = match trial_days {
        0 => crate::tenant::Status::Active,
        days => {
            tenant.trial_ends_on = Some(crate::tenant::time::plus(today, i64::from(days)));
            crate::tenant::Status::Trial
        }
    };
}
