//! Reading the trail, and keeping access entries: change records by day, actor and action, access entries by record,
//! person and actor, each in one query; their bodies by key in batches.

use crate::{
    Change, Store,
    chain::{AccessLeaf, Head, Kept, Leaf, Link, typed},
    error::refused,
    item::{Item, s, text},
    list::LAST,
    schema::{DAY_SHARDS, GSI4, GSI5, GSI6, Index, PK, SK},
};
use aws_sdk_dynamodb::types::{AttributeValue as Av, PutRequest, WriteRequest};
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

/// The database's bound of one batch.
const BATCH: usize = 25;

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

    /// Everything of a UTC day, in the order of time and id.
    pub async fn leaves(&self, day: Date) -> Result<Vec<Leaf>> {
        let shards = (0..DAY_SHARDS).map(|shard| self.shard_of(day, shard));
        let mut all = futures::future::try_join_all(shards).await?.concat();
        all.sort();
        Ok(all)
    }

    async fn shard_of(&self, day: Date, shard: u32) -> Result<Vec<Leaf>> {
        let (index, partition) = Trail::Day(day, shard).place(self);
        let (mut leaves, mut start) = (vec![], None);
        loop {
            let query = self.trail_query(index, &partition, "", "").set_exclusive_start_key(start);
            let out = query.send().await.map_err(|e| refused("trail", &e))?;
            for item in out.items.unwrap_or_default() {
                leaves.extend(leaf(&trace(&item, index)?));
            }
            start = out.last_evaluated_key;
            if start.is_none() {
                return Ok(leaves);
            }
        }
    }

    /// Bodies in the order asked, opened; what is gone meanwhile is left out.
    pub async fn recorded(&self, traces: &[Trace]) -> Result<Vec<Recorded>> {
        let places: Vec<(String, String)> = traces.iter().map(|t| (t.pk.clone(), t.sk.clone())).collect();
        let mut items = self.at_places(&places).await?;
        let found = places.iter().filter_map(|place| items.remove(place));
        found.map(|item| self.recorded_of(item)).collect()
    }

    fn recorded_of(&self, item: Item) -> Result<Recorded> {
        let pk = text(&item, PK)?;
        if let Some((_, rest)) = pk.split_once("#chg#") {
            let (kind, record) =
                rest.split_once('#').ok_or_else(|| Error::internal("a change of no record"))?;
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

    // ---- for verification: as it lies there, nothing opened

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
        let places: Vec<(String, String)> = traces.iter().map(|t| (t.pk.clone(), t.sk.clone())).collect();
        let items = self.at_places(&places).await?;
        Ok(places.iter().filter_map(|place| items.get(place)).map(typed).collect())
    }

    /// Entries that were anchored, as they lie there.
    pub async fn kept(&self, leaves: &[AccessLeaf]) -> Result<Vec<Kept>> {
        let place =
            |l: &AccessLeaf| (format!("{}#access#{}", self.scope, l.key), format!("{}#{}", l.at, l.id));
        let items = self.at_places(&leaves.iter().map(place).collect::<Vec<_>>()).await?;
        Ok(items.values().filter_map(|item| Kept::read(&typed(item))).collect())
    }

    // ---- keeping

    /// Keeps access entries, each under its own key: a second delivery overwrites itself.
    pub async fn keep_access(&self, entries: &[Kept]) -> Result<()> {
        let mut items: HashMap<(String, String), Item> = HashMap::new();
        for kept in entries {
            let item = self.access_item(kept)?;
            items.insert((text(&item, PK)?.to_string(), text(&item, SK)?.to_string()), item);
        }
        let mut pending: Vec<WriteRequest> = vec![];
        for item in items.into_values() {
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(Error::internal)?;
            pending.push(WriteRequest::builder().put_request(put).build());
        }
        let mut attempt = 0;
        while !pending.is_empty() {
            let rest = pending.split_off(pending.len().min(BATCH));
            let request = self.sdk.batch_write_item().request_items(&*self.table, pending);
            let out = request.send().await.map_err(|e| refused("access", &e))?;
            pending = out.unprocessed_items.unwrap_or_default().remove(&*self.table).unwrap_or_default();
            if !pending.is_empty() {
                self.pause(&mut attempt).await?;
            }
            pending.extend(rest);
        }
        Ok(())
    }

    fn access_item(&self, kept: &Kept) -> Result<Item> {
        let entry = &kept.entry;
        if entry.tenant != self.scope.to_string() {
            return Err(Error::internal("an access entry of another organisation"));
        }
        let mut item: Item = serde_dynamo::to_item(kept).map_err(Error::internal)?;
        item.remove("tenant");
        if let Some(context) = &entry.context {
            let sealed = STANDARD.decode(context).map_err(Error::internal)?;
            item.insert("context".into(), crate::item::b(sealed));
        }
        let mut put = |name: &str, value: String| item.insert(name.into(), s(value));
        let key = entry.key();
        let (kind, record) = key.split_once('#').unwrap_or((&key, "list"));
        put(PK, format!("{}#access#{}#{}", self.scope, crate::segment(kind), crate::segment(record)));
        put(SK, entry.place());
        let mut index = |trail: Trail| {
            let (index, partition) = trail.place(self);
            put(index.pk, partition);
            put(index.sk, entry.place());
        };
        index(Trail::Actor(entry.by.clone()));
        if let Some(person) = &kept.subject {
            index(Trail::Looked(person.clone()));
        }
        item.retain(|_, value| !matches!(value, Av::Null(_)));
        Ok(item)
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
    Ok(Trace {
        pk: text(item, PK)?.into(),
        sk: text(item, SK)?.into(),
        sort: text(item, index.sk)?.into(),
        hash: text(item, "hash")?.into(),
        version: crate::read::version_of(item),
    })
}

/// Of a change's index entry: `{time}#{record}#{version}`.
fn leaf(trace: &Trace) -> Option<Leaf> {
    let (kind, record) = trace.pk.split_once("#chg#")?.1.split_once('#')?;
    let version: u64 = trace.sk.strip_prefix("v#")?.parse().ok()?;
    Some(Leaf {
        at: trace.sort.split('#').next()?.into(),
        id: format!("{kind}#{record}#{version}"),
        record: record.into(),
        version,
        hash: trace.hash.clone(),
    })
}
