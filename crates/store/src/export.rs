//! Change records as webhooks and the warehouse read them: where they stand in a day, then what of them is plain.
//! Nothing sealed is read here.

use crate::{
    Store, Trace, Trail,
    change::told,
    error::refused,
    item::{Item, s, text},
    schema::{DAY_SHARDS, PK, SK, TRAIL},
};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// Where a change record stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChangeAt {
    /// Its place in the day: `{time}#{id}#{version}`.
    pub sort: String,
    pub kind: String,
    pub id: String,
    pub version: u64,
}

/// The plain part of a change record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logged {
    pub kind: String,
    pub id: String,
    pub version: u64,
    pub at: String,
    pub by: String,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevated: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<String>,
    pub request: String,
    pub action: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub event: Value,
    pub prev: String,
    pub hash: String,
}

impl Store {
    /// How many shards a day's changes are spread over; readers merge them.
    pub const DAY_SHARDS: u32 = DAY_SHARDS;

    /// Changes of one shard of a day whose place lies in `from..to` (texts that begin with a time), in their order;
    /// at most `limit`, continued by `after`, the last place seen.
    pub async fn changes_of_day(
        &self,
        (day, shard): (&str, u32),
        (from, to): (&str, &str),
        after: Option<&ChangeAt>,
        limit: i32,
    ) -> Result<Vec<ChangeAt>> {
        let day = day.parse().map_err(Error::internal)?;
        let after = after.map_or(from, |after| after.sort.as_str());
        let page = self.forward(&Trail::Day(day, shard), after, to, Some(limit)).await?;
        page.data.iter().map(at).collect()
    }

    /// The plain part of change records, in the order asked; what is not there is left out. 100 a round trip.
    pub async fn logged(&self, places: &[ChangeAt]) -> Result<Vec<Logged>> {
        let mut found: HashMap<(String, String), Item> = HashMap::new();
        for some in places.chunks(100) {
            let key = |c: &ChangeAt| {
                let (pk, sk) = self.place_of(&c.kind, &c.id, c.version);
                Item::from([(PK.into(), s(pk)), (SK.into(), s(sk))])
            };
            let mut pending: Vec<Item> = some.iter().map(key).collect();
            let mut attempt = 0;
            while !pending.is_empty() {
                let mut wanted = KeysAndAttributes::builder().set_keys(Some(pending));
                for name in PLAIN {
                    wanted = wanted.expression_attribute_names(format!("#{name}"), name);
                }
                let names = PLAIN.map(|name| format!("#{name}")).join(", ");
                let wanted = wanted.projection_expression(names).build().map_err(Error::internal)?;
                let request = self.sdk.batch_get_item().request_items(&*self.table, wanted);
                let answer = request.send().await.map_err(|e| refused("batch get", &e))?;
                for item in answer.responses.unwrap_or_default().into_values().flatten() {
                    found.insert((text(&item, PK)?.into(), text(&item, SK)?.into()), item);
                }
                let left = answer.unprocessed_keys.unwrap_or_default().remove(&*self.table);
                pending = left.map(|k| k.keys).unwrap_or_default();
                if !pending.is_empty() {
                    self.pause(&mut attempt).await?;
                }
            }
        }
        let places = places.iter().map(|c| self.place_of(&c.kind, &c.id, c.version));
        let items = places.filter_map(|place| found.remove(&place));
        items.map(|item| serde_dynamo::from_item(told(item)?).map_err(Error::internal)).collect()
    }

    fn place_of(&self, kind: &str, id: &str, version: u64) -> (String, String) {
        (format!("{}#chg#{kind}#{id}", self.scope), format!("v#{version:010}"))
    }
}

/// What of a change record is read: all that is not sealed.
const PLAIN: [&str; 13] = [
    PK,
    SK,
    TRAIL,
    "version",
    "by",
    "roles",
    "elevated",
    "on_behalf",
    "request",
    "action",
    "event",
    "prev",
    "hash",
];

fn at(trace: &Trace) -> Result<ChangeAt> {
    let (kind, id) = trace.record().ok_or_else(|| Error::internal("a change record at an odd place"))?;
    Ok(ChangeAt { sort: trace.sort.clone(), kind: kind.into(), id: id.into(), version: trace.version })
}
