//! What handlers of due rows begin with: the tenant's context and the record as it is now.

use crate::{App, Ctx};
use kernel::{Error, Id, Result};
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
    let Some((ctx, id)) = named(app, module, row).await? else { return Ok(None) };
    Ok(live(&ctx, id).await?.map(|record| (ctx, record)))
}

/// The same with the id alone: for handlers that read the record anew in every attempt.
pub async fn named<I: Id>(app: &App, module: &'static str, row: &Value) -> Result<Option<(Ctx, I)>> {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let (Some(scope), Ok(id)) = (Scope::from_claim(text("tenant")), text("id").parse::<I>()) else {
        tracing::warn!(kind = text("type"), "a message that names no record");
        return Ok(None);
    };
    Ok(Some((Ctx::system(app, scope, module, text("type")).await?, id)))
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
