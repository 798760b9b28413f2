//! A commit: records with their change records, guards, facts, quotas and the answer for replays, in one
//! transaction. Every guard is a condition in it, never a check before it.

use crate::{
    Entity, Fact, Key, Record, Scope, Store, When,
    change::Draft,
    item::{Item, b, n, s, to_item, to_value},
    schema::{PK, SK, TTL},
};
use kernel::{Error, Id, Result};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;

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
    /// The effect was made before: told before everything else, since its traces refuse a second one too.
    Again(Refusing),
    Refuse(Refusing),
}

type Refusing = Box<dyn Fn(Option<Value>) -> Error + Send + Sync>;

pub(crate) enum Act {
    Put(Item),
    Delete,
    Check,
    /// `ADD attribute amount` of each, then `SET` the rest.
    Change {
        add: Vec<(&'static str, i64)>,
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
    pub scope: Scope,
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
    pub(crate) demanded: bool,
    /// Stores of other scopes that joined: what lay there opens with their keys.
    pub(crate) others: Vec<Store>,
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
            others: vec![],
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
    pub fn require(
        self,
        fact: Fact,
        id: impl Display,
        refusal: impl Fn() -> Error + Send + Sync + 'static,
    ) -> Self {
        self.check(&Key::fact(fact, id), When::Present, move |_| refusal())
    }

    /// Takes one of what is left of a limit. `shards` must be what the quota was made with.
    pub fn take(self, name: &'static str, shards: u32, id: impl Id) -> Self {
        self.take_some(name, shards, id, 1)
    }
    /// Takes several at once, all from one shard: bytes of a file.
    pub fn take_some(mut self, name: &'static str, shards: u32, id: impl Id, amount: i64) -> Self {
        let first = shard(id, shards);
        self.quotas.push(Shard { at: self.writes.len(), scope: self.store.scope, shards, first });
        let change = Act::Change { add: vec![("left", -amount)], set: vec![] };
        let enough = Some(When::Above("left", amount - 1));
        self.act(&Key::quota(name, first), change, enough, Means::Quota { name })
    }
    /// Gives one back.
    pub fn give(self, name: &'static str, shards: u32, id: impl Id) -> Self {
        self.give_some(name, shards, id, 1)
    }
    pub fn give_some(self, name: &'static str, shards: u32, id: impl Id, amount: i64) -> Self {
        self.add(&Key::quota(name, shard(id, shards)), "left", amount)
    }

    /// A guard that a noun does not declare: holds `owner` until it is deleted.
    pub fn guard<E: Entity>(
        mut self,
        field: &'static str,
        code: &'static str,
        value: &str,
        owner: E::Id,
    ) -> Self {
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
        let means = Means::Refuse(Box::new(|_| Error::meanwhile()));
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when, means });
        self
    }

    /// From now on what finds this record finds another one (a merged record's survivor), or itself again.
    pub fn point<E: Entity>(mut self, record: &Record<E>, to: E::Id) -> Self {
        for ((pk, sk), mut item) in self.store.tokens(record) {
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
        self.reason = self.reason.take().or(other.reason);
        self.others.extend(other.others.into_iter().chain([other.store]));
        self.quotas.extend(other.quotas.into_iter().map(|q| Shard { at: q.at + shift, ..q }));
        self.drafts.extend(other.drafts.into_iter().map(|d| Drafted { at: d.at + shift, ..d }));
        self.writes.extend(other.writes);
        self
    }

    // ---- items that are no records

    pub fn put(self, key: &Key, body: &impl Serialize) -> Self {
        self.put_item(key, body, None, None, never())
    }
    /// What several commits add to: written over the `rev` that was read (0: it was not there), or [`Error::Stale`].
    pub fn put_over(self, key: &Key, rev: u64, body: &impl Serialize) -> Self {
        self.put_if(key, body, When::unmoved(rev), |_| Error::meanwhile())
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
    /// Marks an effect that is made once: whoever comes again hears `refusal`, before any other.
    pub fn first_time(
        self,
        key: &Key,
        body: &impl Serialize,
        ttl: jiff::Timestamp,
        refusal: impl Fn() -> Error + Send + Sync + 'static,
    ) -> Self {
        self.put_item(key, body, Some(ttl), Some(When::Absent), Means::Again(Box::new(move |_| refusal())))
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
    /// A condition asked for twice is one: the database takes an item once in a transaction.
    pub fn check(
        self,
        key: &Key,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        let (pk, when_said) = (self.store.full(key), Some(&when));
        let said = |w: &Write| {
            matches!(w.act, Act::Check) && w.pk == pk && w.sk == key.sk && w.when.as_ref() == when_said
        };
        if self.writes.iter().any(said) {
            return self;
        }
        self.act(key, Act::Check, Some(when), Means::Refuse(Box::new(refusal)))
    }
    pub fn add(self, key: &Key, attribute: &'static str, amount: i64) -> Self {
        self.act(key, Act::Change { add: vec![(attribute, amount)], set: vec![] }, None, never())
    }
    /// Adds to several numbers of one item, which a transaction takes once.
    pub fn add_many(self, key: &Key, amounts: &[(&'static str, i64)]) -> Self {
        if amounts.is_empty() {
            return self;
        }
        self.act(key, Act::Change { add: amounts.to_vec(), set: vec![] }, None, never())
    }
    /// The same under a condition.
    pub fn add_many_if(
        self,
        key: &Key,
        amounts: &[(&'static str, i64)],
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        let act = Act::Change { add: amounts.to_vec(), set: vec![] };
        self.act(key, act, Some(when), Means::Refuse(Box::new(refusal)))
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
        let act = Act::Change { add: vec![(attribute, amount)], set: vec![] };
        self.act(key, act, Some(when), Means::Refuse(Box::new(refusal)))
    }
    /// Adds under a condition to a counter that ends by itself.
    pub fn count_if(
        self,
        key: &Key,
        attribute: &'static str,
        amount: i64,
        ttl: jiff::Timestamp,
        when: When,
        refusal: impl Fn(Option<Value>) -> Error + Send + Sync + 'static,
    ) -> Self {
        let act = Act::Change { add: vec![(attribute, amount)], set: vec![(TTL, n(ttl.as_second()))] };
        self.act(key, act, Some(when), Means::Refuse(Box::new(refusal)))
    }
    /// Adds to several numbers of an item that ends by itself.
    pub fn tally(self, key: &Key, amounts: &[(&'static str, i64)], ttl: jiff::Timestamp) -> Self {
        let act = Act::Change { add: amounts.to_vec(), set: vec![(TTL, n(ttl.as_second()))] };
        self.act(key, act, None, never())
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
        self.act(key, Act::Change { add: vec![], set }, Some(when), Means::Refuse(Box::new(refusal)))
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
    pub(crate) fn note(mut self, result: Result<()>) -> Self {
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
        if key.is_audit() {
            return self.note(Err(key.untouchable()));
        }
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
        if key.is_audit() && !matches!(act, Act::Check) {
            return self.note(Err(key.untouchable()));
        }
        self.writes.push(Write { pk: self.store.full(key), sk: key.sk.clone(), act, when, means });
        self
    }
}

fn shard(id: impl Id, shards: u32) -> u32 {
    (id.ulid().0 % u128::from(shards.max(1))) as u32
}

/// For writes without a condition: their failure would be a fault of ours.
pub(crate) fn never() -> Means {
    Means::Refuse(Box::new(|_| Error::internal("a write without a condition was refused")))
}
