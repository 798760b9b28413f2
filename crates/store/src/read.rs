//! Reading: one record, many, an item, what a record was.

use crate::{
    Entity, Fact, Key, Record, Store,
    change::{Change, Context, SNAPSHOT_EVERY, made_at, told},
    entity::pk,
    error::refused,
    item::{Item, blob, from_item, number, s, text},
    list::LAST,
    schema::{INDEXES, PK, SK, TTL},
};
use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::KeysAndAttributes};
use jiff::Timestamp;
use kernel::{Error, Id, Result};
use seal::Sealed;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Display,
};

/// A record as it stood: the noun's own fields, as the API showed them.
#[derive(Clone, Debug)]
pub struct Version {
    pub version: u64,
    pub at: Timestamp,
    pub body: Sealed<Value>,
}

impl Store {
    /// One record, eventually consistent: half a read unit. 404 if there is none; deleted ones are returned.
    pub async fn get<E: Entity>(&self, id: E::Id) -> Result<Record<E>> {
        let item = self.item(&pk::<E>(self.scope, id), ".", false).await?;
        self.record(item.ok_or(Error::Missing)?)
    }

    /// One record, strongly consistent: for what is about to be changed.
    pub async fn fresh<E: Entity>(&self, id: E::Id) -> Result<Record<E>> {
        let item = self.item(&pk::<E>(self.scope, id), ".", true).await?;
        self.record(item.ok_or(Error::Missing)?)
    }

    /// A record with the parts that lie under it, at their places (list and due rows left out), in one round
    /// trip per megabyte, strongly consistent. For aggregates of few parts.
    pub async fn whole<E: Entity>(&self, id: E::Id) -> Result<(Record<E>, Vec<(String, Value)>)> {
        let query = self.sdk.query().table_name(&*self.table).key_condition_expression("pk = :p");
        let query = query.expression_attribute_values(":p", s(pk::<E>(self.scope, id))).consistent_read(true);
        let (mut record, mut parts) = (None, vec![]);
        for item in pages(query, usize::MAX).await? {
            match text(&item, SK)? {
                "." => record = Some(self.record(item)?),
                row if row.starts_with("l#") || row.starts_with("due#") => {}
                place => parts.push((place.to_string(), self.open_item(item)?)),
            }
        }
        Ok((record.ok_or(Error::Missing)?, parts))
    }

    /// Many records in one round trip (up to 100), in the order asked; missing ones are left out.
    pub async fn get_many<E: Entity>(&self, ids: &[E::Id]) -> Result<Vec<Record<E>>> {
        let keys: Vec<Key> = ids.iter().map(|id| Key::record(*id)).collect();
        let items = self.items(&keys).await?;
        ids.iter()
            .filter_map(|id| items.get(&pk::<E>(self.scope, *id)).cloned())
            .map(|item| self.record(item))
            .collect()
    }

    /// An item that is no record.
    pub async fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        let pk = self.full(key);
        let item = self.item(&pk, &key.sk, true).await?;
        item.map(|item| self.open_item(item)).transpose()
    }

    /// Several items in one round trip, in the order asked.
    pub async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Value>>> {
        let wanted = self.batch(keys, true).await?;
        keys.iter()
            .map(|k| {
                wanted
                    .get(&(self.full(k), k.sk.clone()))
                    .cloned()
                    .map(|item| self.open_item(item))
                    .transpose()
            })
            .collect()
    }

    pub async fn fact<T: DeserializeOwned>(&self, fact: Fact, id: impl Display) -> Result<Option<T>> {
        self.read(&Key::fact(fact, id)).await
    }

    /// Every item under one key whose place begins with `prefix`, at most `limit`, with its place.
    pub async fn under<T: DeserializeOwned>(
        &self,
        key: &Key,
        prefix: &str,
        limit: i32,
    ) -> Result<Vec<(String, T)>> {
        let query = self
            .sdk
            .query()
            .table_name(&*self.table)
            .expression_attribute_values(":p", s(self.full(key)))
            .consistent_read(true);
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :p")
        } else {
            query
                .key_condition_expression("pk = :p AND begins_with(sk, :s)")
                .expression_attribute_values(":s", s(prefix))
        };
        let items = pages(query, usize::try_from(limit).unwrap_or_default()).await?;
        let alive = items.into_iter().filter(|item| self.lives(item));
        alive.map(|item| Ok((text(&item, SK)?.to_string(), self.open_item(item)?))).collect()
    }

    /// Everything under one key, however much it is, with its places.
    pub async fn every<T: DeserializeOwned>(&self, key: &Key) -> Result<Vec<(String, T)>> {
        self.under(key, "", i32::MAX).await
    }

    /// Items under one key, newest first: those whose place lies after `from` and before `before` (both exclusive
    /// where given), at most `limit`, with their places.
    pub async fn latest<T: DeserializeOwned>(
        &self,
        key: &Key,
        from: &str,
        before: &str,
        limit: i32,
    ) -> Result<Vec<(String, T)>> {
        let (after, until) =
            (if from.is_empty() { " " } else { from }, if before.is_empty() { LAST } else { before });
        if after > until {
            return Ok(vec![]);
        }
        let query = self
            .sdk
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :p AND sk BETWEEN :a AND :b")
            .expression_attribute_values(":p", s(self.full(key)))
            .expression_attribute_values(":a", s(after))
            .expression_attribute_values(":b", s(until))
            .scan_index_forward(false)
            .consistent_read(true);
        let items = pages(query, usize::try_from(limit).unwrap_or_default().saturating_add(1)).await?;
        let placed = items
            .into_iter()
            .filter(|item| self.lives(item))
            .map(|item| Ok((text(&item, SK)?.to_string(), self.open_item(item)?)));
        let mut placed = placed.collect::<Result<Vec<(String, T)>>>()?;
        placed.retain(|(sk, _)| sk != before && sk != from);
        placed.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(placed)
    }

    /// Versions of a record, newest first; `before` continues.
    pub async fn history<E: Entity>(
        &self,
        id: E::Id,
        before: Option<u64>,
        limit: i32,
    ) -> Result<Vec<Change>> {
        let items = self.changes(E::Id::KIND, &id, before, limit).await?;
        items.into_iter().map(|item| self.change(item)).collect()
    }

    /// The record as it stood at a time; 404 if it did not exist yet or was deleted then, 410 if what it was has been
    /// erased since.
    pub async fn at<E: Entity>(&self, id: E::Id, at: Timestamp) -> Result<Version> {
        let at = crate::stamp(at);
        let stood = self.stood::<E>(id, None, &|_, then| then <= at.as_str()).await?;
        match stood.body.get("deleted_at") {
            Some(_) => Err(Error::Missing),
            None => Ok(stood),
        }
    }

    /// The record as one of its versions left it, also where that deleted it; 404 if there is no such version.
    pub async fn version<E: Entity>(&self, id: E::Id, version: u64) -> Result<Version> {
        let stood = self.stood::<E>(id, Some(version + 1), &|found, _| found <= version).await?;
        if stood.version == version { Ok(stood) } else { Err(Error::Missing) }
    }

    /// As the newest wanted version below `before` left it: the nearest snapshot, and the patches since.
    async fn stood<E: Entity>(
        &self,
        id: E::Id,
        mut before: Option<u64>,
        wants: &(dyn Fn(u64, &str) -> bool + Sync),
    ) -> Result<Version> {
        let mut wanted = None;
        let mut patches: Vec<Value> = vec![];
        loop {
            let items = self.changes(E::Id::KIND, &id, before, SNAPSHOT_EVERY as i32).await?;
            if items.is_empty() {
                return Err(Error::Missing);
            }
            for item in items {
                let (version, then) = (version_of(&item), made_at(&item)?);
                before = Some(version);
                if wanted.is_none() && !wants(version, then) {
                    continue;
                }
                wanted.get_or_insert((version, then.to_string()));
                if let Some(mut body) = self.part(&item, "snapshot")? {
                    for patch in patches.iter().rev() {
                        let patch: json_patch::Patch =
                            serde_json::from_value(patch.clone()).map_err(Error::internal)?;
                        json_patch::patch(&mut body, &patch).map_err(Error::internal)?;
                    }
                    let (version, at) = wanted.expect("set above");
                    let at = at.parse().map_err(Error::internal)?;
                    return Ok(Version { version, at, body: Sealed(body) });
                }
                match self.part(&item, "patch")? {
                    Some(patch) => patches.push(patch),
                    None => return Err(Error::gone("erased", "what this record was then has been erased")),
                }
            }
        }
    }

    // ---- what the above is made of

    pub(crate) fn full(&self, key: &Key) -> String {
        format!("{}#{}", self.scope, key.pk)
    }

    pub(crate) async fn item(&self, pk: &str, sk: &str, consistent: bool) -> Result<Option<Item>> {
        let get = self.sdk.get_item().table_name(&*self.table).key(PK, s(pk)).key(SK, s(sk));
        let out = get.consistent_read(consistent).send().await.map_err(|e| refused("get", &e))?;
        Ok(out.item.filter(|item| self.lives(item)))
    }

    /// Expired items may lie there for days before the table drops them.
    fn lives(&self, item: &Item) -> bool {
        number(item, TTL).is_none_or(|ttl| ttl > self.now().as_second())
    }

    async fn items(&self, keys: &[Key]) -> Result<HashMap<String, Item>> {
        Ok(self.batch(keys, false).await?.into_iter().map(|((pk, _), item)| (pk, item)).collect())
    }

    pub(crate) async fn batch(
        &self,
        keys: &[Key],
        consistent: bool,
    ) -> Result<HashMap<(String, String), Item>> {
        // The database refuses a batch that names an item twice.
        self.batch_of(keys.iter().map(|k| (self.full(k), k.sk())).collect(), consistent).await
    }

    pub(crate) async fn batch_of(
        &self,
        places: BTreeSet<(String, &str)>,
        consistent: bool,
    ) -> Result<HashMap<(String, String), Item>> {
        let mut out = HashMap::new();
        let place = |(pk, sk): (String, &str)| Item::from([(PK.into(), s(pk)), (SK.into(), s(sk))]);
        let mut pending: Vec<Item> = places.into_iter().map(place).collect();
        let mut pause = std::time::Duration::from_millis(10);
        while !pending.is_empty() {
            let rest = pending.split_off(pending.len().min(100));
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(pending))
                .consistent_read(consistent)
                .build()
                .map_err(Error::internal)?;
            let answer = self
                .sdk
                .batch_get_item()
                .request_items(&*self.table, wanted)
                .send()
                .await
                .map_err(|e| refused("batch get", &e))?;
            for item in answer.responses.unwrap_or_default().into_values().flatten().filter(|i| self.lives(i))
            {
                out.insert((text(&item, PK)?.to_string(), text(&item, SK)?.to_string()), item);
            }
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&*self.table);
            pending = left.map(|k| k.keys).unwrap_or_default();
            if !pending.is_empty() {
                if std::time::Instant::now() + pause > self.deadline {
                    return Err(Error::Busy);
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            pending.extend(rest);
        }
        Ok(out)
    }

    pub(crate) fn open_item<T: DeserializeOwned>(&self, mut item: Item) -> Result<T> {
        let pk = text(&item, PK)?.to_string();
        strip(&mut item);
        from_item(&self.ring, &pk, item)
    }

    pub(crate) fn record<E: Entity>(&self, mut item: Item) -> Result<Record<E>> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "I: DeserializeOwned"))]
        struct Meta<I> {
            id: I,
            version: u64,
            created_at: Timestamp,
            updated_at: Timestamp,
            deleted_at: Option<Timestamp>,
            head: String,
        }
        let pk = text(&item, PK)?.to_string();
        let meta: Item = ["id", "version", "created_at", "updated_at", "deleted_at", "head"]
            .iter()
            .filter_map(|k| item.remove_entry(*k))
            .collect();
        strip(&mut item);
        let Meta { id, version, created_at, updated_at, deleted_at, head } =
            serde_dynamo::from_item::<_, Meta<E::Id>>(meta).map_err(Error::internal)?;
        let body = from_item(&self.ring, &pk, item)?;
        Ok(Record { id, version, created_at, updated_at, deleted_at, head, body })
    }

    pub(crate) async fn changes(
        &self,
        kind: &str,
        id: &impl Display,
        before: Option<u64>,
        limit: i32,
    ) -> Result<Vec<Item>> {
        let below = before.map_or("v#~".to_string(), |v| format!("v#{:010}", v.saturating_sub(1)));
        let out = self
            .sdk
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :p AND sk BETWEEN :a AND :b")
            .expression_attribute_values(":p", s(format!("{}#chg#{kind}#{id}", self.scope)))
            .expression_attribute_values(":a", s("v#"))
            .expression_attribute_values(":b", s(below))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|e| refused("history", &e))?;
        Ok(out.items.unwrap_or_default())
    }

    fn part(&self, item: &Item, name: &str) -> Result<Option<Value>> {
        let place = format!("{}|{}|{name}", text(item, PK)?, text(item, SK)?);
        let Some(sealed) = blob(item, name) else { return Ok(None) };
        serde_json::from_slice(&self.ring.unseal(&place, sealed)?).map(Some).map_err(Error::internal)
    }

    pub(crate) fn change(&self, item: Item) -> Result<Change> {
        let patch = self.part(&item, "patch")?.unwrap_or_else(|| Value::Array(vec![]));
        let context = self.part(&item, "context")?.unwrap_or_default();
        let Context { reason, ip, agent } = serde_json::from_value(context).unwrap_or_default();
        let mut item = told(item)?;
        strip(&mut item);
        let change: Change = serde_dynamo::from_item(item).map_err(Error::internal)?;
        let given = |text: String| (!text.is_empty()).then_some(Sealed(text));
        Ok(Change {
            patch: Sealed(patch),
            reason: reason.map(Sealed),
            ip: given(ip),
            agent: given(agent),
            ..change
        })
    }
}

/// Takes off what belongs to the table.
/// What a query finds, at most `limit` items: one answer of the table ends at 1 MB, and says where it goes on.
async fn pages(query: QueryFluentBuilder, limit: usize) -> Result<Vec<Item>> {
    let (mut found, mut from): (Vec<Item>, _) = (vec![], None);
    loop {
        let left = i32::try_from(limit - found.len()).ok().filter(|left| *left < i32::MAX);
        let asked = query.clone().set_limit(left).set_exclusive_start_key(from);
        let out = asked.send().await.map_err(|e| refused("query", &e))?;
        found.extend(out.items.unwrap_or_default());
        from = out.last_evaluated_key;
        if from.is_none() || found.len() >= limit {
            return Ok(found);
        }
    }
}

fn strip(item: &mut Item) {
    for name in [PK, SK, TTL] {
        item.remove(name);
    }
    for index in INDEXES {
        item.remove(index.pk);
        item.remove(index.sk);
    }
}

impl Key {
    pub fn fact(fact: Fact, id: impl Display) -> Self {
        Self::new(&[&"fact", &fact.name, &crate::segment(&id.to_string())], ".")
    }
    /// One item of a fact that is a list.
    pub fn member(fact: Fact, id: impl Display, member: impl Display) -> Self {
        Self::new(&[&"fact", &fact.name, &crate::segment(&id.to_string())], member)
    }
    /// The stored answer of a request that carried an `Idempotency-Key`.
    pub fn idempotency(by: &str, key: &str) -> Self {
        Self::new(&[&"idem", &crate::segment(by), &crate::segment(key)], ".")
    }
}

pub(crate) fn version_of(item: &Item) -> u64 {
    number(item, "version").map_or(0, i64::unsigned_abs)
}
