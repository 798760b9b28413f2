//! TEN-1: an organisation signs itself up. Nobody is signed in yet: the draft is reached by its id and a token
//! that was shown once, and only digests of token and code are kept.

mod mailbox;
mod proof;
mod public;
mod review;

pub use review::{approve_automatically, told_rejected};

use crate::{details::Details, plan::Period, region::TransferBasis, tenant::Tenant};
use authz::Edition;
use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, Fault, Id, Lifecycle, PlanId, Result, SignupId, Step, TenantId,
    country::{Country, Region},
    phone::E164,
    text,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Due, Entity, List, Record, Row};
use web::{Ctx, Noun, Route, noun::possible};

kernel::words! {
    pub enum Status {
        Draft = "draft",
        /// The address of the administrator is theirs.
        Verified = "verified",
        Submitted = "submitted",
        Approved = "approved",
        Rejected = "rejected",
        Expired = "expired",
    }
}

/// The terms that were accepted, when and from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    #[schemars(length(min = 1, max = 20))]
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub ip: Option<Sealed<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Signup {
    #[schemars(length(min = 2, max = 100))]
    pub organisation_name: String,
    pub edition: Edition,
    pub country: Country,
    /// Where the organisation's records will live.
    pub region: Region,
    /// The ground for keeping records in another country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_basis: Option<TransferBasis>,
    #[serde(flatten)]
    pub details: Details,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub admin_given_name: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub admin_family_name: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub admin_email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 5, max = 40))]
    pub admin_phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_period: Option<Period>,
    /// The organisation's short name in addresses; held for the applicant while the sign-up lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 30))]
    pub slug: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_terms: Option<Terms>,
    #[serde(default = "draft")]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    /// Seven days after the last step.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub expires_at: Timestamp,
}

fn draft() -> Status {
    Status::Draft
}

/// How long a sign-up waits for its next step.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Waiting longer than this for a decision is told to the platform's administrators.
const WAITING: SignedDuration = SignedDuration::from_hours(24);

impl Signup {
    /// Puts what was typed into the form that is kept; every fault of this step at once.
    pub fn settle(&mut self, now: Timestamp, ip: &str) -> Vec<Fault> {
        let mut faults = self.details.settle(self.country);
        for (field, name) in [
            ("/admin_given_name", &mut self.admin_given_name),
            ("/admin_family_name", &mut self.admin_family_name),
        ] {
            match name.as_deref().map(|n| text::person_name(n)) {
                Some(Ok(plain)) => *name = Some(Sealed(plain)),
                Some(Err(e)) => faults.push(e.fault(field)),
                None => {}
            }
        }
        match self.admin_phone.as_deref().map(|p| E164::parse(p, self.country)) {
            Some(Ok(e164)) => self.admin_phone = Some(Sealed(e164.as_str().into())),
            Some(Err(e)) => faults.push(e.fault("/admin_phone")),
            None => {}
        }
        match self.admin_email.as_deref().map(|e| text::email(e)) {
            Some(Ok(plain)) => self.admin_email = Some(Sealed(plain)),
            Some(Err(e)) => faults.push(e.fault("/admin_email")),
            None => {}
        }
        if let Some(Err(e)) = self.slug.as_deref().map(text::slug) {
            faults.push(e.fault("/slug"));
        }
        if let Some(terms) = self.accepted_terms.as_mut().filter(|t| t.at.is_none()) {
            (terms.at, terms.ip) = (Some(now), Some(Sealed(ip.into())));
        }
        self.expires_at = now + PATIENCE;
        faults
    }

    /// What is still to be given before it can be submitted.
    pub fn missing(&self, needs_basis: bool) -> Vec<&'static str> {
        let d = &self.details;
        let registered = self.edition != Edition::Eap;
        let wanted = [
            ("address", d.address.is_some()),
            ("city", d.city.is_some()),
            ("state", d.state.is_some()),
            ("postal_code", d.postal_code.is_some() || self.country == Country::NG),
            ("phone", d.phone.is_some()),
            ("email", d.email.is_some()),
            ("registration_number", d.registration_number.is_some() || !registered),
            ("admin_given_name", self.admin_given_name.is_some()),
            ("admin_family_name", self.admin_family_name.is_some()),
            ("admin_email", self.admin_email.is_some()),
            ("admin_phone", self.admin_phone.is_some()),
            ("plan", self.plan.is_some()),
            ("billing_period", self.billing_period.is_some()),
            ("slug", self.slug.is_some()),
            ("accepted_terms", self.accepted_terms.is_some()),
            ("transfer_basis", self.transfer_basis.is_some() || !needs_basis),
        ];
        wanted.into_iter().filter(|(_, given)| !given).map(|(name, _)| name).collect()
    }
}

/// The organisation that a sign-up becomes is known from the start, so that its slug can be held for it.
pub fn tenant_of(signup: SignupId) -> TenantId {
    TenantId::of(signup.ulid())
}

/// Frees what the sign-up holds for an organisation that will not come to be.
pub(crate) fn let_go(commit: Commit, signup: &Record<Signup>) -> Commit {
    let commit = match &signup.body.slug {
        Some(slug) => commit.unguard::<Tenant>("slug", slug),
        None => commit,
    };
    // Only a submitted one holds its registration.
    match signup.body.details.registration(signup.body.country) {
        Some(number)
            if matches!(signup.body.status, Status::Submitted | Status::Rejected | Status::Approved) =>
        {
            commit.unguard::<Tenant>("registration_number", &number)
        }
        _ => commit,
    }
}

impl Entity for Signup {
    type Id = SignupId;
    const NOUN: &'static str = "signup";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])
            .oldest_first(),
    ];

    fn due(record: &Record<Self>) -> Vec<Due> {
        match record.body.status {
            Status::Draft | Status::Verified => vec![Due { at: record.body.expires_at, what: "expiry" }],
            Status::Submitted => vec![Due { at: record.updated_at + WAITING, what: "waiting" }],
            _ => vec![],
        }
    }
}

impl Noun for Signup {
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        possible(record, ctx).into_iter().filter(|c| matches!(*c, "approve" | "reject")).collect()
    }
}

impl Lifecycle for Signup {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[VERIFY, SUBMIT, APPROVE, REJECT, EXPIRE];
}

pub(crate) const VERIFY: Step<Signup> =
    Step::of("verify-email", "signup.edit", &[Status::Draft], Status::Verified);
pub(crate) const SUBMIT: Step<Signup> =
    Step::of("submit", "signup.edit", &[Status::Verified], Status::Submitted);
pub(crate) const APPROVE: Step<Signup> =
    Step::<Signup>::of("approve", "tenant.approve", &[Status::Submitted], Status::Approved).reason();
pub(crate) const REJECT: Step<Signup> =
    Step::<Signup>::of("reject", "tenant.reject", &[Status::Submitted], Status::Rejected).reason();
pub(crate) const EXPIRE: Step<Signup> =
    Step::of("expire", "signup.edit", &[Status::Draft, Status::Verified], Status::Expired);

pub fn routes() -> Vec<Route> {
    let mut routes = public::routes();
    routes.extend(review::routes());
    routes
}

/// The clock came: the draft ends, and its slug is free again.
pub async fn expire(app: &web::App, rung: &crate::doors::Rung) -> Result<()> {
    let store = crate::doors::system(app, store::Scope::Platform, "signup", &rung.id).await?;
    let old = store.fresh::<Signup>(rung.id.parse()?).await?;
    if !matches!(old.body.status, Status::Draft | Status::Verified) || old.body.expires_at > store.now() {
        return Ok(());
    }
    let mut new = old.next(store.now());
    new.body.advance(&EXPIRE, store.clock().today(&jiff::tz::TimeZone::UTC))?;
    let commit = store.commit().update("expire", &old, &new).emit(events::TenantEvent::SignupExpired);
    let_go(commit, &old).run().await
}

/// The clock came: nobody has decided for a day.
pub async fn waiting(app: &web::App, rung: &crate::doors::Rung) -> Result<()> {
    let store = crate::doors::system(app, store::Scope::Platform, "signup", &rung.id).await?;
    let old = store.fresh::<Signup>(rung.id.parse()?).await?;
    if old.body.status == Status::Submitted && old.updated_at + WAITING <= store.now() {
        tracing::warn!(signup = %old.id, "a sign-up has waited for a decision for more than a day");
        // The next version's time moves the due row a day on.
        let new = old.next(store.now());
        return store.commit().update("remind", &old, &new).run().await;
    }
    Ok(())
}

/// Query of a history.
pub(crate) fn paging(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "before": {"type": "integer", "minimum": 1},
        },
        "additionalProperties": false,
    })
}

/// A draft that is not there, one whose token is wrong: one answer.
pub(crate) fn unknown() -> Error {
    Error::Missing
}
