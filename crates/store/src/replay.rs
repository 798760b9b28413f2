//! Change records of a time range, for sending their events again.

use crate::{
    Key, Page, Store,
    error::refused,
    item::{Item, s, text},
    list::stamp,
    schema::{GSI4, PK, SK},
};
use aws_sdk_dynamodb::types::AttributeValue as Av;
use jiff::{Timestamp, civil::Date};
use kernel::{Error, Result};
use serde_json::Value;
use std::ops::Range;

/// Change records of one round trip: a batch holds no more.
const PAGE: i32 = 100;

impl Store {
    /// What changes of one UTC day and shard say openly, in order of time, a page at a time: `after` is the page
    /// before's `next`. Two round trips a page.
    pub async fn changes_to_replay(
        &self,
        day: Date,
        shard: u32,
        range: &Range<Timestamp>,
        after: Option<&str>,
    ) -> Result<Page<Value>> {
        let from = after.map_or(stamp(range.start), |after| format!("{after}!"));
        let to = stamp(range.end);
        if from > to {
            return Ok(Page { data: vec![], next: None });
        }
        let query = self
            .sdk
            .query()
            .table_name(&*self.table)
            .index_name(GSI4.name)
            .key_condition_expression("#p = :p AND #s BETWEEN :a AND :b")
            .expression_attribute_names("#p", GSI4.pk)
            .expression_attribute_names("#s", GSI4.sk)
            .expression_attribute_values(":p", s(format!("{}#change#{day}#{shard}", self.scope)))
            .expression_attribute_values(":a", s(from))
            .expression_attribute_values(":b", s(to))
            .limit(PAGE);
        let out = query.send().await.map_err(|e| refused("changes of a day", &e))?;
        let next = out.last_evaluated_key.map(|last| Ok(text(&last, GSI4.sk)?.to_string())).transpose()?;
        let places = out.items.unwrap_or_default();
        let keys = places.iter().map(|item| self.place(item)).collect::<Result<Vec<Key>>>()?;
        let mut found = self.batch(&keys, true).await?;
        let taken = keys.iter().filter_map(|key| found.remove(&(self.full(key), key.sk.clone())));
        Ok(Page { data: taken.filter_map(plain).collect(), next })
    }

    /// The key of an index entry of this scope.
    fn place(&self, item: &Item) -> Result<Key> {
        let own = text(item, PK)?.strip_prefix(&format!("{}#", self.scope));
        let pk = own.ok_or_else(|| Error::internal("an index entry of another scope"))?.to_string();
        Ok(Key { pk, sk: text(item, SK)?.into() })
    }
}

/// An item without what is sealed.
pub(crate) fn plain(item: Item) -> Option<Value> {
    let open = item.into_iter().filter(|(_, value)| !matches!(value, Av::B(_)));
    serde_dynamo::from_item(open.collect::<Item>()).ok()
}
