//! Looking at records without knowing their noun: what of them lies open. Conditions of rules and approval policies
//! read no more than that, so they cannot tell what is sealed.

use crate::{
    Change, Store, Trace, Trail,
    change::record_of,
    item::{Item, text},
    read::version_of,
    schema::{DAY_SHARDS, INDEXES, PK, SK, TTL},
};
use aws_sdk_dynamodb::types::AttributeValue as Av;
use futures::future::try_join_all;
use jiff::civil::Date;
use kernel::Result;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// A record as it lies open.
#[derive(Clone, Debug)]
pub struct Plain {
    pub version: u64,
    /// Fields that are not sealed, with `id` and the record's times.
    pub body: Value,
}

/// A change record with its place, for readers who do not know its noun.
#[derive(Clone, Debug)]
pub struct Changed {
    /// `<kind>#<record>#<version>`, as events are named.
    pub id: String,
    pub kind: String,
    pub record: String,
    pub change: Change,
}

impl Store {
    /// What lies open of a record, by its id alone; `None` if there is none or it is deleted.
    pub async fn plain_record(&self, id: &str) -> Result<Option<Plain>> {
        let Some((kind, _)) = id.split_once('_').filter(|_| !id.contains('#')) else { return Ok(None) };
        let item = self.item(&format!("{}#{kind}#{id}", self.scope), ".", true).await?;
        Ok(item
            .filter(|item| !item.contains_key("deleted_at"))
            .map(|item| Plain { version: version_of(&item), body: open(item) }))
    }

    /// One change, by the id that its event carries.
    pub async fn change_of(&self, id: &str) -> Result<Option<Changed>> {
        let mut words = id.split('#');
        let (Some(kind), Some(record), Some(version)) = (words.next(), words.next(), words.next()) else {
            return Ok(None);
        };
        let Ok(version) = version.parse::<u64>() else { return Ok(None) };
        let pk = format!("{}#chg#{kind}#{record}", self.scope);
        let item = self.item(&pk, &format!("v#{version:010}"), true).await?;
        item.map(|item| self.changed(item)).transpose()
    }

    /// Changes of one day (UTC) in the order of time, after a place (exclusive), at most `limit`, with the place
    /// of the last. Read by key: the index by day holds no bodies.
    pub async fn changes_on(&self, day: Date, after: &str, limit: usize) -> Result<Vec<(String, Changed)>> {
        let many = i32::try_from(limit).unwrap_or(i32::MAX);
        let shards = (0..DAY_SHARDS).map(|shard| Trail::Day(day, shard)).collect::<Vec<_>>();
        let pages =
            try_join_all(shards.iter().map(|shard| self.forward(shard, after, "", Some(many)))).await?;
        let mut found: Vec<Trace> = pages.into_iter().flat_map(|page| page.data).collect();
        found.sort_by(|a, b| a.sort.cmp(&b.sort));
        found.truncate(limit);
        let sorts: HashMap<(&str, &str), &str> =
            found.iter().map(|t| ((t.pk.as_str(), t.sk.as_str()), t.sort.as_str())).collect();
        let items = self.of_traces(&found).await?;
        let read = |item: Item| {
            let sort = sorts.get(&(text(&item, PK)?, text(&item, SK)?)).copied().unwrap_or_default();
            Ok((sort.to_string(), self.changed(item)?))
        };
        items.into_iter().map(read).collect()
    }

    fn changed(&self, item: Item) -> Result<Changed> {
        let (kind, record) = record_of(&item)?;
        let id = format!("{kind}#{record}#{}", version_of(&item));
        let (kind, record) = (kind.to_string(), record.to_string());
        Ok(Changed { id, kind, record, change: self.change(item)? })
    }
}

/// An item without what is sealed and without what belongs to the table.
fn open(mut item: Item) -> Value {
    for name in [PK, SK, TTL, "head"] {
        item.remove(name);
    }
    for index in INDEXES {
        item.remove(index.pk);
        item.remove(index.sk);
    }
    Value::Object(members(item))
}

fn members(map: Item) -> Map<String, Value> {
    map.into_iter().filter_map(|(name, value)| Some((name, plain(value)?))).collect()
}

fn plain(value: Av) -> Option<Value> {
    Some(match value {
        Av::S(text) => text.into(),
        Av::N(number) => serde_json::from_str(&number).ok()?,
        Av::Bool(b) => b.into(),
        Av::Null(_) => Value::Null,
        Av::L(all) => Value::Array(all.into_iter().filter_map(plain).collect()),
        Av::M(map) => Value::Object(members(map)),
        _ => return None,
    })
}
