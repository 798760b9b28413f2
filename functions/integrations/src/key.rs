//! Partner keys (INT-1): a machine's way in. Two things in one record: a login that authenticates (client id and
//! secret) and a gateway key that meters; calls carry both, and both must be the same key's.

pub mod api;
mod clock;
mod create;
mod metering;
mod published;
mod reactions;
mod rotate;
mod usage;

pub use clock::tasks;
pub use metering::counting;
pub use reactions::reactions;

use crate::tier::{Environment, Tier};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{Fault, Id, PartnerKeyId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Status {
        /// Its login is being made, or could not be: the same request again, or `repair`, finishes it; else the clock
        /// ends it.
        Creating = "creating",
        Active = "active",
        /// Two secrets are good until the older one dies.
        Rotating = "rotating",
        Revoked = "revoked",
        Expired = "expired",
    }
}

/// What is known of a secret: enough to tell it from another one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Known {
    /// The login's own name for it.
    pub secret_id: String,
    /// Its last four characters.
    pub hint: String,
    pub made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dies_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PartnerKey {
    pub name: String,
    /// Whoever answers for the machine.
    pub owner_email: Sealed<String>,
    /// Permissions.
    pub scopes: Vec<String>,
    /// Sites it reaches, or `*`.
    pub sites: Vec<String>,
    pub tier: Tier,
    pub environment: Environment,
    /// Networks it may call from; none = from anywhere.
    #[serde(default)]
    pub ip_allow: Vec<String>,
    pub expires_at: Timestamp,
    /// What it asks for tokens with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The gateway's name of its `x-api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_key_id: Option<String>,
    /// Newest last.
    #[serde(default)]
    pub secrets: Vec<Known>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_on: Option<Date>,
    pub status: Status,
    /// How many of the four warnings before its end were given.
    #[serde(default)]
    pub warned: u8,
}

/// Days before its end on which its owner is warned.
pub const WARNED: [u16; 4] = [30, 14, 7, 1];
/// How long a key that could not be made waits for somebody before it ends.
const UNFINISHED: SignedDuration = SignedDuration::from_hours(1);

impl PartnerKey {
    pub fn works(&self) -> bool {
        matches!(self.status, Status::Active | Status::Rotating)
    }
    pub fn nets(&self) -> Vec<IpNet> {
        self.ip_allow.iter().filter_map(|net| net.parse().ok()).collect()
    }
    /// Modules that its permissions lie in, and ours, where it finds itself.
    pub fn modules(&self) -> Vec<String> {
        let named = self.scopes.iter().filter_map(|s| authz::rule(s)).map(|r| r.module.to_string());
        let mut all: Vec<String> = named.chain(["integrations".into()]).collect();
        all.sort();
        all.dedup();
        all
    }
    pub fn usage_plan(&self) -> &'static str {
        self.tier.usage_plan(self.environment)
    }
    /// The next warning: when, and of how many days.
    pub fn warning(&self) -> Option<(Timestamp, u16)> {
        let days = *WARNED.get(usize::from(self.warned))?;
        Some((self.expires_at - SignedDuration::from_hours(24 * i64::from(days)), days))
    }
    /// Warnings whose time has passed are not given any more.
    pub fn skip_past(&mut self, now: Timestamp) {
        while self.warning().is_some_and(|(at, _)| at <= now) {
            self.warned += 1;
        }
    }
    /// When the older of two secrets dies.
    pub fn overlap_ends(&self) -> Option<Timestamp> {
        self.secrets.iter().filter_map(|s| s.dies_at).min().filter(|_| self.status == Status::Rotating)
    }
}

impl Entity for PartnerKey {
    type Id = PartnerKeyId;
    const NOUN: &'static str = "partner_key";
    /// Somebody's address stands in it.
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])];
    /// Free again once a key has ended.
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("name", "duplicate", |k| match k.status {
        Status::Revoked | Status::Expired => vec![],
        _ => vec![k.name.trim().to_lowercase()],
    })];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let key = &record.body;
        if key.status == Status::Creating {
            return vec![Due { at: record.created_at + UNFINISHED, what: "unfinished" }];
        }
        if !key.works() {
            return vec![];
        }
        let mut due = vec![Due { at: key.expires_at, what: "expire" }];
        due.extend(key.warning().map(|(at, _)| Due { at, what: "warn" }));
        due.extend(key.overlap_ends().map(|at| Due { at, what: "overlap" }));
        due
    }
}

impl Noun for PartnerKey {
    /// A machine knows of itself.
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::None => false,
            _ => record.id.to_string() == actor.user,
        }
    }
    fn check(&self) -> Vec<Fault> {
        let wrong = |(at, _)| Fault::new(format!("/ip_allow/{at}"), "format", "a network: 196.6.103.0/24");
        let nets = self.ip_allow.iter().enumerate();
        nets.filter(|(_, net)| net.parse::<IpNet>().is_err()).map(wrong).collect()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let may = |permission| ctx.may(permission) > Reach::None;
        let mut actions = vec![];
        match record.body.status {
            Status::Creating if may("partner_key.create") => actions.push("repair"),
            Status::Active if may("partner_key.rotate") => actions.push("rotate"),
            _ => {}
        }
        if (record.body.works() || record.body.status == Status::Creating) && may("partner_key.revoke") {
            actions.push("revoke");
        }
        actions
    }
}

/// How many keys an organisation has; the commit that makes one counts it, under the limit of its tier.
pub(crate) fn count() -> store::Key {
    store::Key::item("count", PartnerKeyId::KIND, ".")
}

#[cfg(test)]
mod tests;
