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

/// Its time is over: no list has it any more and nothing leads to it. It stays as a deleted record, since its changes stay:
/// without it they would say that somebody has taken it away past the product.
pub async fn purge<E: Entity>(ctx: &Ctx, old: &Record<E>) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    match ctx.store().commit().update("purge", old, &new).run().await {
        Err(Error::Stale { .. }) => Err(Error::Busy),
        other => other,
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
