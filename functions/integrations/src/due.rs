//! Due rows, as the clock sends them: `{"type": "due.<kind>.<what>", "tenant", "id", "at"}`.

use kernel::{Error, Id, Result};
use serde_json::Value;
use store::{Commit, Entity, Record, Scope};
use web::{App, Ctx};

/// The tenant's context and the record's id; none if the message names nothing of ours.
pub async fn read<I: Id>(app: &App, due: &Value) -> Result<Option<(Ctx, I)>> {
    let text = |name: &str| due[name].as_str().unwrap_or_default();
    let (Some(scope), Ok(id)) = (Scope::from_claim(text("tenant")), text("id").parse::<I>()) else {
        tracing::warn!(kind = text("type"), "a message that names no record");
        return Ok(None);
    };
    let ctx = Ctx::system(app, scope, "integrations", text("type")).await?;
    Ok(Some((ctx, id)))
}

/// The record as it is now; none if it is gone.
pub async fn record<E: Entity>(ctx: &Ctx, id: E::Id) -> Result<Option<Record<E>>> {
    match ctx.store().fresh::<E>(id).await {
        Ok(record) => Ok(Some(record).filter(|r| r.deleted_at.is_none())),
        Err(Error::Missing) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Changes a record as it is, again if somebody else changed it meanwhile. `None` from `step`: there is nothing to do.
pub async fn change<E: Entity>(
    ctx: &Ctx,
    id: E::Id,
    step: impl Fn(&Record<E>) -> Option<Commit>,
) -> Result<()> {
    let mut attempt = 0;
    loop {
        let Some(old) = record::<E>(ctx, id).await? else { return Ok(()) };
        let Some(commit) = step(&old) else { return Ok(()) };
        match commit.run().await {
            Err(Error::Stale { .. }) => ctx.store().pause(&mut attempt).await?,
            other => return other,
        }
    }
}
