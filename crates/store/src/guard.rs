//! Unique values: a guard item per value, held by one record.

use crate::{
    Commit, Entity, Key, Record, Store, When,
    commit::{Act, Means, Write},
    item::{Item, s},
    record::held,
    schema::{PK, SK},
};
use kernel::{Error, Id, Result};
use serde_json::Value;

impl Commit {
    pub(crate) fn guard_pk<E: Entity>(&self, field: &str, value: &str) -> String {
        let kind = E::Id::KIND;
        format!(
            "{}#unique#{kind}#{field}#{}",
            self.store.scope,
            self.store.blind(&format!("{kind}.{field}"), value)
        )
    }
    pub(crate) fn push_guard<E: Entity>(
        &mut self,
        field: &'static str,
        code: &'static str,
        value: &str,
        owner: E::Id,
    ) {
        let pk = self.guard_pk::<E>(field, value);
        let item = Item::from([(PK.into(), s(&pk)), (SK.into(), s(".")), ("owner".into(), s(owner))]);
        let means = Means::Unique { field, code };
        // Whoever holds it already may hold it again: a retry or a restore is no clash with oneself.
        let when = When::Absent.or(When::Is("owner", s(owner)));
        self.writes.push(Write { pk, sk: ".".into(), act: Act::Put(item), when: Some(when), means });
    }
    pub(crate) fn drop_guard<E: Entity>(&mut self, field: &str, value: &str) {
        let pk = self.guard_pk::<E>(field, value);
        self.plain(&pk, ".".into(), Act::Delete);
    }

    pub(crate) fn reguard<E: Entity>(&mut self, old: &Record<E>, new: &Record<E>) {
        for unique in E::UNIQUE {
            let (was, is) = (held(unique, old), held(unique, new));
            for value in was.difference(&is) {
                self.free_guard::<E>(unique.field, value, new.id);
            }
            for value in is.difference(&was) {
                self.push_guard::<E>(unique.field, unique.code, value, new.id);
            }
        }
    }

    /// A record lets go of its own value only: one that was passed on is its new owner's.
    fn free_guard<E: Entity>(&mut self, field: &'static str, value: &str, owner: E::Id) {
        let pk = self.guard_pk::<E>(field, value);
        let when = Some(When::Absent.or(When::Is("owner", s(owner))));
        let passed =
            move |_| Error::internal(format!("the guard of {}.{field} belongs to another record", E::NOUN));
        self.writes.push(Write {
            pk,
            sk: ".".into(),
            act: Act::Delete,
            when,
            means: Means::Refuse(Box::new(passed)),
        });
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
