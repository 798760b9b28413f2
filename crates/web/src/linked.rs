//! What a person may do for another.

use crate::Ctx;
use jiff::Timestamp;
use kernel::Result;
use serde::Deserialize;
use std::fmt::Display;
use store::facts;

/// `fact#linked#<usr>~<person>`, which the patients module writes for persons themselves too.
#[derive(Deserialize)]
pub struct Linked {
    #[serde(default)]
    scopes: Vec<String>,
    until: Option<Timestamp>,
    basis: Option<String>,
}

impl Linked {
    pub fn is_oneself(&self) -> bool {
        self.basis.as_deref() == Some("self")
    }
    pub fn gives(&self, scope: &str) -> bool {
        self.is_oneself() || self.scopes.iter().any(|s| s == scope)
    }
}

impl Ctx {
    /// The caller's link to a person, while it lasts.
    pub async fn linked(&self, person: impl Display) -> Result<Option<Linked>> {
        let place = format!("{}~{person}", self.actor().user);
        let link: Option<Linked> = self.store().fact(facts::LINKED, place).await?;
        Ok(link.filter(|l| l.until.is_none_or(|until| until > self.now())))
    }
}
