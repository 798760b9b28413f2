//! A bus that does as it is told, and a table's change records as its stream brings them.

use dispatch::{Bus, Refused};
use events::Envelope;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kernel::FollowUpId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Mutex};
use store::{Due, Entity, List, Record, sdk::types::AttributeValue as Av};
use testkit::World;

/// A noun of which every version has an event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Thing {
    pub step: u64,
    pub due: Option<Timestamp>,
}

impl Entity for Thing {
    type Id = FollowUpId;
    const NOUN: &'static str = "thing";
    const LISTS: &'static [List<Self>] = &[];
    fn due(r: &Record<Self>) -> Vec<Due> {
        r.body.due.iter().map(|at| Due { at: *at, what: "look" }).collect()
    }
}

/// What the bus says to one event, the how-manieth call it is.
type Says = dyn Fn(&Envelope, usize) -> Option<Refused> + Send + Sync;

pub struct Memory {
    pub taken: Mutex<Vec<Envelope>>,
    calls: Mutex<usize>,
    says: Box<Says>,
}

impl Memory {
    pub fn saying(says: impl Fn(&Envelope, usize) -> Option<Refused> + Send + Sync + 'static) -> Self {
        Self { taken: Mutex::default(), calls: Mutex::default(), says: Box::new(says) }
    }
    pub fn kind() -> Self {
        Self::saying(|_, _| None)
    }
    pub fn ids(&self) -> Vec<String> {
        self.taken.lock().unwrap().iter().map(|e| e.id.clone()).collect()
    }
}

pub fn busy() -> Option<Refused> {
    Some(Refused { at: 0, reason: "busy".into(), forever: false })
}

impl Bus for Memory {
    fn put<'a>(&'a self, events: &'a [Envelope]) -> BoxFuture<'a, kernel::Result<Vec<Refused>>> {
        Box::pin(async move {
            assert!(events.len() <= 10);
            let call = {
                let mut calls = self.calls.lock().unwrap();
                *calls += 1;
                *calls
            };
            let mut failed = vec![];
            for (at, event) in events.iter().enumerate() {
                match (self.says)(event, call) {
                    Some(refused) => failed.push(Refused { at, ..refused }),
                    None => self.taken.lock().unwrap().push(event.clone()),
                }
            }
            Ok(failed)
        })
    }
}

/// Every change record of the table as the stream's records, in the order of their keys.
pub async fn stream(world: &World) -> Vec<Value> {
    let mut items = world.items().await;
    items.retain(|item| matches!(item.get("pk"), Some(Av::S(pk)) if pk.contains("#chg#")));
    let mut images: Vec<Value> = items.iter().map(typed).collect();
    images.sort_by_key(|i| format!("{}{}", i["pk"]["S"], i["sk"]["S"]));
    let numbered = images.into_iter().enumerate();
    numbered.map(|(n, image)| record(&format!("{n:08}"), image)).collect()
}

pub fn record(sequence: &str, image: Value) -> Value {
    let keys = json!({"pk": image["pk"], "sk": image["sk"]});
    json!({"eventName": "INSERT", "dynamodb": {"SequenceNumber": sequence, "Keys": keys, "NewImage": image}})
}

fn typed(item: &HashMap<String, Av>) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), one(value))).collect::<Map<_, _>>())
}

fn one(value: &Av) -> Value {
    match value {
        Av::S(s) => json!({"S": s}),
        Av::N(n) => json!({"N": n}),
        Av::Bool(b) => json!({"BOOL": b}),
        Av::L(all) => json!({"L": all.iter().map(one).collect::<Vec<_>>()}),
        Av::M(map) => json!({"M": typed(map)}),
        Av::B(_) => json!({"B": "c2VhbGVk"}),
        _ => json!({"NULL": true}),
    }
}
