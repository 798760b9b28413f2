//! Due rows, as the clock sends them: `{"type": "due.<kind>.<what>", "tenant", "id", "at"}`.

use kernel::{Error, Id, Result};
use serde_json::Value;
use store::{Commit, Entity, Record};
use web::{App, Ctx};

pub use web::live as record;

/// The tenant's context and the record's id; none if the message names nothing of ours.
pub async fn read<I: Id>(app: &App, due: &Value) -> Result<Option<(Ctx, I)>> {
    web::named(app, "integrations", due).await
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
