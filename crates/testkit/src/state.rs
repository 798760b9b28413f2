//! The whole table at one moment, and back to it: read and written in the engine itself, past the product.

use crate::table::NAME;
use dynoxide::{
    Database, Item,
    actions::{delete_item::DeleteItemRequest, put_item::PutItemRequest, scan::ScanRequest},
    types::AttributeValue,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use store::schema::{PK, SK};

/// By `pk` and `sk`.
type Place = (String, String);

#[derive(Clone, Debug, Default)]
pub(crate) struct State(BTreeMap<Place, Arc<Item>>);

#[derive(Clone)]
pub(crate) struct Keeper(pub Database);

impl Keeper {
    pub fn state(&self) -> State {
        let (mut all, mut from) = (BTreeMap::new(), None);
        loop {
            let request =
                ScanRequest { table_name: NAME.into(), exclusive_start_key: from, ..ScanRequest::default() };
            let page = self.0.scan(request).expect("the table is read");
            for item in page.items.into_iter().flatten() {
                all.insert(place(&item), Arc::new(item));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return State(all);
            }
        }
    }

    /// From what lies there now; only what differs is written. The places.
    pub fn back(&self, now: &State, state: &State) -> BTreeSet<Place> {
        let changed = now.changed(state);
        for place in &changed {
            match state.0.get(place) {
                Some(item) => {
                    let put = PutItemRequest {
                        table_name: NAME.into(),
                        item: (**item).clone(),
                        ..PutItemRequest::default()
                    };
                    self.0.put_item(put).expect("an item is put back");
                }
                None => {
                    let key = [(PK, &place.0), (SK, &place.1)];
                    let key = key.map(|(name, value)| (name.to_string(), AttributeValue::S(value.clone())));
                    let delete = DeleteItemRequest {
                        table_name: NAME.into(),
                        key: key.into(),
                        ..DeleteItemRequest::default()
                    };
                    self.0.delete_item(delete).expect("an item is taken away");
                }
            }
        }
        changed
    }
}

fn place(item: &Item) -> Place {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    (text(PK), text(SK))
}

impl State {
    /// Places that hold something else than in the other one.
    pub fn changed(&self, other: &State) -> BTreeSet<Place> {
        let differs = |place: &&Place| match (self.0.get(*place), other.0.get(*place)) {
            (Some(a), Some(b)) => !Arc::ptr_eq(a, b) && a != b,
            (a, b) => a.is_some() != b.is_some(),
        };
        self.0.keys().chain(other.0.keys()).filter(differs).cloned().collect()
    }
    /// Every item with its place.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str, &Item)> {
        self.0.iter().map(|((pk, sk), item)| (pk.as_str(), sk.as_str(), &**item))
    }
    /// Whether any partition begins so.
    pub fn any_under(&self, prefix: &str) -> bool {
        let from = (prefix.to_string(), String::new());
        self.0.range(from..).next().is_some_and(|((pk, _), _)| pk.starts_with(prefix))
    }
    pub fn get(&self, pk: &str, sk: &str) -> Option<&Item> {
        self.0.get(&(pk.to_string(), sk.to_string())).map(|item| &**item)
    }
}

/// In the database's own JSON: `{"pk": {"S": "…"}, …}`.
pub(crate) fn typed(item: &Item) -> Value {
    serde_json::to_value(item).unwrap_or_default()
}

/// As plain JSON, sealed bytes left out.
pub(crate) fn plain(item: &Item) -> Value {
    fn one(value: &AttributeValue) -> Option<Value> {
        Some(match value {
            AttributeValue::S(text) => text.clone().into(),
            AttributeValue::N(number) => serde_json::from_str(number).ok()?,
            AttributeValue::BOOL(b) => (*b).into(),
            AttributeValue::L(all) => all.iter().filter_map(one).collect(),
            AttributeValue::M(map) => {
                Value::Object(map.iter().filter_map(|(k, v)| Some((k.clone(), one(v)?))).collect())
            }
            _ => return None,
        })
    }
    Value::Object(item.iter().filter_map(|(k, v)| Some((k.clone(), one(v)?))).collect())
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

pub(crate) fn number(item: &Item, name: &str) -> Option<i64> {
    match item.get(name) {
        Some(AttributeValue::N(number)) => number.parse().ok(),
        _ => None,
    }
}
