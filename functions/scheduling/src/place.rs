//! What other modules publish about patients, sites and links, as this module reads it. The facts' shapes are
//! their owners' (`spec/names.md`); what is not needed here is not read.

use jiff::{civil::Date, tz::TimeZone};
use kernel::{Error, PatientId, Result, SiteId, UserId};
use serde::Deserialize;
use serde_json::Value;
use store::{Commit, Key, When, facts, is};
use web::Ctx;

/// `fact#site#<sit>`
#[derive(Clone, Debug, Deserialize)]
pub struct Site {
    #[serde(default)]
    pub open: bool,
    pub time_zone: Option<String>,
}

impl Site {
    /// Of a fact that was read; 422 if there is no such site, or it is closed.
    pub fn of(fact: Option<Value>) -> Result<Self> {
        let site: Option<Self> = fact.and_then(|f| serde_json::from_value(f).ok());
        let unknown = || Error::field("unknown-site", "/site", "there is no such site, or it is closed");
        site.filter(|s| s.open).ok_or_else(unknown)
    }
    /// The site's own zone, else the organisation's.
    pub fn zone(&self, ctx: &Ctx) -> TimeZone {
        let own = self.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        own.unwrap_or_else(|| ctx.zone())
    }
}

pub async fn site(ctx: &Ctx, id: SiteId) -> Result<Site> {
    Site::of(ctx.store().fact(facts::SITE, id).await?)
}

/// `fact#patient#<pat>`
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Patient {
    pub birth_date: Option<String>,
}

impl Patient {
    pub fn of(fact: Option<Value>) -> Self {
        fact.and_then(|f| serde_json::from_value(f).ok()).unwrap_or_default()
    }
    /// Whole years on a day; none if the birth date is not known.
    pub fn age(&self, on: Date) -> Option<i16> {
        let born: Date = self.birth_date.as_deref()?.parse().ok()?;
        let had = (on.month(), on.day()) >= (born.month(), born.day());
        Some(on.year() - born.year() - i16::from(!had))
    }
}

/// The commit happens only for a patient who is live and not merged.
pub fn patient_lives(commit: Commit, patient: PatientId) -> Commit {
    let live = is("live", true).and(When::Without("merged_into"));
    commit.check(&Key::fact(facts::PATIENT, patient), live, patient_refusal)
}

/// Why a patient cannot be named, from what their fact says.
fn patient_refusal(fact: Option<Value>) -> Error {
    let Some(fact) = fact else {
        return Error::field("unknown-patient", "/patient_id", "there is no such patient here");
    };
    if let Some(survivor) = fact["merged_into"].as_str() {
        let detail = "this registration was merged into another one: use that patient";
        return Error::conflict("patient-merged", detail).with("survivor", survivor);
    }
    if fact["status"] == "deceased" {
        return Error::conflict("patient-deceased", "this patient is recorded as deceased");
    }
    Error::conflict("patient-not-live", "this registration is closed")
}

/// Whether the caller is the patient, or may do this for them.
pub async fn linked(ctx: &Ctx, patient: PatientId, scope: &str) -> Result<bool> {
    Ok(ctx.linked(patient).await?.is_some_and(|link| link.gives(scope)))
}

/// The commit happens only for a practitioner who is cleared, where vetting is part of the plan.
pub fn cleared(ctx: &Ctx, commit: Commit, user: Option<UserId>) -> Commit {
    let vetted = ctx.tenant().is_ok_and(|t| t.module("compliance").is_ok());
    match user.filter(|_| vetted) {
        Some(user) => commit.require(facts::CLEARED, user, || {
            Error::unprocessable(
                "not-cleared",
                "this practitioner is not cleared to work: see their vetting file",
            )
        }),
        None => commit,
    }
}
