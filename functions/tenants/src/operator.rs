//! TEN-7: the platform's own people. They are outside every organisation and enter one only by a context.

mod api;

pub use api::{first, routes};

use ipnet::IpNet;
use jiff::Timestamp;
use kernel::{Error, Fault, Lifecycle, OperatorId, Result, Step, error::found, text};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Unique};
use web::{Actor, Ctx, Noun, Reach, noun::possible};

kernel::words! { pub enum Status { Active = "active", Suspended = "suspended" } }
kernel::words! {
    pub enum Role { Admin = "platform_admin", Support = "platform_support", Billing = "platform_billing" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Operator {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9._-]{2,39}$"))]
    pub username: String,
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub email: Sealed<String>,
    #[schemars(length(min = 1, max = 100))]
    pub first_name: Sealed<String>,
    #[schemars(length(min = 1, max = 100))]
    pub last_name: Sealed<String>,
    #[schemars(length(min = 1, max = 3), extend("uniqueItems" = true))]
    pub roles: Vec<Role>,
    #[serde(default = "yes")]
    pub can_create_tenants: bool,
    #[serde(default = "yes")]
    pub can_suspend_tenants: bool,
    #[serde(default)]
    pub can_delete_tenants: bool,
    /// Networks they may work from (CIDR); empty = anywhere.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(max = 43)))]
    pub ip_allow: Vec<String>,
    #[serde(default = "active")]
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    /// Tokens of an older generation have ended.
    #[serde(default = "one")]
    #[schemars(extend("readOnly" = true))]
    pub generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub last_login: Option<Timestamp>,
}

fn yes() -> bool {
    true
}
fn one() -> u64 {
    1
}
fn active() -> Status {
    Status::Active
}

/// A right that stands on the operator's own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Create,
    Suspend,
    Delete,
}

impl Operator {
    pub fn has(&self, flag: Flag) -> bool {
        match flag {
            Flag::Create => self.can_create_tenants,
            Flag::Suspend => self.can_suspend_tenants,
            Flag::Delete => self.can_delete_tenants,
        }
    }
    pub fn is_active_admin(&self) -> bool {
        self.status == Status::Active && self.roles.contains(&Role::Admin)
    }
    /// Whether what this operator may do differs; such a change needs a reason and ends their tokens.
    fn rights_differ(&self, other: &Self) -> bool {
        let of = |o: &Self| {
            (
                o.roles.clone(),
                o.can_create_tenants,
                o.can_suspend_tenants,
                o.can_delete_tenants,
                o.ip_allow.clone(),
            )
        };
        of(self) != of(other)
    }
    pub fn networks(&self) -> Vec<IpNet> {
        self.ip_allow.iter().filter_map(|net| net.parse().ok()).collect()
    }
}

/// The caller's own record, if it carries the flag and they are still one of us.
pub async fn flagged(ctx: &Ctx, flag: Flag) -> Result<Record<Operator>> {
    let missing = || Error::forbidden("flag-missing", "your operator record does not allow this");
    let id = crate::doors::operator(ctx).ok_or_else(missing)?;
    let record = found(ctx.store().get::<Operator>(id).await)?.ok_or_else(missing)?;
    let live = record.deleted_at.is_none() && record.body.status == Status::Active;
    if live && record.body.has(flag) { Ok(record) } else { Err(missing()) }
}

impl Entity for Operator {
    type Id = OperatorId;
    const NOUN: &'static str = "operator";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("username", "username-taken", |o| vec![o.username.clone()]),
        Unique::of("email", "email-taken", |o| vec![o.email.to_lowercase()]),
    ];
}

impl Noun for Operator {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        reach == Reach::All || actor.id::<OperatorId>() == Some(record.id)
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            text::email(&self.email).err().map(|e| e.fault("/email")).into_iter().collect();
        for (n, net) in self.ip_allow.iter().enumerate().filter(|(_, net)| net.parse::<IpNet>().is_err()) {
            faults.push(Fault::new(
                format!("/ip_allow/{n}"),
                "cidr",
                format!("{net:?} is no network: write 10.1.0.0/16"),
            ));
        }
        faults
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        possible(record, ctx)
    }
}

impl Lifecycle for Operator {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::<Self>::of("suspend", "operator.suspend", &[Status::Active], Status::Suspended).reason(),
        Step::<Self>::of("activate", "operator.suspend", &[Status::Suspended], Status::Active).reason(),
    ];
}
