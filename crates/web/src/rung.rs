//! What handlers of due rows begin with: the tenant's context and the record as it is now.

use crate::{App, Ctx, Task};
use kernel::{Error, Id, Result, error::found};
use serde_json::Value;
use std::{borrow::Borrow, future::Future};
use store::{Commit, Entity, Record, Scope, Store};

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
    // Where the organisation is gone, so is everything of it.
    Ok(found(Ctx::system(app, scope, module, text("type")).await)?.map(|ctx| (ctx, id)))
}

/// The record as it is now; none if it is gone.
pub async fn live<E: Entity>(ctx: &Ctx, id: E::Id) -> Result<Option<Record<E>>> {
    Ok(found(ctx.store().fresh::<E>(id).await)?.filter(|r| r.deleted_at.is_none()))
}

/// The record as it is now, or what the caller says where it is gone.
pub async fn known<E: Entity>(ctx: &Ctx, id: E::Id, unknown: impl FnOnce() -> Error) -> Result<Record<E>> {
    live(ctx, id).await?.ok_or_else(unknown)
}

/// Once more while somebody else was quicker: for effects that read, decide and write.
pub async fn again<T, R, F>(store: &Store, mut once: impl FnMut() -> F) -> Result<T, R>
where
    R: Borrow<Error> + From<Error>,
    F: Future<Output = Result<T, R>>,
{
    let mut attempt = 0;
    loop {
        match once().await {
            Err(e) if matches!(e.borrow(), Error::Stale { demanded: false, .. }) => {
                store.pause(&mut attempt).await?
            }
            other => return other,
        }
    }
}

/// Changes a record as it is now, as often as it takes. `None` of `step`: there is nothing to do.
pub async fn update<E: Entity>(
    ctx: &Ctx,
    id: E::Id,
    step: impl Fn(&Record<E>) -> Option<Commit>,
) -> Result<()> {
    let once = || async {
        match live::<E>(ctx, id).await?.as_ref().and_then(&step) {
            Some(commit) => commit.run().await,
            None => Ok(()),
        }
    };
    again(ctx.store(), once).await
}

impl Task {
    /// A due row of `module` that changes its record as it is now, where there is something to do.
    pub fn due<E: Entity>(
        name: &'static str,
        module: &'static str,
        step: fn(&Ctx, &Record<E>) -> Option<Commit>,
    ) -> Self {
        Self::on(name, move |app, row| async move {
            let Some((ctx, id)) = named(&app, module, &row).await? else { return Ok(()) };
            update(&ctx, id, |old| step(&ctx, old)).await
        })
    }
}
