//! Counters: numbers that are never given twice, and quotas that are exact under any concurrency.

use crate::{
    Commit, Key, Store, When,
    condition::is,
    error::refused,
    item::{n, number, s},
    key::{join, segment},
    schema::{PK, SK},
};
use aws_sdk_dynamodb::types::ReturnValue;
use kernel::{Error, Result};
use serde::Deserialize;
use std::fmt::Display;

impl Key {
    /// A counter per name and scope (a year, a site).
    pub fn sequence(name: &str, scope: impl Display) -> Self {
        Self { pk: join(&[&"seq", &name, &segment(&scope.to_string())]), sk: ".".into() }
    }
    /// What is left of a limit, on one of its shards.
    pub fn quota(name: &str, shard: u32) -> Self {
        Self { pk: join(&[&"quota", &name, &shard]), sk: ".".into() }
    }
}

impl Store {
    /// The next number. Unique and rising; a commit that fails afterwards leaves a gap.
    pub async fn next_number(&self, name: &str, scope: impl Display) -> Result<u64> {
        let key = Key::sequence(name, scope);
        let out = self
            .sdk
            .update_item()
            .table_name(&*self.table)
            .key(PK, s(format!("{}#{}", self.scope, key.pk)))
            .key(SK, s(key.sk))
            .update_expression("ADD #v :one")
            .expression_attribute_names("#v", "value")
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|e| refused("number", &e))?;
        let value = out.attributes.as_ref().and_then(|a| number(a, "value"));
        value.and_then(|v| u64::try_from(v).ok()).ok_or_else(|| Error::internal("a counter without a value"))
    }

    /// The number that is next where there may be no gaps: [`Commit::number`] takes it in the commit that uses it.
    pub async fn upcoming(&self, name: &str, scope: impl Display) -> Result<u64> {
        #[derive(Deserialize)]
        struct Counter {
            value: u64,
        }
        let counter: Option<Counter> = self.read(&Key::sequence(name, scope)).await?;
        Ok(counter.map_or(0, |c| c.value) + 1)
    }

    /// Adds to a ttl counter and returns what it is now; for limits over time, where exactness at the edge of
    /// the window does not matter.
    pub async fn count(&self, key: &Key, ttl: jiff::Timestamp) -> Result<u64> {
        let out = self
            .sdk
            .update_item()
            .table_name(&*self.table)
            .key(PK, s(format!("{}#{}", self.scope, key.pk)))
            .key(SK, s(&key.sk))
            .update_expression("ADD #v :one SET #t = :t")
            .expression_attribute_names("#v", "value")
            .expression_attribute_names("#t", "ttl")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":t", n(ttl.as_second()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|e| refused("count", &e))?;
        let value = out.attributes.as_ref().and_then(|a| number(a, "value"));
        Ok(value.unwrap_or_default().unsigned_abs())
    }
}

impl Commit {
    /// Takes a number that [`Store::upcoming`] has read; if somebody else took it meanwhile, the commit is stale.
    pub fn number(self, name: &str, scope: impl Display, number: u64) -> Self {
        let when = if number == 1 { When::Absent } else { is("value", number - 1) };
        self.add_if(&Key::sequence(name, scope), "value", 1, when, |_| Error::meanwhile())
    }
}
