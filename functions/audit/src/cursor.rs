//! Cursors of searches: sealed, bound to what was asked, good for an hour. Never raw keys.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::SignedDuration;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::Store;

const LIFE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Unix seconds.
    expires: i64,
    before: String,
}

/// `asked` names the route and its filters.
pub fn after(store: &Store, asked: &str, before: &str) -> String {
    let cursor = Cursor { expires: (store.now() + LIFE).as_second(), before: before.into() };
    BASE64.encode(store.seal(&format!("cursor|{asked}"), serde_json::to_vec(&cursor).unwrap_or_default()))
}

/// 400 for everything that is not a living cursor of this very search.
pub fn open(store: &Store, asked: &str, text: &str) -> Result<String> {
    let open = || -> Option<String> {
        let sealed = BASE64.decode(text).ok()?;
        let plain = store.unseal(&format!("cursor|{asked}"), &sealed).ok()?;
        let cursor: Cursor = serde_json::from_slice(&plain).ok()?;
        (cursor.expires >= store.now().as_second()).then_some(cursor.before)
    };
    open().ok_or_else(|| {
        Error::invalid("?cursor", "cursor", "this cursor is not valid here; start the search again")
    })
}
