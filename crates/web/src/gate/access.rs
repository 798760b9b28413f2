//! The fact `access#self`: what takes or gives rights between two tokens. Written by the identity module.

use authz::{CustomRole, Override};
use ipnet::IpNet;
use jiff::Timestamp;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccessGate {
    /// By user: tokens of an older generation have ended. Kept a little longer than any token lives.
    #[serde(default)]
    pub revoked: BTreeMap<String, Revoked>,
    /// Everybody's tokens issued before this have ended.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// Sessions ended one by one, by the id that all their tokens share (`origin_jti`), until no refresh can
    /// carry them further.
    #[serde(default)]
    pub sessions: BTreeMap<String, Timestamp>,
    #[serde(default)]
    pub elevated: Vec<Elevated>,
    #[serde(default)]
    pub overrides: Vec<Override>,
    #[serde(default)]
    pub custom: Vec<CustomRole>,
    #[serde(default)]
    pub rules: Vec<AccessRule>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revoked {
    /// The generation that is valid now.
    pub generation: u64,
    pub at: Timestamp,
    /// The user may not get a new token either.
    #[serde(default)]
    pub ended: bool,
}

/// A role lent for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elevated {
    pub elevation: String,
    pub user: String,
    pub role: String,
    pub from: Timestamp,
    pub until: Timestamp,
}

kernel::words! {
    pub enum Mode { Enforce = "enforce", Report = "report" }
}

/// From where and when a role may work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessRule {
    pub role: String,
    pub mode: Mode,
    /// Empty = from anywhere.
    #[serde(default)]
    pub allow_cidr: Vec<IpNet>,
    /// ISO 3166; empty = from anywhere.
    #[serde(default)]
    pub allow_countries: Vec<String>,
    #[serde(default)]
    pub deny_unknown_country: bool,
    /// Minutes without a request after which a session of this role ends; none = the role's own.
    #[serde(default)]
    pub idle_minutes: Option<u16>,
    /// Hours after which a session of this role ends however active; none = the product's.
    #[serde(default)]
    pub absolute_hours: Option<u16>,
}

impl AccessGate {
    /// The refusal for a token that has ended, if it has.
    pub fn ended(&self, user: &str, generation: u64, signed_in: Option<Timestamp>) -> Option<Error> {
        let stale = |code, detail| Some(Error::stranger(code, detail));
        if let Some(revoked) = self.revoked.get(user) {
            if revoked.ended {
                return stale("session-ended", "this session was ended; sign in again");
            }
            if generation < revoked.generation {
                return stale("token-stale", "your rights have changed; refresh your token");
            }
        }
        match (self.not_before, signed_in) {
            (Some(limit), Some(at)) if at < limit => {
                stale("session-ended", "this session was ended; sign in again")
            }
            _ => None,
        }
    }

    /// Roles lent to this user now, and the elevation they come from.
    pub fn lent<'a>(&'a self, user: &'a str, now: Timestamp) -> impl Iterator<Item = &'a Elevated> {
        self.elevated.iter().filter(move |e| e.user == user && e.from <= now && now < e.until)
    }

    /// 403 if a rule of one of these roles does not let the caller in from there. Rules that only report are
    /// logged by the caller of this.
    pub fn permit(&self, roles: &[String], ip: Option<IpAddr>, country: Option<&str>) -> Result<()> {
        let refused = self.rules.iter().filter(|r| roles.contains(&r.role)).find(|r| !r.allows(ip, country));
        match refused {
            Some(rule) if rule.mode == Mode::Enforce => Err(Error::forbidden(
                "ip-not-allowed",
                format!("the role {} may not work from this address or country", rule.role),
            )),
            Some(rule) => {
                tracing::warn!(
                    role = rule.role,
                    "an access rule in report mode would have refused this request"
                );
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl AccessRule {
    pub fn allows(&self, ip: Option<IpAddr>, country: Option<&str>) -> bool {
        let from = self.allow_cidr.is_empty()
            || ip.is_some_and(|ip| self.allow_cidr.iter().any(|net| net.contains(&ip)));
        let land = match country {
            Some(country) => {
                self.allow_countries.is_empty() || self.allow_countries.iter().any(|c| c == country)
            }
            None => !self.deny_unknown_country,
        };
        from && land
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(cidr: &[&str], countries: &[&str], deny_unknown: bool) -> AccessRule {
        AccessRule {
            role: "finance".into(),
            mode: Mode::Enforce,
            allow_cidr: cidr.iter().map(|c| c.parse().unwrap()).collect(),
            allow_countries: countries.iter().map(|c| c.to_string()).collect(),
            deny_unknown_country: deny_unknown,
            idle_minutes: None,
            absolute_hours: None,
        }
    }

    #[test]
    fn an_address_outside_the_networks_is_refused() {
        let office = rule(&["10.1.0.0/16", "2001:db8::/32"], &[], false);
        assert!(office.allows("10.1.2.3".parse().ok(), None));
        assert!(office.allows("2001:db8::7".parse().ok(), None));
        assert!(!office.allows("10.2.0.1".parse().ok(), None));
        assert!(!office.allows(None, None));
    }

    #[test]
    fn an_unknown_country_passes_unless_the_rule_says_otherwise() {
        assert!(rule(&[], &["NG"], false).allows(None, None));
        assert!(!rule(&[], &["NG"], true).allows(None, None));
        assert!(rule(&[], &["NG"], true).allows(None, Some("NG")));
        assert!(!rule(&[], &["NG"], false).allows(None, Some("FR")));
    }

    #[test]
    fn a_token_older_than_the_last_change_of_rights_is_stale() {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut gate = AccessGate::default();
        gate.revoked.insert("usr_1".into(), Revoked { generation: 4, at, ended: false });
        assert_eq!(gate.ended("usr_1", 3, None).unwrap().code(), "token-stale");
        assert!(gate.ended("usr_1", 4, None).is_none());
        assert!(gate.ended("usr_2", 0, None).is_none());
        gate.revoked.get_mut("usr_1").unwrap().ended = true;
        assert_eq!(gate.ended("usr_1", 4, None).unwrap().code(), "session-ended");
    }

    #[test]
    fn a_lent_role_ends_at_the_minute() {
        let at = |m: i64| {
            "2026-01-01T10:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(m)
        };
        let gate = AccessGate {
            elevated: vec![Elevated {
                elevation: "elv_1".into(),
                user: "usr_1".into(),
                role: "tenant_admin".into(),
                from: at(0),
                until: at(120),
            }],
            ..Default::default()
        };
        assert_eq!(gate.lent("usr_1", at(-1)).count(), 0);
        assert_eq!(gate.lent("usr_1", at(0)).count(), 1);
        assert_eq!(gate.lent("usr_1", at(119)).count(), 1);
        assert_eq!(gate.lent("usr_1", at(120)).count(), 0);
        assert_eq!(gate.lent("usr_2", at(5)).count(), 0);
    }
}
