//! A commit: records with their change records, guards, facts, quotas and the answer for replays, in one
//! transaction. Every guard is a condition in it, never a check before it.

use crate::{
    Due, Entity, Fact, Key, Record, Store, Token, When,
    change::Draft,
    entity::pk,
    item::{Item, b, n, s, to_item, to_value},
    list::{Placed, placed, stamp},
    schema::{GSI3, PK, SK, TTL},
};
use kernel::{Error, Id, Result};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Display};

/// What a failed condition means to the caller.
pub(crate) enum Means {
    /// The idempotency key was used: answer what was answered then.
    Replay {
        hash: String,
    },
    Version {
        demanded: bool,
    },
    Exists,
    Unique {
        field: &'static str,
        code: &'static str,
    },
    Quota {
        name: &'static str,
    },
    Refuse(Box<dyn Fn(Option<Value>) -> Error + Send + Sync>),
}

pub(crate) enum Act {
    Put(Item),
    Delete,
    Check,
    /// `ADD attribute amount`, then `SET` the rest.
    Change {
        add: Option<(&'static str, i64)>,
        set: Vec<(&'static str, aws_sdk_dynamodb::types::AttributeValue)>,
    },
}

pub(crate) struct Write {
    pub pk: String,
    pub sk: String,
    pub act: Act,
    pub when: Option<When>,
    pub means: Means,
}

/// A change record to be written, and where the record it describes stands among the writes.
pub(crate) struct Drafted {
    pub at: usize,
    pub store: Store,
    pub draft: Draft,
}

pub(crate) struct Shard {
    pub at: usize,
    pub shards: u32,
    pub first: u32,
}

/// An idempotency key, who used it and for what.
#[derive(Clone, Debug)]
pub struct Once {
    pub by: String,
    pub key: String,
    /// Digest of method, path and body.
    pub hash: String,
}

/// Seconds that an answer is kept for replays.
const REPLAY: i64 = 24 * 3600;

/// Gathers one transaction. Nothing happens before [`Commit::run`].
pub struct Commit {
    pub(crate) store: Store,
    pub(crate) writes: Vec<Write>,
    pub(crate) drafts: Vec<Drafted>,
    pub(crate) quotas: Vec<Shard>,
    pub(crate) reason: Option<String>,
    demanded: bool,
    fault: Option<Error>,
}

impl Store {
    pub fn commit(&self) -> Commit {
        Commit {
            store: self.clone(),
            writes: vec![],
            drafts: vec![],
            quotas: vec![],
            reason: None,
            demanded: false,
            fault: None,
        }
    }
}

impl Commit {
    /// Why; kept sealed in every change record of this commit.
    pub fn because(mut self, reason: Option<String>) -> Self {
        self.reason = reason.or(self.reason);
        self
    }

    /// The caller named the version it wants to change: a stale one is 412, not 409.
    pub fn demanded(mut self, demanded: bool) -> Self {
        self.demanded = demanded;
        self
    }

    /// A new record with its guards, list rows, tokens and first change record.
    pub fn create<E: Entity>(mut self, record: &Record<E>) -> Self {
        let result = self.try_create(record);
        self.note(result)
    }

    /// The next version, made by [`Record::next`]. `action` is `update`, `delete`, `restore` or the command.
    pub fn update<E: Entity>(mut self, action: &str, old: &Record<E>, new: &Record<E>) -> Self {
        let result = self.try_update(action, old, new);
        self.note(result)
    }

    /// The event of the record written last: ids and codes only.
    pub fn emit(mut self, event: impl Serialize) -> Self {
        let event = serde_json::to_value(event).map_err(Error::internal);
        let result = match (self.drafts.last_mut(), event) {
            (Some(drafted), Ok(event)) => {
                drafted.draft.event = event;
                Ok(())
            }
            (None, _) => Err(Error::internal("an event needs a record in its commit")),
            (_, Err(e)) => Err(e),
        };
        self.note(result)
    }

    /// Publishes a fact.
    pub fn fact(self, fact: Fact, id: impl Display, body: &impl Serialize) -> Self {
        self.put(&Key::fact(fact, id), body)
    }
    pub fn drop_fact(self, fact: Fact, id: impl Display) -> Self {
        self.delete(&Key::fact(fact, id))
    }

    /// Another module's fact must exist.
    pub fn require(self, fact: Fact, id: impl Display, refusal: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        self.check(&Key::fact(fact, id), When::Present, move |_| refusal())
    }

    /// Takes one of what is left of a limit. `shards` must be what the quota was made with.
    pub fn take(mut self, name: &'static str, shards: u32, id: impl Id) -> Self {
        let first = shard(id, shards);
        self.quotas.push(Shard { at: self.writes.len(), shards, first });
        let change = Act::Change { add: Some(("left", -1)), set: vec![] };
        self.act(&Key::quota(name, first), change, Some(When::Above("left", 0)), Means::Quota { name })
    }
    /// Gives one back.
    pub fn give(self, name: &'static str, shards: u32, id: impl Id) -> Self {
        self.add(&Key::quota(name, shard(id, shards)), "left", 1)
    }

    /// A guard that a noun does not declare: holds `owner` until it is deleted.
    pub fn guard<E: Entity>(mut self, field: &'static str, code: &'static str, value: &str, owner: E::Id) -> Self {
        self.push_guard::<E>(field, code, value, owner);
        self
    }
    pub fn unguard<E: Entity>(mut self, field: &'static str, value: &str) -> Self {
        self.drop_guard::<E>(field, value);
        self
    }

    /// A guard changes hands: it must still be `from`'s.
    pub fn pass_guard<E: Entity>(mut self, field: &'static str, value: &str, from: E::Id, to: E::Id) -> Self {
        let pk = self.guard_pk::<E>(field, value);
        let item = Item::from([(PK.into(), s(&pk)), (SK.into(), s(".")), ("owner".into(), s(to))]);
        let when = Some(When::Is("owner", s(from)));
        let means = Means::Refuse(Box::new(|_| Error::Stale { current: 0, demanded: false }));
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when, means });
        self
    }

    /// From now on what finds this record finds another one (a merged record's survivor), or itself again.
    pub fn point<E: Entity>(mut self, record: &Record<E>, to: E::Id) -> Self {
        for token in tokens(record) {
            let (pk, sk) = self.store.token_key::<E>(&token, record.id);
            let mut item = self.store.token_item::<E>(&token, record.id);
            if to != record.id {
                item.insert("owner".into(), s(to));
            }
            self.plain(&pk, sk, Act::Put(item));
        }
        self
    }

    /// Another scope's commit, in the same transaction: only the provisioner and operators' commands span two.
    pub fn joined(mut self, other: Commit) -> Self {
        let shift = self.writes.len();
        self.fault = self.fault.take().or(other.fault);
        self.quotas.extend(other.quotas.into_iter().map(|q| Shard { at: q.at + shift, ..q }));
        self.drafts.extend(other.drafts.into_iter().map(|d| Drafted { at: d.at + shift, ..d }));
        self.writes.extend(other.writes);
        self
    }

    // ---- items that are no records

    pub fn put(self, key: &Key, body: &impl Serialize) -> Self {
        self.put_item(key, body, None, None, never())
    }
    /// Puts, if the condition holds of what lies there.
    pub fn put_if(
        self,
        key: &Key,
        body: &impl Serialize,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        self.put_item(key, body, None, Some(when), Means::Refuse(Box::new(refusal)))
    }
    /// The same with an end of its life.
    pub fn put_until(
        self,
        key: &Key,
        body: &impl Serialize,
        ttl: jiff::Timestamp,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        self.put_item(key, body, Some(ttl), Some(when), Means::Refuse(Box::new(refusal)))
    }
    pub fn delete(self, key: &Key) -> Self {
        self.act(key, Act::Delete, None, never())
    }
    pub fn delete_if(
        self,
        key: &Key,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        self.act(key, Act::Delete, Some(when), Means::Refuse(Box::new(refusal)))
    }
    pub fn check(
        self,
        key: &Key,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        self.act(key, Act::Check, Some(when), Means::Refuse(Box::new(refusal)))
    }
    pub fn add(self, key: &Key, attribute: &'static str, amount: i64) -> Self {
        self.act(key, Act::Change { add: Some((attribute, amount)), set: vec![] }, None, never())
    }
    /// Adds under a condition.
    pub fn add_if(
        self,
        key: &Key,
        attribute: &'static str,
        amount: i64,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        let act = Act::Change { add: Some((attribute, amount)), set: vec![] };
        self.act(key, act, Some(when), Means::Refuse(Box::new(refusal)))
    }
    /// Sets plain attributes (nothing sealed) under a condition.
    pub fn set_if(
        self,
        key: &Key,
        set: &[(&'static str, Value)],
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        let set = set.iter().map(|(k, v)| (*k, to_value(v))).collect();
        self.act(key, Act::Change { add: None, set }, Some(when), Means::Refuse(Box::new(refusal)))
    }

    /// The answer is stored beside the write, so that a retry costs the same one round trip.
    pub fn once(mut self, once: Option<&Once>, status: u16, version: Option<u64>, body: &[u8]) -> Self {
        let Some(Once { by, key, hash }) = once else { return self };
        let key = Key::idempotency(by, key);
        let pk = self.store.full(&key);
        let sealed = self.store.ring.seal(&format!("{pk}|body"), body.to_vec());
        let ttl = self.store.now().as_second() + REPLAY;
        let mut item = Item::from([
            ("hash".into(), s(hash)),
            ("status".into(), n(status)),
            ("body".into(), b(sealed)),
            (TTL.into(), n(ttl)),
        ]);
        if let Some(version) = version {
            item.insert("version".into(), n(version));
        }
        let means = Means::Replay { hash: hash.clone() };
        // TTL deletion is late: an answer past its day does not block the key.
        let when = When::Absent.or(When::Below("ttl", self.store.now().as_second()));
        item.insert(PK.into(), s(&pk));
        item.insert(SK.into(), s("."));
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when: Some(when), means });
        self
    }

    // ---- how

    pub(crate) fn fault(&mut self) -> Option<Error> {
        self.fault.take()
    }
    fn note(mut self, result: Result<()>) -> Self {
        if let Err(e) = result {
            self.fault.get_or_insert(e);
        }
        self
    }

    fn put_item(
        mut self,
        key: &Key,
        body: &impl Serialize,
        ttl: Option<jiff::Timestamp>,
        when: Option<When>,
        means: Means,
    ) -> Self {
        let pk = self.store.full(key);
        match to_item(&self.store.ring, &pk, body) {
            Ok(mut item) => {
                item.insert(PK.into(), s(&pk));
                item.insert(SK.into(), s(&key.sk));
                if let Some(ttl) = ttl {
                    item.insert(TTL.into(), n(ttl.as_second()));
                }
                self.writes.push(Write { pk, sk: key.sk.clone(), act: Act::Put(item), when, means });
                self
            }
            Err(e) => self.note(Err(e)),
        }
    }

    fn act(mut self, key: &Key, act: Act, when: Option<When>, means: Means) -> Self {
        self.writes.push(Write { pk: self.store.full(key), sk: key.sk.clone(), act, when, means });
        self
    }

    fn try_create<E: Entity>(&mut self, record: &Record<E>) -> Result<()> {
        let item = self.record_item(record)?;
        self.draft::<E>("create", record, None, String::new())?;
        let pk = pk::<E>(self.store.scope, record.id);
        self.rows(&pk, &item, record, &[]);
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when: Some(When::Absent), means: Means::Exists });
        for unique in E::UNIQUE {
            for value in (unique.values)(&record.body) {
                self.push_guard::<E>(unique.field, unique.code, &value, record.id);
            }
        }
        for token in tokens(record) {
            self.token::<E>(&token, record.id, true);
        }
        Ok(())
    }

    fn try_update<E: Entity>(&mut self, action: &str, old: &Record<E>, new: &Record<E>) -> Result<()> {
        if old.head.is_empty() || new.version != old.version + 1 {
            return Err(Error::internal("an update starts from the stored record and its next()"));
        }
        let item = self.record_item(new)?;
        self.draft(action, new, Some(old), old.head.clone())?;
        let pk = pk::<E>(self.store.scope, new.id);
        self.rows(&pk, &item, new, &extra_rows(self.store.scope, old));
        let when = When::Is("version", n(old.version));
        let means = Means::Version { demanded: self.demanded };
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when: Some(when), means });
        self.reguard(old, new);
        let (was, is) = (tokens(old), tokens(new));
        for token in was.difference(&is) {
            self.token::<E>(token, new.id, false);
        }
        for token in is.difference(&was) {
            self.token::<E>(token, new.id, true);
        }
        Ok(())
    }

    fn reguard<E: Entity>(&mut self, old: &Record<E>, new: &Record<E>) {
        for unique in E::UNIQUE {
            let held = |r: &Record<E>| -> BTreeSet<String> {
                if r.deleted_at.is_some() { BTreeSet::new() } else { (unique.values)(&r.body).into_iter().collect() }
            };
            let (was, is) = (held(old), held(new));
            for value in was.difference(&is) {
                self.drop_guard::<E>(unique.field, value);
            }
            for value in is.difference(&was) {
                self.push_guard::<E>(unique.field, unique.code, value, new.id);
            }
        }
    }

    fn draft<E: Entity>(&mut self, action: &str, new: &Record<E>, old: Option<&Record<E>>, prev: String) -> Result<()> {
        let json = |r: &Record<E>| seal::open(|| serde_json::to_value(&r.body)).map_err(Error::internal);
        let draft = Draft {
            kind: E::Id::KIND,
            id: new.id.to_string(),
            version: new.version,
            action: action.into(),
            at: new.updated_at,
            old: old.map(json).transpose()?,
            new: json(new)?,
            prev,
            event: Value::Null,
            due: E::due(new).iter().map(|d| d.at).min().filter(|_| new.deleted_at.is_none()),
        };
        self.drafts.push(Drafted { at: self.writes.len(), store: self.store.clone(), draft });
        Ok(())
    }

    /// The record's own item, without `head`.
    fn record_item<E: Entity>(&self, record: &Record<E>) -> Result<Item> {
        let scope = self.store.scope;
        let pk = pk::<E>(scope, record.id);
        let mut item = to_item(&self.store.ring, &pk, &record.body)?;
        let mut put = |name: &str, value| item.insert(name.into(), value);
        put("id", s(record.id));
        put("version", n(record.version));
        put("created_at", s(record.created_at));
        put("updated_at", s(record.updated_at));
        if let Some(at) = record.deleted_at {
            put("deleted_at", s(at));
        }
        put(PK, s(&pk));
        put(SK, s("."));
        for row in placed(scope, record).into_iter().filter(|r| r.sk == ".") {
            put(row.index.pk, s(row.index_pk));
            put(row.index.sk, s(row.index_sk));
        }
        if let Some(due) = dues(record).first() {
            put(GSI3.pk, s(format!("{scope}#due")));
            put(GSI3.sk, s(due_key::<E>(due, record.id)));
        }
        Ok(item)
    }

    /// List rows and due rows beyond the first, each an item of its own under the record.
    fn rows<E: Entity>(&mut self, pk: &str, item: &Item, record: &Record<E>, before: &[String]) {
        let mut kept = BTreeSet::new();
        let mut bare = item.clone();
        for index in crate::schema::INDEXES {
            bare.remove(index.pk);
            bare.remove(index.sk);
        }
        for Placed { sk, index, index_pk, index_sk } in placed(self.store.scope, record) {
            if sk == "." {
                continue;
            }
            let mut row = bare.clone();
            row.insert(SK.into(), s(&sk));
            row.insert(index.pk.into(), s(index_pk));
            row.insert(index.sk.into(), s(index_sk));
            kept.insert(sk.clone());
            self.plain(pk, sk, Act::Put(row));
        }
        for due in dues(record).iter().skip(1) {
            let sk = format!("due#{}", due.what);
            let row = Item::from([
                (PK.into(), s(pk)),
                (SK.into(), s(&sk)),
                (GSI3.pk.into(), s(format!("{}#due", self.store.scope))),
                (GSI3.sk.into(), s(due_key::<E>(due, record.id))),
            ]);
            kept.insert(sk.clone());
            self.plain(pk, sk, Act::Put(row));
        }
        for sk in before.iter().filter(|sk| !kept.contains(*sk)) {
            self.plain(pk, sk.clone(), Act::Delete);
        }
        // `draft` remembered where the record's item would be pushed; the rows came in between.
        let at = self.writes.len();
        if let Some(drafted) = self.drafts.last_mut() {
            drafted.at = at;
        }
    }

    fn plain(&mut self, pk: &str, sk: String, act: Act) {
        self.writes.push(Write { pk: pk.into(), sk, act, when: None, means: never() });
    }

    fn guard_pk<E: Entity>(&self, field: &str, value: &str) -> String {
        let kind = E::Id::KIND;
        format!("{}#unique#{kind}#{field}#{}", self.store.scope, self.store.blind(&format!("{kind}.{field}"), value))
    }
    fn push_guard<E: Entity>(&mut self, field: &'static str, code: &'static str, value: &str, owner: E::Id) {
        let pk = self.guard_pk::<E>(field, value);
        let item = Item::from([(PK.into(), s(&pk)), (SK.into(), s(".")), ("owner".into(), s(owner))]);
        let means = Means::Unique { field, code };
        // Whoever holds it already may hold it again: a retry or a restore is no clash with oneself.
        let when = When::Absent.or(When::Is("owner", s(owner)));
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when: Some(when), means });
    }
    fn drop_guard<E: Entity>(&mut self, field: &str, value: &str) {
        let pk = self.guard_pk::<E>(field, value);
        self.plain(&pk, ".".into(), Act::Delete);
    }
    fn token<E: Entity>(&mut self, token: &Token, id: E::Id, put: bool) {
        let (pk, sk) = self.store.token_key::<E>(token, id);
        let act = if put { Act::Put(self.store.token_item::<E>(token, id)) } else { Act::Delete };
        self.plain(&pk, sk, act);
    }
}

impl Store {
    /// Who holds each of several unique values, in one round trip and in the order asked.
    pub async fn guarded_many<E: Entity>(&self, wanted: &[(&str, String)]) -> Result<Vec<Option<E::Id>>> {
        let kind = E::Id::KIND;
        let key = |(field, value): &(&str, String)| {
            let blind = self.blind(&format!("{kind}.{field}"), value);
            Key::new(&[&"unique", &kind, field, &blind], ".")
        };
        let keys: Vec<Key> = wanted.iter().map(key).collect();
        let held = self.read_many(&keys).await?;
        held.into_iter().map(|h| h.and_then(|h| h["owner"].as_str().map(str::parse)).transpose()).collect()
    }

    /// Who holds a unique value.
    pub async fn guarded<E: Entity>(&self, field: &str, value: &str) -> Result<Option<E::Id>> {
        self.holder::<E::Id>(field, value).await
    }

    /// The same where only the id's type is known: another module's noun.
    pub async fn holder<I: Id>(&self, field: &str, value: &str) -> Result<Option<I>> {
        let kind = I::KIND;
        let pk = self.blind(&format!("{kind}.{field}"), value);
        let key = Key::new(&[&"unique", &kind, &field, &pk], ".");
        let held: Option<serde_json::Map<String, Value>> = self.read(&key).await?;
        held.and_then(|h| h.get("owner")?.as_str().map(str::parse)).transpose()
    }
}

fn shard(id: impl Id, shards: u32) -> u32 {
    (id.ulid().0 % u128::from(shards.max(1))) as u32
}

fn tokens<E: Entity>(record: &Record<E>) -> BTreeSet<Token> {
    if record.deleted_at.is_some() { BTreeSet::new() } else { record.body.tokens().into_iter().collect() }
}

fn dues<E: Entity>(record: &Record<E>) -> Vec<Due> {
    if record.deleted_at.is_some() { vec![] } else { E::due(record) }
}

fn due_key<E: Entity>(due: &Due, id: E::Id) -> String {
    format!("{}#{}#{id}#{}", stamp(due.at), E::Id::KIND, due.what)
}

fn extra_rows<E: Entity>(scope: crate::Scope, record: &Record<E>) -> Vec<String> {
    let lists = placed(scope, record).into_iter().map(|r| r.sk).filter(|sk| sk != ".");
    lists.chain(dues(record).iter().skip(1).map(|d| format!("due#{}", d.what))).collect()
}

/// For writes without a condition: their failure would be a fault of ours.
fn never() -> Means {
    Means::Refuse(Box::new(|_| Error::internal("a write without a condition was refused")))
}
