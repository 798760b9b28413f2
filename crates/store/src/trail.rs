//! Reading the trail, and keeping access entries: change records by day, actor and action, access entries by record,
//! person and actor, each in one query; their bodies by key in batches.

mod evidence;
mod keep;

use crate::{
    Change, Page, Store,
    chain::{Kept, typed},
    change::record_at,
    error::refused,
    item::{Item, blob, s, text},
    list::LAST,
    schema::{GSI4, GSI5, GSI6, Index, PK, SK},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::civil::Date;
use kernel::{Error, Result};
use serde::Deserialize;
use std::collections::HashMap;

/// One ordered part of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trail {
    /// Changes of a UTC day; readers merge the shards.
    Day(Date, u32),
    /// Changes and access entries of a user.
    Actor(String),
    /// Changes by `<kind>.<action>` in a month (`2026-05`).
    Action(String, String),
    /// Access entries about a person.
    Looked(String),
}

impl Trail {
    fn place(&self, store: &Store) -> (Index, String) {
        let scope = store.scope;
        match self {
            Self::Day(day, shard) => (GSI4, format!("{scope}#change#{day}#{shard}")),
            Self::Actor(user) => (GSI5, format!("{scope}#actor#{}", crate::segment(user))),
            Self::Action(action, month) => (GSI6, format!("{scope}#act#{}#{month}", crate::segment(action))),
            Self::Looked(person) => (GSI4, format!("{scope}#looked#{}", crate::segment(person))),
        }
    }
}

/// An index entry: where its body lies, and where it stands in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub pk: String,
    pub sk: String,
    /// `{time}#…`: unique in the tenant, so that it continues a page over several parts.
    pub sort: String,
    pub hash: String,
    /// Of a change; of an access entry, how many persons it touches.
    pub version: u64,
}

impl Trace {
    pub fn is_change(&self) -> bool {
        self.pk.contains("#chg#")
    }
    /// Kind and record of a change.
    pub fn record(&self) -> Option<(&str, &str)> {
        record_at(&self.pk)
    }
}

/// A body of the trail, opened.
#[derive(Clone, Debug)]
pub enum Recorded {
    Change { kind: String, record: String, change: Box<Change> },
    Access(Box<Looked>),
}

/// An access entry with what was sealed of it.
#[derive(Clone, Debug)]
pub struct Looked {
    pub kept: Kept,
    pub context: Context,
}

/// Where somebody called from, and what they said it was for.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
pub struct Context {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ip: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

impl Store {
    /// A page of one part, newest first: places from `from` on and below `before`.
    pub async fn trail(&self, of: &Trail, from: &str, before: &str, limit: i32) -> Result<Vec<Trace>> {
        let (index, partition) = of.place(self);
        let query = self.trail_query(index, &partition, from, before).scan_index_forward(false).limit(limit);
        let out = query.send().await.map_err(|e| refused("trail", &e))?;
        let traces = out.items.unwrap_or_default().into_iter().map(|item| trace(&item, index));
        // BETWEEN includes its end, which is the last place of the page before.
        Ok(traces.collect::<Result<Vec<_>>>()?.into_iter().filter(|t| t.sort != before).collect())
    }

    /// A page of one part in the order of time: places behind `after` (a place, or a time, whose own entries are
    /// behind it) and up to `to`. `next` continues. The one way in which a day's changes are read.
    pub(crate) async fn forward(
        &self,
        of: &Trail,
        after: &str,
        to: &str,
        limit: Option<i32>,
    ) -> Result<Page<Trace>> {
        // `!` sorts before the `#` that goes on after a time, and before everything that a place is made of.
        let after = format!("{after}!");
        if !to.is_empty() && after.as_str() > to {
            return Ok(Page { data: vec![], next: None });
        }
        let (index, partition) = of.place(self);
        let query = self.trail_query(index, &partition, &after, to).set_limit(limit);
        let out = query.send().await.map_err(|e| refused("trail", &e))?;
        let next = out.last_evaluated_key.map(|last| Ok(text(&last, index.sk)?.to_string())).transpose()?;
        let traces = out.items.unwrap_or_default().into_iter().map(|item| trace(&item, index));
        Ok(Page { data: traces.collect::<Result<_>>()?, next })
    }

    fn trail_query(
        &self,
        index: Index,
        partition: &str,
        from: &str,
        before: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let (from, before) =
            (if from.is_empty() { "0" } else { from }, if before.is_empty() { LAST } else { before });
        self.sdk
            .query()
            .table_name(&*self.table)
            .index_name(index.name)
            .key_condition_expression("#p = :p AND #s BETWEEN :a AND :b")
            .expression_attribute_names("#p", index.pk)
            .expression_attribute_names("#s", index.sk)
            .expression_attribute_values(":p", s(partition))
            .expression_attribute_values(":a", s(from.min(before)))
            .expression_attribute_values(":b", s(before))
    }

    /// Bodies in the order asked, opened; what is gone meanwhile is left out.
    pub async fn recorded(&self, traces: &[Trace]) -> Result<Vec<Recorded>> {
        self.of_traces(traces).await?.into_iter().map(|item| self.recorded_of(item)).collect()
    }

    fn recorded_of(&self, item: Item) -> Result<Recorded> {
        let pk = text(&item, PK)?;
        if let Some((kind, record)) = record_at(pk) {
            let (kind, record) = (kind.to_string(), record.to_string());
            return Ok(Recorded::Change { kind, record, change: Box::new(self.change(item)?) });
        }
        Ok(Recorded::Access(Box::new(self.looked_of(&item)?)))
    }

    fn looked_of(&self, item: &Item) -> Result<Looked> {
        let kept =
            Kept::read(&typed(item)).ok_or_else(|| Error::internal("an access entry does not read"))?;
        let sealed = kept.entry.context.as_ref().and_then(|c| STANDARD.decode(c).ok());
        let plain = sealed.map(|sealed| self.unseal(&context_place(&kept.entry.id), &sealed)).transpose()?;
        let context = plain.and_then(|p| serde_json::from_slice(&p).ok()).unwrap_or_default();
        Ok(Looked { kept, context })
    }

    /// Versions of a record of any kind, newest first, below `before`.
    pub async fn changes_of(
        &self,
        kind: &str,
        record: &str,
        before: Option<u64>,
        limit: i32,
    ) -> Result<Vec<Change>> {
        let items = self.changes(kind, &record, before, limit).await?;
        items.into_iter().map(|item| self.change(item)).collect()
    }

    /// Access entries of a record (or `list`, of a kind), newest first: places from `from` on and below `before`.
    pub async fn accesses(&self, key: &str, from: &str, before: &str, limit: i32) -> Result<Vec<Looked>> {
        let items = self.access_items(key, from, before, limit).await?;
        items.iter().map(|item| self.looked_of(item)).collect()
    }

    async fn access_items(&self, key: &str, from: &str, before: &str, limit: i32) -> Result<Vec<Item>> {
        let (from, until) =
            (if from.is_empty() { "0" } else { from }, if before.is_empty() { LAST } else { before });
        let query = self.sdk.query().table_name(&*self.table);
        let query = query
            .key_condition_expression("pk = :p AND sk BETWEEN :a AND :b")
            .expression_attribute_values(":p", s(format!("{}#access#{key}", self.scope)))
            .expression_attribute_values(":a", s(from.min(until)))
            .expression_attribute_values(":b", s(until))
            .scan_index_forward(false)
            .limit(limit);
        let out = query.send().await.map_err(|e| refused("access", &e))?;
        let items = out.items.unwrap_or_default();
        Ok(items.into_iter().filter(|item| text(item, SK).is_ok_and(|sk| sk != before)).collect())
    }

    /// Items of change records and access entries, by their places.
    pub(crate) async fn of_traces(&self, traces: &[Trace]) -> Result<Vec<Item>> {
        let places: Vec<(String, String)> = traces.iter().map(|t| (t.pk.clone(), t.sk.clone())).collect();
        let mut items = self.at_places(&places).await?;
        Ok(places.iter().filter_map(|place| items.remove(place)).collect())
    }

    async fn at_places(&self, places: &[(String, String)]) -> Result<HashMap<(String, String), Item>> {
        self.batch_of(places.iter().map(|(pk, sk)| (pk.clone(), sk.as_str())).collect(), true).await
    }
}

/// Where the sealed part of an access entry belongs.
pub fn context_place(id: &str) -> String {
    format!("access|{id}")
}

fn trace(item: &Item, index: Index) -> Result<Trace> {
    // A change's is kept as bytes, an access entry's as its sender wrote it.
    let hash = blob(item, "hash").map(hex::encode);
    Ok(Trace {
        pk: text(item, PK)?.into(),
        sk: text(item, SK)?.into(),
        sort: text(item, index.sk)?.into(),
        hash: hash.map_or_else(|| text(item, "hash").map(String::from), Ok)?,
        version: crate::read::version_of(item),
    })
}
