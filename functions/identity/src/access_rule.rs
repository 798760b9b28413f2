//! From where, and for how long without a break, a role may work (IDN-9). Hours of the day and places wait: no
//! guard asks for them yet, and a rule that nothing enforces would promise too much.

use crate::{access::Access, gated::Gated};
use events::IdentityEvent;
use ipnet::IpNet;
use kernel::{AccessRuleId, Error, Fault, Result, country::Country};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use store::{Entity, List, Record, Unique};
use web::{
    Ctx, Noun,
    gate::{AccessRule as Gate, Mode},
};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccessRule {
    #[schemars(length(min = 1, max = 40))]
    pub role: String,
    /// `report` only writes to the log who would have been refused.
    pub mode: Mode,
    /// Networks, IPv4 or IPv6; none = from anywhere.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 1, max = 50)), extend("uniqueItems" = true))]
    pub allow_cidr: Vec<String>,
    /// ISO 3166; none = from anywhere.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 2, max = 2)), extend("uniqueItems" = true))]
    pub allow_countries: Vec<String>,
    #[serde(default)]
    pub deny_unknown_country: bool,
    /// Minutes without a request after which a session ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 720))]
    pub idle_minutes: Option<u16>,
    /// Hours after which a session ends however active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 720))]
    pub absolute_hours: Option<u16>,
}

impl AccessRule {
    fn gate(&self) -> Gate {
        let Self { role, mode, allow_countries, deny_unknown_country, idle_minutes, absolute_hours, .. } =
            self.clone();
        Gate {
            role,
            mode,
            allow_cidr: self.nets(),
            allow_countries,
            deny_unknown_country,
            idle_minutes,
            absolute_hours,
        }
    }
    fn nets(&self) -> Vec<IpNet> {
        self.allow_cidr.iter().filter_map(|net| net.parse().ok()).collect()
    }
}

impl Entity for AccessRule {
    type Id = AccessRuleId;
    const NOUN: &'static str = "access_rule";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("role", "duplicate", |r| vec![r.role.clone()])];
}

impl Noun for AccessRule {
    fn check(&self) -> Vec<Fault> {
        let nets = self.allow_cidr.iter().enumerate().filter(|(_, net)| net.parse::<IpNet>().is_err());
        let nets = nets.map(|(n, _)| {
            Fault::new(format!("/allow_cidr/{n}"), "format", "expected a network: 10.1.0.0/16")
        });
        let countries = self.allow_countries.iter().enumerate();
        let countries = countries
            .filter_map(|(n, c)| Some(c.parse::<Country>().err()?.fault(format!("/allow_countries/{n}"))));
        nets.chain(countries).collect()
    }
}

impl Gated for AccessRule {
    const REASON: bool = true;

    fn permit(ctx: &Ctx, old: Option<&Self>, new: &Self) -> Result<()> {
        if old.is_some_and(|old| old.role != new.role) {
            return Err(Error::field("immutable", "/role", "take this rule back and make another"));
        }
        let custom = ctx.gate().access.custom.iter().any(|c| c.slug == new.role);
        let edition = ctx.gate().tenant.as_ref().map(|t| t.edition);
        if !custom && authz::role(&new.role).is_none_or(|role| !role.exists_in(edition)) {
            return Err(Error::field("unknown-right", "/role", "there is no such role in this organisation"));
        }
        let ip: Option<IpAddr> = ctx.store().caller().ip.parse().ok();
        let inside =
            new.allow_cidr.is_empty() || new.nets().iter().any(|net| ip.is_some_and(|ip| net.contains(&ip)));
        // No front tells the country yet, so it is unknown for everybody.
        let outside = new.mode == Mode::Enforce && (!inside || new.deny_unknown_country);
        if outside && ctx.actor().roles.contains(&new.role) {
            let detail = "this rule would refuse your next request: you call from outside it, or from an unknown country";
            return Err(Error::field("locks-you-out", "/role", detail));
        }
        Ok(())
    }
    fn put(&self, access: Access) -> Access {
        access.set_rule(self.gate())
    }
    fn take(&self, access: Access) -> Access {
        access.drop_rule(&self.role)
    }
    /// No event of its own: the change record is what there is to know.
    fn event(_: &Record<Self>) -> Option<IdentityEvent> {
        None
    }
}
