//! The whole table at one moment, and back to it: read and written in the engine itself, past the product.
//!
//! It is read whole once; after that only what somebody has written is read again, and two moments are compared only
//! where one of them has been written to. Thousands of runs are put back and compared in a test binary.

use crate::{table::NAME, table::layer::Written};
use dynoxide::{
    Database, Item,
    actions::{
        delete_item::DeleteItemRequest, get_item::GetItemRequest, put_item::PutItemRequest, scan::ScanRequest,
    },
    types::AttributeValue,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};
use store::schema::{PK, SK};

/// By `pk` and `sk`.
pub(crate) type Place = (String, String);
type Items = BTreeMap<Place, Arc<Item>>;

/// What lay there at some moment, and what has changed since then.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    base: Arc<Items>,
    over: BTreeMap<Place, Option<Arc<Item>>>,
}

#[derive(Clone)]
pub(crate) struct Keeper {
    database: Database,
    /// Places that were written to since they were read.
    written: Written,
    known: Arc<Mutex<Option<State>>>,
}

impl Keeper {
    pub fn new(database: Database, written: Written) -> Self {
        Self { database, written, known: Arc::default() }
    }

    /// The table now. Whoever asks has waited for every call.
    pub fn state(&self) -> State {
        let written = self.written.take();
        let mut known = self.known.lock().expect("never poisoned");
        let state = known.get_or_insert_with(|| self.whole());
        for place in written {
            let item = self.item(&place);
            state.put(place, item);
        }
        state.clone()
    }

    /// The same, as something to begin from: what comes after it is compared with it cheaply.
    pub fn begin(&self) -> State {
        let mut state = self.state();
        state.fold();
        *self.known.lock().expect("never poisoned") = Some(state.clone());
        state
    }

    /// The table as it lies there, whatever is known of it.
    pub fn whole(&self) -> State {
        let (mut all, mut from) = (BTreeMap::new(), None);
        loop {
            let request =
                ScanRequest { table_name: NAME.into(), exclusive_start_key: from, ..ScanRequest::default() };
            let page = self.database.scan(request).expect("the table is read");
            for item in page.items.into_iter().flatten() {
                all.insert(place(&item), Arc::new(item));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return State { base: Arc::new(all), over: BTreeMap::new() };
            }
        }
    }

    fn item(&self, place: &Place) -> Option<Arc<Item>> {
        let request =
            GetItemRequest { table_name: NAME.into(), key: key(place), ..GetItemRequest::default() };
        self.database.get_item(request).expect("an item is read").item.map(Arc::new)
    }

    /// From what lies there now; only what differs is written. The places.
    pub fn back(&self, now: &State, state: &State) -> BTreeSet<Place> {
        let changed = now.changed(state);
        let mut known = self.known.lock().expect("never poisoned");
        for place in &changed {
            let item = state.at(place).cloned();
            match &item {
                Some(item) => {
                    let put = PutItemRequest {
                        table_name: NAME.into(),
                        item: (**item).clone(),
                        ..PutItemRequest::default()
                    };
                    self.database.put_item(put).expect("an item is put back");
                }
                None => {
                    let delete = DeleteItemRequest {
                        table_name: NAME.into(),
                        key: key(place),
                        ..DeleteItemRequest::default()
                    };
                    self.database.delete_item(delete).expect("an item is taken away");
                }
            }
            if let Some(known) = &mut *known {
                known.put(place.clone(), item);
            }
        }
        changed
    }
}

fn key(place: &Place) -> HashMap<String, AttributeValue> {
    [(PK, &place.0), (SK, &place.1)]
        .map(|(name, value)| (name.to_string(), AttributeValue::S(value.clone())))
        .into()
}

fn place(item: &Item) -> Place {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    (text(PK), text(SK))
}

impl State {
    fn put(&mut self, place: Place, item: Option<Arc<Item>>) {
        self.over.insert(place, item);
    }
    fn fold(&mut self) {
        if self.over.is_empty() {
            return;
        }
        let base = Arc::make_mut(&mut self.base);
        for (place, item) in std::mem::take(&mut self.over) {
            match item {
                Some(item) => drop(base.insert(place, item)),
                None => drop(base.remove(&place)),
            }
        }
    }
    fn at(&self, place: &Place) -> Option<&Arc<Item>> {
        match self.over.get(place) {
            Some(item) => item.as_ref(),
            None => self.base.get(place),
        }
    }

    /// Places that hold something else than in the other one.
    pub fn changed(&self, other: &State) -> BTreeSet<Place> {
        let differs = |place: &&Place| match (self.at(place), other.at(place)) {
            (Some(a), Some(b)) => !Arc::ptr_eq(a, b) && a != b,
            (a, b) => a.is_some() != b.is_some(),
        };
        let over = self.over.keys().chain(other.over.keys()).filter(differs).cloned();
        if Arc::ptr_eq(&self.base, &other.base) {
            return over.collect();
        }
        over.chain(self.base.keys().chain(other.base.keys()).filter(differs).cloned()).collect()
    }
    /// Every item with its place.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str, &Item)> {
        let lie = self.base.iter().filter(|(place, _)| !self.over.contains_key(*place));
        let over = self.over.iter().filter_map(|(place, item)| Some((place, item.as_ref()?)));
        lie.chain(over).map(|((pk, sk), item)| (pk.as_str(), sk.as_str(), &**item))
    }
    /// Every item of one partition with its sort key.
    pub fn under(&self, pk: &str) -> Vec<(&str, &Item)> {
        let from = (pk.to_string(), String::new());
        let lie = self.base.range(from.clone()..).take_while(|(place, _)| place.0 == pk);
        let over = self.over.range(from..).take_while(|(place, _)| place.0 == pk);
        let lie = lie.filter(|(place, _)| !self.over.contains_key(*place));
        let over = over.filter_map(|(place, item)| Some((place, item.as_ref()?)));
        lie.chain(over).map(|((_, sk), item)| (sk.as_str(), &**item)).collect()
    }
    /// Whether any partition begins so.
    pub fn any_under(&self, prefix: &str) -> bool {
        let from = (prefix.to_string(), String::new());
        let here = |place: &Place| place.0.starts_with(prefix);
        let mut lie = self.base.range(from.clone()..).take_while(|(place, _)| here(place));
        let mut over = self.over.range(from..).take_while(|(place, _)| here(place));
        lie.any(|(place, _)| !self.over.contains_key(place)) || over.any(|(_, item)| item.is_some())
    }
    pub fn get(&self, pk: &str, sk: &str) -> Option<&Item> {
        self.at(&(pk.to_string(), sk.to_string())).map(|item| &**item)
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
