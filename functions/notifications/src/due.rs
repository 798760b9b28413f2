//! Due rows, as the clock sends them: `{"type": "due.<kind>.<what>", "tenant", "id", "at"}`.

use kernel::{Error, Id, Result};
use serde_json::Value;
use store::{Entity, Record, Scope};
use web::{App, Ctx};

/// The tenant's context and the record's id; none if the message names nothing of ours.
pub async fn read<I: Id>(app: &App, row: &Value) -> Result<Option<(Ctx, I)>> {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let (Some(scope), Ok(id)) = (Scope::from_claim(text("tenant")), text("id").parse::<I>()) else {
        tracing::warn!(kind = text("type"), "a message that names no record");
        return Ok(None);
    };
    match Ctx::system(app, scope, "notifications", text("type")).await {
        Ok(ctx) => Ok(Some((ctx, id))),
        // The organisation is gone, and everything of it.
        Err(Error::Missing) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The record as it is now; none if it is gone.
pub async fn record<E: Entity>(ctx: &Ctx, id: E::Id) -> Result<Option<Record<E>>> {
    match ctx.store().fresh::<E>(id).await {
        Ok(record) => Ok(Some(record).filter(|r| r.deleted_at.is_none())),
        Err(Error::Missing) => Ok(None),
        Err(e) => Err(e),
    }
}
