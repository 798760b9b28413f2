//! Change records of a time range, for sending their events again.

use crate::{Page, Store, Trail, item::Item, list::stamp};
use aws_sdk_dynamodb::types::AttributeValue as Av;
use jiff::{Timestamp, civil::Date};
use kernel::Result;
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
        let after = after.map_or_else(|| stamp(range.start), String::from);
        let page = self.forward(&Trail::Day(day, shard), &after, &stamp(range.end), Some(PAGE)).await?;
        let items = self.of_traces(&page.data).await?;
        Ok(Page { data: items.into_iter().filter_map(plain).collect(), next: page.next })
    }
}

/// An item without what is sealed.
pub(crate) fn plain(item: Item) -> Option<Value> {
    let open = item.into_iter().filter(|(_, value)| !matches!(value, Av::B(_)));
    serde_dynamo::from_item(open.collect::<Item>()).ok()
}
