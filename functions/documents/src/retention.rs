//! Retention classes: how long documents of a class are kept, from when, and why.

use crate::{
    rights,
    shipped::{self, Shipped},
};
use jiff::{ToSpan, civil::Date};
use kernel::{Error, Fault, Result, RetentionClassId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use store::{Entity, List, Record, Unique};
use web::{Actor, Ctx, Noun, Reach, Route, noun::Hooks};

kernel::words! {
    /// From when the period counts.
    pub enum Trigger {
        Created = "created",
        /// Copies that may be kept for a while after somebody has looked at them: DBS certificates.
        Verified = "verified",
        Expired = "expired",
        /// The person has left, the care has ended, the complaint is closed.
        SubjectEnded = "subject_ended",
        Superseded = "superseded",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Retention {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// None for what is kept for good. More than 240 is for administrators.
    #[schemars(range(min = 1, max = 1200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_months: Option<u32>,
    #[serde(default)]
    pub permanent: bool,
    pub trigger: Trigger,
    /// The law or the reason, with its date.
    #[schemars(length(min = 1, max = 500))]
    pub basis: String,
    /// No shorter period is accepted; the product's for what it ships.
    #[schemars(range(min = 1, max = 1200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_months: Option<u32>,
}

/// Months that others than administrators may set: 20 years.
const BAND: u32 = 240;

impl Retention {
    /// The day from which it may be disposed of; none while its time does not count, or if it is kept for good.
    pub fn ends(&self, from: Option<Date>) -> Option<Date> {
        let months = i64::from(self.period_months?.max(self.floor_months.unwrap_or(0)));
        from?.checked_add(months.months()).ok()
    }
}

impl Entity for Retention {
    type Id = RetentionClassId;
    const NOUN: &'static str = "retention_class";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "code-taken", |c| vec![c.code.clone()])];
}

impl Noun for Retention {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    fn check(&self) -> Vec<Fault> {
        match (self.permanent, self.period_months) {
            (true, Some(_)) | (false, None) => {
                vec![Fault::new("/period_months", "required", "give a period, or say that it is permanent")]
            }
            _ => vec![],
        }
    }
}

impl Hooks for Retention {
    fn before(_: &Ctx, _: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        // The floor of a shipped class is the law's: a tenant's version keeps it.
        if let Some(floor) = Self::shipped().iter().find(|(id, _)| *id == new.id).map(|(_, s)| s.floor_months)
        {
            new.body.floor_months = floor;
        }
        let floor = new.body.floor_months.or(old.and_then(|o| o.body.floor_months)).unwrap_or(0);
        if new.body.period_months.is_some_and(|m| m < floor) {
            let detail = format!("{} is kept {floor} months at least: {}", new.body.name, new.body.basis);
            return Err(Error::field("below-floor", "/period_months", detail));
        }
        Ok(())
    }
}

static SHIPPED: LazyLock<Vec<(RetentionClassId, Retention)>> =
    LazyLock::new(|| shipped::read(include_str!("../data/retention.json")));

impl Shipped for Retention {
    const PATH: &'static str = "/v1/documents/retention_classes";
    const VIEW: &'static str = "retention.view";
    const CREATE: &'static str = "retention.edit";
    const EDIT: &'static str = "retention.edit";
    const DELETE: &'static str = "retention.edit";
    fn shipped() -> &'static [(RetentionClassId, Self)] {
        &SHIPPED
    }
    fn code(&self) -> &str {
        &self.code
    }
    fn permit(&self, ctx: &Ctx) -> Result<()> {
        let long = self.permanent || self.period_months.is_some_and(|m| m > BAND);
        let holder = ctx.holder();
        let admin = holder.context.is_some() || rights::roles(&holder).contains(&"tenant_admin");
        if long && !admin {
            let detail = "more than 20 years, or for good, is an administrator's decision";
            return Err(Error::forbidden("administrator-needed", detail));
        }
        Ok(())
    }
}

pub fn routes() -> Vec<Route> {
    shipped::routes::<Retention>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: &str) -> Retention {
        Retention::shipped().iter().find(|(_, r)| r.code == code).unwrap().1.clone()
    }

    #[test]
    fn a_leavers_staff_file_is_due_six_years_later() {
        let left: Date = "2026-11-30".parse().unwrap();
        assert_eq!(class("staff_file").ends(Some(left)), Some("2032-11-30".parse().unwrap()));
        assert_eq!(class("staff_file").ends(None), None, "whoever has not left");
        assert_eq!(class("permanent").ends(Some(left)), None);
        assert_eq!(
            class("dbs_copy").ends(Some("2026-08-31".parse().unwrap())),
            Some("2027-02-28".parse().unwrap())
        );
    }

    #[test]
    fn what_is_shipped_holds_its_own_floor() {
        for (_, r) in Retention::shipped() {
            assert!(r.check().is_empty(), "{}", r.code);
            assert!(r.period_months.is_none_or(|m| m >= r.floor_months.unwrap_or(0)), "{}", r.code);
        }
    }
}
