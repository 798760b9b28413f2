//! A record's part of a commit: its item, its list and due rows, its search tokens, its change record.

use crate::{
    Commit, Due, Entity, Record, Unique, When,
    change::Draft,
    commit::{Act, Drafted, Means, Write, never},
    entity::pk,
    item::{Item, n, s, to_item},
    list::{Placed, placed, stamp},
    schema::{GSI3, PK, SK, TTL},
};
use kernel::{Error, Id, Result};
use serde_json::Value;
use std::collections::BTreeSet;

impl Commit {
    pub(crate) fn try_create<E: Entity>(&mut self, record: &Record<E>) -> Result<()> {
        let item = self.record_item(record)?;
        self.draft::<E>("create", record, None, String::new())?;
        let pk = pk::<E>(self.store.scope, record.id);
        self.rows(&pk, &item, record, &[]);
        self.writes.push(Write {
            pk,
            sk: ".".into(),
            act: Act::Put(item),
            when: Some(When::Absent),
            means: Means::Exists,
        });
        for unique in E::UNIQUE {
            for value in held(unique, record) {
                self.push_guard::<E>(unique.field, unique.code, &value, record.id);
            }
        }
        for ((pk, sk), item) in self.store.tokens(record) {
            self.plain(&pk, sk, Act::Put(item));
        }
        Ok(())
    }

    pub(crate) fn try_update<E: Entity>(
        &mut self,
        action: &str,
        old: &Record<E>,
        new: &Record<E>,
    ) -> Result<()> {
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
        self.retoken(old, new);
        Ok(())
    }

    /// Compared by place, not by word: two words that share their first letters share a place, which stays
    /// until the last of them goes.
    fn retoken<E: Entity>(&mut self, old: &Record<E>, new: &Record<E>) {
        let (was, mut is) = (self.store.tokens(old), self.store.tokens(new));
        for place in was.into_keys() {
            if is.remove(&place).is_none() {
                self.plain(&place.0, place.1, Act::Delete);
            }
        }
        for ((pk, sk), item) in is {
            self.plain(&pk, sk, Act::Put(item));
        }
    }

    fn draft<E: Entity>(
        &mut self,
        action: &str,
        new: &Record<E>,
        old: Option<&Record<E>>,
        prev: String,
    ) -> Result<()> {
        // The fields, and whether it is deleted: a version that is not there is not shown as if it were.
        let json = |r: &Record<E>| -> Result<Value> {
            let mut body = seal::open(|| serde_json::to_value(&r.body)).map_err(Error::internal)?;
            if let (Some(at), Some(body)) = (r.deleted_at, body.as_object_mut()) {
                body.insert("deleted_at".into(), at.to_string().into());
            }
            Ok(body)
        };
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
        if let Some(at) = E::expires(record) {
            put(TTL, n(at.as_second()));
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
            // The same place named twice by one record is one row.
            if sk == "." || !kept.insert(sk.clone()) {
                continue;
            }
            let mut row = bare.clone();
            row.insert(SK.into(), s(&sk));
            row.insert(index.pk.into(), s(index_pk));
            row.insert(index.sk.into(), s(index_sk));
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

    pub(crate) fn plain(&mut self, pk: &str, sk: String, act: Act) {
        self.writes.push(Write { pk: pk.into(), sk, act, when: None, means: never() });
    }
}

/// Values that the record holds for itself alone: each once, and none while it is deleted.
pub(crate) fn held<E: Entity>(unique: &Unique<E>, record: &Record<E>) -> BTreeSet<String> {
    if record.deleted_at.is_some() {
        BTreeSet::new()
    } else {
        (unique.values)(&record.body).into_iter().collect()
    }
}

/// One per reason, the earliest: once it rings, the record's next version says when again.
fn dues<E: Entity>(record: &Record<E>) -> Vec<Due> {
    if record.deleted_at.is_some() {
        return vec![];
    }
    let mut out: Vec<Due> = vec![];
    for due in E::due(record) {
        match out.iter_mut().find(|d| d.what == due.what) {
            Some(known) => known.at = known.at.min(due.at),
            None => out.push(due),
        }
    }
    out
}

fn due_key<E: Entity>(due: &Due, id: E::Id) -> String {
    format!("{}#{}#{id}#{}", stamp(due.at), E::Id::KIND, due.what)
}

fn extra_rows<E: Entity>(scope: crate::Scope, record: &Record<E>) -> Vec<String> {
    let lists = placed(scope, record).into_iter().map(|r| r.sk).filter(|sk| sk != ".");
    lists.chain(dues(record).iter().skip(1).map(|d| format!("due#{}", d.what))).collect()
}
