//! What a consumer keeps of other modules' records. Order is not kept on the way, so it compares versions.

use crate::{
    Commit, Key, Store, When,
    commit::{Act, Means},
    error::refused,
    item::{Item, n, s},
    replay::plain,
    schema::{PK, SK},
};
use kernel::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;

/// The code of a write that came too late: a newer version is there. A consumer is done then.
pub const SUPERSEDED: &str = "superseded";

impl Commit {
    /// Puts what is known of a record at a version, only if what is stored is of a lower one. The item gets the
    /// attribute `version`.
    pub fn put_newer(mut self, key: &Key, version: u64, body: &impl Serialize) -> Self {
        let older = i64::try_from(version).unwrap_or(i64::MAX);
        let when = When::Absent.or(When::Below("version", older));
        let refusal = |_| Error::conflict(SUPERSEDED, "a newer version of it is known");
        let before = self.writes.len();
        self = self.put_if(key, body, when, refusal);
        if let Some(write) = self.writes.get_mut(before)
            && let Act::Put(item) = &mut write.act
        {
            item.insert("version".into(), n(version));
            // As with an effect that was made before: told before every other reason.
            write.means = Means::Again(Box::new(refusal));
        }
        self
    }
}

impl Store {
    /// What changes of a record say openly, in order: those after one version up to another.
    pub async fn steps(&self, kind: &str, id: impl Display, after: u64, until: u64) -> Result<Vec<Value>> {
        let (mut steps, mut start): (Vec<Value>, Option<Item>) = (vec![], None);
        if after >= until {
            return Ok(steps);
        }
        loop {
            let query = self
                .sdk
                .query()
                .table_name(&*self.table)
                .key_condition_expression("#p = :p AND #s BETWEEN :a AND :b")
                .expression_attribute_names("#p", PK)
                .expression_attribute_names("#s", SK)
                .expression_attribute_values(":p", s(format!("{}#chg#{kind}#{id}", self.scope)))
                .expression_attribute_values(":a", s(format!("v#{:010}", after + 1)))
                .expression_attribute_values(":b", s(format!("v#{until:010}")))
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let out = query.send().await.map_err(|e| refused("steps", &e))?;
            steps.extend(out.items.unwrap_or_default().into_iter().filter_map(plain));
            start = out.last_evaluated_key;
            if start.is_none() {
                return Ok(steps);
            }
        }
    }
}
