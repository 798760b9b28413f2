//! Who is to do it: a person, whoever holds a role (here, or at one site), a team.

use kernel::{Error, Result, SiteId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};
use store::{Commit, Key, facts};
use web::{Actor, Ctx};

kernel::words! {
    pub enum Kind { User = "user", Role = "role", RoleAtSite = "role_at_site", Team = "team" }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assignee {
    pub kind: Kind,
    /// A user, a role, a team; of a role at a site the role, whose site is the task's.
    #[schemars(length(min = 1, max = 60), regex(pattern = r"^[A-Za-z0-9_]+$"))]
    pub value: String,
    /// Of a role at a site; the task's own where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
}

impl Assignee {
    pub fn user(id: impl fmt::Display) -> Self {
        Self { kind: Kind::User, value: id.to_string(), site: None }
    }
    pub fn role(slug: &str) -> Self {
        Self { kind: Kind::Role, value: slug.into(), site: None }
    }
    pub fn is_user(&self, user: &str) -> bool {
        self.kind == Kind::User && self.value == user
    }
    /// As a role's own site where it needs one and the task has one.
    pub fn at(mut self, site: Option<SiteId>) -> Self {
        if self.kind == Kind::RoleAtSite {
            self.site = self.site.or(site);
        }
        self
    }

    /// Whether this person belongs to it, as far as their token tells; teams are asked of their fact.
    pub fn takes_in(&self, actor: &Actor) -> bool {
        match self.kind {
            Kind::User => self.value == actor.user,
            Kind::Role => actor.roles.contains(&self.value),
            Kind::RoleAtSite => {
                actor.roles.contains(&self.value) && self.site.is_some_and(|s| actor.sites.has(&s))
            }
            Kind::Team => false,
        }
    }

    /// The same, teams included.
    pub async fn has(&self, ctx: &Ctx) -> Result<bool> {
        if self.kind != Kind::Team {
            return Ok(self.takes_in(ctx.actor()));
        }
        let key = Key::member(facts::MEMBERS, format!("team~{}", self.value), &ctx.actor().user);
        Ok(ctx.store().read::<Value>(&key).await?.is_some())
    }

    /// 422 unless there is somebody who could do it; of a named person that holds at the moment of the commit.
    pub async fn check(&self, ctx: &Ctx) -> Result<()> {
        let members = match self.kind {
            Kind::User => {
                self.value.parse::<UserId>().map_err(|_| invalid("no such user"))?;
                return Ok(());
            }
            Kind::RoleAtSite if self.site.is_none() => {
                return Err(invalid("a role at a site needs the site"));
            }
            Kind::Role | Kind::RoleAtSite => format!("role~{}", self.value),
            Kind::Team => format!("team~{}", self.value),
        };
        let key = Key::member(facts::MEMBERS, members, "");
        match ctx.store().under::<Value>(&key, "", 1).await?.is_empty() {
            true => Err(invalid("nobody holds this role or belongs to this team")),
            false => Ok(()),
        }
    }

    pub fn require(&self, commit: Commit) -> Commit {
        match self.kind {
            Kind::User => {
                commit.require(facts::ACTIVE_USER, &self.value, || invalid("this user is not active"))
            }
            _ => commit,
        }
    }
}

fn invalid(detail: &str) -> Error {
    Error::field("assignee-invalid", "/assignee", detail)
}

/// `role_at_site~nurse~sit_…`: how lists and events name it.
impl fmt::Display for Assignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.kind, self.value)?;
        match self.site.filter(|_| self.kind == Kind::RoleAtSite) {
            Some(site) => write!(f, "~{site}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Assignee {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut words = text.split('~');
        let kind = words.next().and_then(|k| k.parse().ok()).ok_or_else(|| invalid("no such assignee"))?;
        let value = words.next().filter(|v| !v.is_empty()).ok_or_else(|| invalid("no such assignee"))?;
        let site = words.next().map(str::parse).transpose()?;
        Ok(Self { kind, value: value.into(), site })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignee_reads_back_as_it_is_written() {
        for text in [
            "user~usr_01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "role~nurse",
            "role_at_site~nurse~sit_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ] {
            assert_eq!(text.parse::<Assignee>().unwrap().to_string(), text);
        }
        assert_eq!("ghost~x".parse::<Assignee>().unwrap_err().code(), "assignee-invalid");
    }
}
