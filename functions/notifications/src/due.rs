//! Due rows, as the clock sends them: `{"type": "due.<kind>.<what>", "tenant", "id", "at"}`.

use kernel::{Error, Id, Result};
use serde_json::Value;
use store::{Entity, Record};
use web::{App, Ctx};

pub use web::live as record;

/// The tenant's context and the record's id; none if the message names nothing of ours.
pub async fn read<I: Id>(app: &App, row: &Value) -> Result<Option<(Ctx, I)>> {
    web::named(app, "notifications", row).await
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
