//! Keeping access entries: the one way in which they are written.

use super::Trail;
use crate::{
    Store,
    chain::Kept,
    error::refused,
    item::{Item, b, s, text},
    schema::{PK, SK, TRAIL},
};
use aws_sdk_dynamodb::types::{AttributeValue as Av, PutRequest, WriteRequest};
use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{Error, Result};
use std::collections::HashMap;

/// The database's bound of one batch.
const BATCH: usize = 25;

impl Store {
    /// Keeps access entries, each under its own key: a second delivery overwrites itself.
    pub async fn keep_access(&self, entries: &[Kept]) -> Result<()> {
        let mut items: HashMap<(String, String), Item> = HashMap::new();
        for kept in entries {
            let item = self.access_item(kept)?;
            items.insert((text(&item, PK)?.to_string(), text(&item, SK)?.to_string()), item);
        }
        let mut pending: Vec<WriteRequest> = vec![];
        for item in items.into_values() {
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(Error::internal)?;
            pending.push(WriteRequest::builder().put_request(put).build());
        }
        let mut attempt = 0;
        while !pending.is_empty() {
            let rest = pending.split_off(pending.len().min(BATCH));
            let request = self.sdk.batch_write_item().request_items(&*self.table, pending);
            let out = request.send().await.map_err(|e| refused("access", &e))?;
            pending = out.unprocessed_items.unwrap_or_default().remove(&*self.table).unwrap_or_default();
            if !pending.is_empty() {
                self.pause(&mut attempt).await?;
            }
            pending.extend(rest);
        }
        Ok(())
    }

    fn access_item(&self, kept: &Kept) -> Result<Item> {
        let entry = &kept.entry;
        if entry.tenant != self.scope.to_string() {
            return Err(Error::internal("an access entry of another organisation"));
        }
        let mut item: Item = serde_dynamo::to_item(kept).map_err(Error::internal)?;
        item.remove("tenant");
        if let Some(context) = &entry.context {
            let sealed = STANDARD.decode(context).map_err(Error::internal)?;
            item.insert("context".into(), b(sealed));
        }
        let mut put = |name: &str, value: String| item.insert(name.into(), s(value));
        let key = entry.key();
        let (kind, record) = key.split_once('#').unwrap_or((&key, "list"));
        put(PK, format!("{}#access#{}#{}", self.scope, crate::segment(kind), crate::segment(record)));
        put(SK, entry.place());
        put(TRAIL, entry.place());
        let mut index = |trail: Trail| {
            let (index, partition) = trail.place(self);
            put(index.pk, partition);
        };
        index(Trail::Actor(entry.by.clone()));
        if let Some(person) = &kept.subject {
            index(Trail::Looked(person.clone()));
        }
        item.retain(|_, value| !matches!(value, Av::Null(_)));
        Ok(item)
    }
}
