//! Practitioners: who can be booked, for what, how far ahead (FHIR PractitionerRole).

mod api;
pub use api::routes;

use events::SchedulingEvent;
use kernel::{EmployeeId, Error, Fault, PractitionerId, Result, SiteId, UserId, error::found, money::Money};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, List, Record, Row, Unique};
use web::{
    Actor, Ctx, Noun, Reach,
    noun::{Hooks, Written},
};

kernel::words! {
    /// Shown beside the name; booking follows rules and blocks, never this.
    pub enum Presence { Available = "available", OnLeave = "on_leave", Offline = "offline" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Practitioner {
    pub user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
    #[schemars(length(min = 1, max = 120))]
    pub display_name: String,
    /// Codes: `general_practice`, `obstetrics`.
    #[schemars(length(min = 1, max = 10), inner(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$")))]
    pub specialties: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub qualification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 70))]
    pub experience_years: Option<u8>,
    /// Offered to billing as the charge code `consultation:<prc>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consultation_fee: Option<Money>,
    #[serde(default = "available")]
    pub availability_status: Presence,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 5, max = 30))]
    pub phone: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 20))]
    pub sites: Vec<SiteId>,
    /// 5–120, a multiple of 5; else the tenant's `appointment_slot_minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 120))]
    pub default_slot_minutes: Option<u32>,
    /// 0–30, a multiple of 5: kept free after each appointment.
    #[serde(default)]
    #[schemars(range(max = 30))]
    pub buffer_minutes: u32,
    /// Empty = every type.
    #[serde(default)]
    #[schemars(length(max = 20), inner(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$")))]
    pub bookable_types: Vec<String>,
    #[serde(default)]
    pub self_booking: bool,
    #[serde(default = "an_hour")]
    #[schemars(range(max = 10_080))]
    pub min_notice_minutes: u32,
    #[serde(default = "a_quarter")]
    #[schemars(range(min = 1, max = 366))]
    pub max_ahead_days: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub max_per_day: Option<u32>,
    /// Before the token numbers: `A` makes `A-012`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Z]{1,2}$"))]
    pub queue_prefix: Option<String>,
    #[serde(default = "yes")]
    pub active: bool,
}

fn available() -> Presence {
    Presence::Available
}
fn an_hour() -> u32 {
    60
}
fn a_quarter() -> u32 {
    90
}
fn yes() -> bool {
    true
}

impl Entity for Practitioner {
    type Id = PractitionerId;
    const NOUN: &'static str = "practitioner";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("site", &["site"], |r| {
            r.body.sites.iter().map(|s| Row::new(&[s], &[&r.body.display_name, &r.id])).collect()
        })
        .oldest_first(),
        List::<Self>::by("specialty", &["specialty"], |r| {
            r.body.specialties.iter().map(|s| Row::new(&[s], &[&r.body.display_name, &r.id])).collect()
        })
        .oldest_first(),
    ];
    /// One profile per login and per employee: also how events that name a user or an employee find it.
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("user_id", "practitioner-exists", |p| vec![p.user_id.to_string()]),
        Unique::of("employee_id", "practitioner-exists", |p| {
            p.employee_id.iter().map(ToString::to_string).collect()
        }),
    ];
}

impl Noun for Practitioner {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::None => false,
            Reach::Site | Reach::Team => record.body.sites.iter().any(|s| actor.sites.has(s)),
            _ => record.body.user_id.to_string() == actor.user,
        }
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        let mut five = |at: &str, minutes: u32| {
            if !minutes.is_multiple_of(5) {
                faults.push(Fault::new(at, "not-five-minutes", "a multiple of 5 minutes"));
            }
        };
        five("/default_slot_minutes", self.default_slot_minutes.unwrap_or(5));
        five("/buffer_minutes", self.buffer_minutes);
        faults
    }
}

pub fn unknown() -> Error {
    Error::field("unknown-practitioner", "/practitioner_id", "there is no such practitioner here")
}

/// One whom somebody named, as they were read.
pub fn known(read: Result<Record<Practitioner>>) -> Result<Record<Practitioner>> {
    found(read)?.filter(|p| p.deleted_at.is_none()).ok_or_else(unknown)
}

/// Whether this profile is the caller's own, for nouns that practitioners keep themselves.
pub async fn is_caller(ctx: &Ctx, id: Option<PractitionerId>) -> Result<bool> {
    let Some(id) = id.filter(|_| ctx.reach() > Reach::None) else { return Ok(false) };
    let record = found(ctx.store().get::<Practitioner>(id).await)?;
    Ok(record.is_some_and(|r| r.body.user_id.to_string() == ctx.actor().user))
}

impl Hooks for Practitioner {
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if old.is_none() && ctx.reach() != Reach::All {
            return Err(Error::forbidden("forbidden", "only an administrator adds practitioners"));
        }
        let Some(old) = old.filter(|_| action == "update") else { return Ok(()) };
        if old.body.user_id != new.body.user_id {
            return Err(Error::field("fixed", "/user_id", "a profile stays with its user; make a new one"));
        }
        if ctx.only() == Some(authz::Only::NotFee) && old.body.consultation_fee != new.body.consultation_fee {
            return Err(Error::forbidden("forbidden", "your own fee is set by an administrator"));
        }
        Ok(())
    }
    async fn on_write(
        _: &Ctx,
        Written { old, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        let active = new.body.active && new.deleted_at.is_none();
        let (practitioner, user) = (new.id, new.body.user_id);
        Ok(commit.emit(match old {
            None => SchedulingEvent::PractitionerAdded { practitioner, user },
            Some(_) => SchedulingEvent::PractitionerUpdated { practitioner, user, active },
        }))
    }
}

/// Whether this practitioner works at one of the caller's sites.
pub async fn is_near(ctx: &Ctx, id: Option<PractitionerId>) -> Result<bool> {
    let Some(id) = id else { return Ok(false) };
    let record = found(ctx.store().get::<Practitioner>(id).await)?;
    Ok(record.is_some_and(|r| Practitioner::within(&r, ctx.reach(), ctx.actor())))
}
