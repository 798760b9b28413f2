//! The trail as it lies there, for the verifier: nothing is opened, no key is needed.

use super::{Trace, Trail};
use crate::{
    Store,
    chain::{AccessLeaf, Head, Kept, Leaf, Link, typed},
    error::refused,
    item::{s, text},
    schema::DAY_SHARDS,
};
use jiff::civil::Date;
use kernel::Result;
use std::collections::HashMap;

impl Store {
    /// Everything of a UTC day, in the order of time and id.
    pub async fn leaves(&self, day: Date) -> Result<Vec<Leaf>> {
        let shards = (0..DAY_SHARDS).map(|shard| self.shard_of(day, shard));
        let mut all = futures::future::try_join_all(shards).await?.concat();
        all.sort();
        Ok(all)
    }

    async fn shard_of(&self, day: Date, shard: u32) -> Result<Vec<Leaf>> {
        let (mut leaves, mut after) = (vec![], String::new());
        loop {
            let page = self.forward(&Trail::Day(day, shard), &after, "", None).await?;
            leaves.extend(page.data.iter().filter_map(leaf));
            match page.next {
                Some(next) => after = next,
                None => return Ok(leaves),
            }
        }
    }

    /// A record's links from a version on, ascending, at most `limit`.
    pub async fn links(&self, kind: &str, record: &str, from: u64, limit: usize) -> Result<Vec<Link>> {
        let (mut links, mut start) = (vec![], None);
        loop {
            let query = self
                .sdk
                .query()
                .table_name(&*self.table)
                .key_condition_expression("pk = :p AND sk BETWEEN :a AND :b")
                .expression_attribute_values(":p", s(format!("{}#chg#{kind}#{record}", self.scope)))
                .expression_attribute_values(":a", s(format!("v#{from:010}")))
                .expression_attribute_values(":b", s("v#~"))
                .consistent_read(true)
                .limit(i32::try_from(limit - links.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let out = query.send().await.map_err(|e| refused("links", &e))?;
            let items = out.items.unwrap_or_default();
            links.extend(items.iter().filter_map(|item| Link::read(&typed(item))));
            start = out.last_evaluated_key;
            if start.is_none() || links.len() >= limit {
                return Ok(links);
            }
        }
    }

    /// Records of any kind, by `(kind, id)`; missing ones are left out.
    pub async fn heads(&self, records: &[(&str, &str)]) -> Result<Vec<Head>> {
        let place = |(kind, id): &(&str, &str)| (format!("{}#{kind}#{id}", self.scope), ".".to_string());
        let places: Vec<_> = records.iter().map(place).collect();
        let items = self.at_places(&places).await?;
        Ok(items.values().filter_map(|item| Head::read(&typed(item))).collect())
    }

    /// The plain attributes of records of any kind, by `(kind, id)`: for looking up whom they are about.
    pub async fn plainly(&self, records: &[(&str, &str)], names: &[&str]) -> Result<HashMap<String, String>> {
        let place = |(kind, id): &(&str, &str)| (format!("{}#{kind}#{id}", self.scope), ".".to_string());
        let items = self.at_places(&records.iter().map(place).collect::<Vec<_>>()).await?;
        let told = items.values().filter_map(|item| {
            let value = names.iter().find_map(|name| text(item, name).ok())?;
            Some((text(item, "id").ok()?.to_string(), value.to_string()))
        });
        Ok(told.collect())
    }

    /// Items as they lie there, in the database's own JSON: for exports that prove themselves.
    pub async fn raw_changes(&self, traces: &[Trace]) -> Result<Vec<serde_json::Value>> {
        Ok(self.of_traces(traces).await?.iter().map(typed).collect())
    }

    /// Entries that were anchored, as they lie there.
    pub async fn kept(&self, leaves: &[AccessLeaf]) -> Result<Vec<Kept>> {
        let place =
            |l: &AccessLeaf| (format!("{}#access#{}", self.scope, l.key), format!("{}#{}", l.at, l.id));
        let items = self.at_places(&leaves.iter().map(place).collect::<Vec<_>>()).await?;
        Ok(items.values().filter_map(|item| Kept::read(&typed(item))).collect())
    }
}

/// Of a change's index entry: `{time}#{record}#{version}`.
fn leaf(trace: &Trace) -> Option<Leaf> {
    let (kind, record) = trace.record()?;
    let version: u64 = trace.sk.strip_prefix("v#")?.parse().ok()?;
    Some(Leaf {
        at: trace.sort.split('#').next()?.into(),
        id: format!("{kind}#{record}#{version}"),
        record: record.into(),
        version,
        hash: trace.hash.clone(),
    })
}
