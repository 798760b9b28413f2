//! TEN-9: the places of an organisation: a tree of at most four levels.

mod api;
pub mod tree;

pub use api::{found, main, routes};

use crate::{doors, settings::Hours};
use jiff::tz::TimeZone;
use kernel::{Fault, SiteId, UserId, country::Country, phone::E164};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Kind {
        Hospital = "hospital",
        Clinic = "clinic",
        Branch = "branch",
        Region = "region",
        Laboratory = "laboratory",
        Pharmacy = "pharmacy",
        Office = "office",
        Store = "store",
    }
}
kernel::words! { pub enum Status { Active = "active", Closed = "closed" } }

/// Degrees of WGS 84, and metres around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    #[schemars(range(min = -90, max = 90))]
    pub lat: f64,
    #[schemars(range(min = -180, max = 180))]
    pub lon: f64,
    #[schemars(range(min = 10, max = 50000))]
    pub radius_m: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    #[schemars(length(min = 2, max = 100))]
    pub name: String,
    /// Stands in numbers and in the path.
    #[schemars(regex(pattern = r"^[A-Z0-9]{2,6}$"))]
    pub code: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SiteId>,
    /// Codes from the root: `/NORTH/A`.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub address: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 5, max = 40))]
    pub phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub email: Option<Sealed<String>>,
    /// IANA; the organisation's, if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 60))]
    pub time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Facility id in Nigeria, CQC location id in England.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 50))]
    pub registration_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<UserId>,
    #[serde(default = "active")]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
}

fn active() -> Status {
    Status::Active
}

/// What other modules require: `site#<id>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteFact {
    pub open: bool,
    pub code: String,
    pub path: String,
    pub time_zone: String,
    pub name: String,
}

impl Site {
    /// Puts what was typed into the form that is kept.
    pub fn settle(&mut self, country: Country) -> Vec<Fault> {
        let mut faults = vec![];
        match self.phone.as_deref().map(|p| E164::parse(p, country)) {
            Some(Ok(e164)) => self.phone = Some(Sealed(e164.as_str().into())),
            Some(Err(e)) => faults.push(e.fault("/phone")),
            None => {}
        }
        if let Some(zone) = self.time_zone.as_ref().filter(|z| TimeZone::get(z).is_err()) {
            faults.push(Fault::new(
                "/time_zone",
                "time-zone",
                format!("{zone:?} is no time zone: write Africa/Lagos"),
            ));
        }
        faults.extend(self.hours.iter().flat_map(|h| h.faults("/hours")));
        faults
    }
    pub fn fact(&self, home: &str) -> SiteFact {
        SiteFact {
            open: self.status == Status::Active,
            code: self.code.clone(),
            path: self.path.clone(),
            time_zone: self.time_zone.clone().unwrap_or_else(|| home.into()),
            name: self.name.clone(),
        }
    }
}

impl Entity for Site {
    type Id = SiteId;
    const NOUN: &'static str = "site";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("path", &[], |r| vec![Row::new(&[], &[&r.body.path, &r.id])]).oldest_first(),
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.path, &r.id])]
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("code", "site-code-taken", |s| vec![s.code.clone()])];
}

impl Noun for Site {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        actor.at_site(reach, record.id)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let may = doors::own(ctx).is_ok() && ctx.may("site.edit") == Reach::All;
        match record.body.status {
            _ if !may => vec![],
            Status::Active => vec!["close"],
            Status::Closed => vec!["reopen"],
        }
    }
}
