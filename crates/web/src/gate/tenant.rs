//! The fact `tenant#self`: what the subscription decides for every request. Written by the tenants module.

use authz::Edition;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

kernel::words! {
    pub enum Status {
        Provisioning = "provisioning",
        Trial = "trial",
        Active = "active",
        PastDue = "past_due",
        Suspended = "suspended",
        Closing = "closing",
        Closed = "closed",
        Erased = "erased",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantGate {
    pub status: Status,
    pub slug: String,
    pub name: String,
    pub edition: Edition,
    /// ISO 3166.
    pub country: String,
    /// IANA.
    pub time_zone: String,
    /// BCP 47.
    pub language: String,
    /// ISO 4217.
    pub currency: String,
    pub plan: String,
    /// Modules the plan gives.
    pub licensed: Vec<String>,
    /// Modules that are switched on, of those.
    pub on: Vec<String>,
    pub features: Vec<String>,
    /// By name: users, patients, doctors, …; no entry = unlimited.
    #[serde(default)]
    pub limits: BTreeMap<String, u64>,
    /// Version per settings section: readers drop what they cached when it rises.
    #[serde(default)]
    pub settings: BTreeMap<String, u64>,
    /// The settings every request may need, so that no request reads them: section → values.
    #[serde(default)]
    pub policies: serde_json::Map<String, serde_json::Value>,
    /// By limit or module: the published plans that lift the one or give the other.
    #[serde(default)]
    pub lifted_by: BTreeMap<String, Vec<String>>,
    /// Raised by every change of the fact, so that two changes at once cannot lose one another.
    #[serde(default)]
    pub rev: u64,
}

/// Modules that are never switched off.
pub const CORE: &[&str] =
    &["tenants", "identity", "documents", "audit", "notifications", "workflow", "privacy", "integrations"];

/// Modules that this release brings. A plan may name more: what is sold with it comes with later releases, and
/// until then it is off, so that nothing waits for what such a module would say. A module joins the list with
/// its first route; the organisations' `on` follows when their modules section is next written.
pub const BUILT: &[&str] = &[
    "tenants",
    "identity",
    "patients",
    "scheduling",
    "audit",
    "documents",
    "notifications",
    "integrations",
    "workflow",
    "eap",
];

impl TenantGate {
    /// 423 while the organisation is not open for this kind of request.
    pub fn open(&self, reading: bool) -> Result<()> {
        match self.status {
            Status::Trial | Status::Active | Status::PastDue => Ok(()),
            Status::Closing if reading => Ok(()),
            Status::Closing => Err(Error::locked(
                "tenant-closing",
                "this organisation is being closed: records can be read and exported, not changed",
            )),
            Status::Provisioning => Err(Error::locked(
                "tenant-not-ready",
                "this organisation is being set up; try again in a minute",
            )),
            Status::Suspended => Err(Error::locked(
                "tenant-suspended",
                "this organisation is suspended; its administrator has been told how to reactivate it",
            )),
            Status::Closed | Status::Erased => {
                Err(Error::locked("tenant-closed", "this organisation is closed"))
            }
        }
    }

    /// 403 if the plan does not give the module, or it is switched off.
    pub fn module(&self, name: &str) -> Result<()> {
        if CORE.contains(&name) {
            return Ok(());
        }
        if !self.licensed.iter().any(|m| m == name) {
            let detail = format!("the plan {} does not include {name}", self.plan);
            let plans = self.lifted_by.get(name).cloned().unwrap_or_default();
            return Err(Error::forbidden("module-not-licensed", detail)
                .with("module", name)
                .with("plans", plans));
        }
        if !self.on.iter().any(|m| m == name) {
            let detail = format!("{name} is switched off; an administrator can switch it on in the settings");
            return Err(Error::forbidden("module-off", detail).with("module", name));
        }
        Ok(())
    }

    /// A refusal for a reached limit, with what is allowed and the plans that allow more.
    pub fn explain(&self, error: Error) -> Error {
        let Error::Refused(refusal) = &error else { return error };
        let limit =
            refusal.extra.get("limit").and_then(serde_json::Value::as_str).unwrap_or_default().to_string();
        match self.limits.get(&limit) {
            Some(allowed) if refusal.code == "limit-reached" && !refusal.extra.contains_key("allowed") => {
                let plans = self.lifted_by.get(&limit).cloned().unwrap_or_default();
                error.with("used", allowed).with("allowed", allowed).with("lifted_by", plans)
            }
            _ => error,
        }
    }

    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// A tenant's own number for a policy, or the product's default.
    pub fn policy(&self, name: &str, default: i64) -> i64 {
        self.policies.get(name).and_then(serde_json::Value::as_i64).unwrap_or(default)
    }
}
