//! What handlers of due rows begin with: the tenant's context and the record as it is now.

use crate::{App, Ctx};
use kernel::{Error, Result};
use serde_json::Value;
use std::future::Future;
use store::{Entity, Record, Scope};

/// Of a due row as the clock sends it, `{"type": "due.<kind>.<what>", "tenant", "id", "at"}`: the context of `module`
/// in that tenant, and the record; none if the row names nothing that is there (any more).
pub async fn rung<E: Entity>(
    app: &App,
    module: &'static str,
    row: &Value,
) -> Result<Option<(Ctx, Record<E>)>> {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let (Some(scope), Ok(id)) = (Scope::from_claim(text("tenant")), text("id").parse::<E::Id>()) else {
        tracing::warn!(kind = text("type"), "a due row that names no record");
        return Ok(None);
    };
    let ctx = Ctx::system(app, scope, module, text("type")).await?;
    Ok(live(&ctx, id).await?.map(|record| (ctx, record)))
}

/// The record as it is now; none if it is gone.
pub async fn live<E: Entity>(ctx: &Ctx, id: E::Id) -> Result<Option<Record<E>>> {
    match ctx.store().fresh::<E>(id).await {
        Ok(record) => Ok(Some(record).filter(|r| r.deleted_at.is_none())),
        Err(Error::Missing) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Once more while somebody else was quicker: for effects that read, decide and write.
pub async fn again<T, F>(ctx: &Ctx, mut once: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut attempt = 0;
    loop {
        match once().await {
            Err(Error::Stale { demanded: false, .. }) => ctx.store().pause(&mut attempt).await?,
            other => return other,
        }
    }
}
