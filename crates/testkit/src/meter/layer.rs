//! The layer itself: an interceptor of the SDK's client that sees typed requests and answers, and looks into the
//! table beside them for what an item was before, without that being counted.

use super::{
    Tally, now, parts,
    size::{self, Item},
    units::{self, Units},
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use dynoxide::{Database, actions::get_item::GetItemRequest, types::AttributeValue as Stored};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};
use store::{
    schema::{PK, SK},
    sdk::{
        config::{
            ConfigBag, Intercept, RuntimeComponents,
            interceptors::{
                BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
                FinalizerInterceptorContextRef,
            },
        },
        error::BoxError,
        operation::{
            batch_get_item::BatchGetItemInput,
            batch_write_item::BatchWriteItemInput,
            delete_item::DeleteItemInput,
            get_item::GetItemInput,
            put_item::PutItemInput,
            query::{QueryInput, QueryOutput},
            transact_write_items::TransactWriteItemsInput,
            update_item::UpdateItemInput,
        },
        primitives::Blob,
        types::{AttributeValue as Av, TransactWriteItem},
    },
};

pub(crate) struct Meter(pub Database);

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

type Place = (String, String);

/// A call, as far as it costs something.
#[derive(Debug)]
enum Asked {
    Read { places: Vec<Place>, consistent: bool },
    Query { partition: String, consistent: bool },
    Write { acts: Vec<(Place, Act)>, transaction: bool },
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Change,
    Check,
}

/// A call under way.
#[derive(Debug)]
struct Begun {
    tally: Arc<Mutex<Tally>>,
    asked: Asked,
    before: Vec<Option<Item>>,
}

impl Storable for Begun {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(tally) = now() else { return Ok(()) };
        let timing = tally.lock().expect("never poisoned").timing;
        let asked = if timing { Asked::Other } else { Asked::of(context) };
        if asked.is_standing() {
            tally.lock().expect("never poisoned").standing += 1;
            return Ok(());
        }
        let before = match &asked {
            Asked::Write { acts, .. } => acts.iter().map(|(place, _)| self.look(place)).collect(),
            _ => vec![],
        };
        tally.lock().expect("never poisoned").begins();
        cfg.interceptor_state().store_put(Begun { tally, asked, before });
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(begun) = cfg.load::<Begun>() {
            begun.tally.lock().expect("never poisoned").attempts += 1;
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(begun) = cfg.load::<Begun>() else { return Ok(()) };
        let mut tally = begun.tally.lock().expect("never poisoned");
        tally.ends();
        match context.output_or_error() {
            Some(Ok(output)) => {
                let found = output.downcast_ref::<QueryOutput>().and_then(|q| q.items.as_deref());
                self.count(begun, found.unwrap_or_default(), &mut tally);
            }
            _ => tally.disturbed = true,
        }
        Ok(())
    }
}

impl Meter {
    fn count(&self, begun: &Begun, found: &[Item], tally: &mut Tally) {
        let mut add = |items: &[Option<&Item>], units: Units| {
            tally.items += items.len() as u64;
            tally.bytes += items.iter().flatten().map(|item| size::item(item)).sum::<u64>();
            tally.units += units;
        };
        match &begun.asked {
            Asked::Read { places, consistent } => {
                for item in places.iter().map(|place| self.look(place)) {
                    add(&[item.as_ref()], units::read(item.as_ref(), *consistent));
                }
            }
            Asked::Query { consistent, .. } => {
                let items: Vec<Option<&Item>> = found.iter().map(Some).collect();
                add(&items, units::query(found, *consistent));
            }
            Asked::Write { acts, transaction } => {
                for ((place, act), before) in acts.iter().zip(&begun.before) {
                    let after = (*act == Act::Change).then(|| self.look(place)).flatten();
                    let (before, after) = (before.as_ref(), after.as_ref());
                    let (item, cost, entries) = match act {
                        Act::Check => (None, units::check(before), 0),
                        Act::Change => {
                            let cost = units::write(before, after, *transaction);
                            (after.or(before), cost, units::entries(before, after, 0))
                        }
                    };
                    add(&[item], cost);
                    let entries = entries as f64;
                    parts::add(
                        &mut tally.spent,
                        parts::of(&place.0, &place.1),
                        cost.write[0] - entries,
                        entries,
                    );
                }
            }
            Asked::Other => {}
        }
    }

    /// What lies at a place now.
    fn look(&self, (pk, sk): &Place) -> Option<Item> {
        let key = [(PK, pk), (SK, sk)].map(|(name, value)| (name.to_string(), Stored::S(value.clone())));
        let request = GetItemRequest {
            table_name: crate::table::NAME.into(),
            key: key.into(),
            consistent_read: Some(true),
            projection_expression: None,
            expression_attribute_names: None,
            return_consumed_capacity: None,
            attributes_to_get: None,
        };
        let item = self.0.get_item(request).expect("the table is there").item?;
        Some(item.into_iter().map(|(name, value)| (name, plain(value))).collect())
    }
}

fn plain(value: Stored) -> Av {
    let blobs = |all: Vec<Vec<u8>>| all.into_iter().map(Blob::new).collect();
    match value {
        Stored::S(v) => Av::S(v),
        Stored::N(v) => Av::N(v),
        Stored::B(v) => Av::B(Blob::new(v)),
        Stored::BOOL(v) => Av::Bool(v),
        Stored::NULL(v) => Av::Null(v),
        Stored::SS(v) => Av::Ss(v),
        Stored::NS(v) => Av::Ns(v),
        Stored::BS(v) => Av::Bs(blobs(v)),
        Stored::L(v) => Av::L(v.into_iter().map(plain).collect()),
        Stored::M(v) => Av::M(v.into_iter().map(|(name, v)| (name, plain(v))).collect()),
    }
}

impl Asked {
    fn of(context: &BeforeSerializationInterceptorContextRef<'_>) -> Self {
        let input = context.input();
        if let Some(get) = input.downcast_ref::<GetItemInput>() {
            let consistent = get.consistent_read.unwrap_or_default();
            return Self::Read { places: vec![keyed(get.key.as_ref())], consistent };
        }
        if let Some(batch) = input.downcast_ref::<BatchGetItemInput>() {
            let tables = batch.request_items.iter().flat_map(HashMap::values);
            let consistent = tables.clone().any(|t| t.consistent_read.unwrap_or_default());
            let places = tables.flat_map(|t| &t.keys).map(|key| keyed(Some(key))).collect();
            return Self::Read { places, consistent };
        }
        if let Some(query) = input.downcast_ref::<QueryInput>() {
            let bound = query.expression_attribute_values.as_ref().and_then(|v| v.get(":p"));
            let consistent = query.consistent_read.unwrap_or_default();
            return Self::Query { partition: text(bound), consistent };
        }
        if let Some(all) = input.downcast_ref::<TransactWriteItemsInput>() {
            let acts = all.transact_items.iter().flatten().map(act).collect();
            return Self::Write { acts, transaction: true };
        }
        let mut acts = vec![];
        if let Some(put) = input.downcast_ref::<PutItemInput>() {
            acts.push((keyed(put.item.as_ref()), Act::Change));
        } else if let Some(update) = input.downcast_ref::<UpdateItemInput>() {
            acts.push((keyed(update.key.as_ref()), Act::Change));
        } else if let Some(delete) = input.downcast_ref::<DeleteItemInput>() {
            acts.push((keyed(delete.key.as_ref()), Act::Change));
        } else if let Some(batch) = input.downcast_ref::<BatchWriteItemInput>() {
            for request in batch.request_items.iter().flat_map(HashMap::values).flatten() {
                let put = request.put_request.as_ref().map(|put| &put.item);
                let key = put.or(request.delete_request.as_ref().map(|delete| &delete.key));
                acts.push((keyed(key), Act::Change));
            }
        }
        if acts.is_empty() { Self::Other } else { Self::Write { acts, transaction: false } }
    }

    /// What an environment reads once and keeps: a request that comes first pays for those that follow.
    fn is_standing(&self) -> bool {
        let kept = |pk: &str| {
            let rest = pk.split_once('#').map_or("", |(_, rest)| rest);
            KEPT.iter().any(|family| rest.starts_with(family))
        };
        match self {
            Self::Read { places, .. } => places.iter().all(|(pk, _)| kept(pk)),
            Self::Query { partition, .. } => kept(partition),
            _ => false,
        }
    }
}

/// Of the vault, the gates (three facts in one call), the approval policies, the origins of browsers.
const KEPT: [&str; 6] = [
    "key#",
    "fact#tenant#self",
    "fact#access#self",
    "fact#api_calls#self",
    "fact#approval_policy#",
    "origin#",
];

fn act(item: &TransactWriteItem) -> (Place, Act) {
    let TransactWriteItem { put, update, delete, condition_check, .. } = item;
    if let Some(check) = condition_check {
        return (keyed(Some(&check.key)), Act::Check);
    }
    let key = put.as_ref().map(|put| &put.item);
    let key = key.or(update.as_ref().map(|update| &update.key)).or(delete.as_ref().map(|delete| &delete.key));
    (keyed(key), Act::Change)
}

fn keyed(item: Option<&Item>) -> Place {
    let word = |name: &str| text(item.and_then(|item| item.get(name)));
    (word(PK), word(SK))
}

fn text(value: Option<&Av>) -> String {
    value.and_then(|v| v.as_s().ok()).cloned().unwrap_or_default()
}
