//! Cursors: opaque, authenticated, bound to tenant, list and bounds, good for an hour. Never raw keys.

use crate::{
    Store,
    item::{Item, text},
    list::Bounds,
    schema::{Index, PK, SK},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::SignedDuration;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

const LIFE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Unix seconds.
    expires: i64,
    pub index_sk: String,
    pub pk: String,
    pub sk: String,
}

impl Cursor {
    pub fn after(
        store: &Store,
        partition: &str,
        bounds: &Bounds,
        index: Index,
        last: &Item,
    ) -> Result<String> {
        let cursor = Cursor {
            expires: (store.now() + LIFE).as_second(),
            index_sk: text(last, index.sk)?.into(),
            pk: text(last, PK)?.into(),
            sk: text(last, SK)?.into(),
        };
        let plain = serde_json::to_vec(&cursor).map_err(Error::internal)?;
        Ok(BASE64.encode(store.ring.seal(&place(partition, bounds), plain)))
    }

    /// 400 for everything that is not a living cursor of this very list.
    pub fn open(store: &Store, partition: &str, bounds: &Bounds, text: &str) -> Result<Self> {
        let open = || -> Option<Self> {
            let sealed = BASE64.decode(text).ok()?;
            let plain = store.ring.unseal(&place(partition, bounds), &sealed).ok()?;
            let cursor: Self = serde_json::from_slice(&plain).ok()?;
            (cursor.expires >= store.now().as_second()).then_some(cursor)
        };
        open().ok_or_else(|| {
            Error::invalid("?cursor", "cursor", "this cursor is not valid here; start the list again")
        })
    }
}

fn place(partition: &str, bounds: &Bounds) -> String {
    format!("cursor|{partition}|{bounds:?}")
}
