//! A renewed contract takes its open cases along.

use super::Case;
use events::{Envelope, eap::ContractSaid};
use kernel::{EapContractId, Error, Result};
use store::{Record, Wanted};
use web::{Ctx, Reaction};

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("eap_contract.renewed", |ctx: Ctx, event: Envelope| async move {
        let said: ContractSaid = serde_json::from_value(event.data.clone()).map_err(Error::internal)?;
        match said.from {
            Some(from) => moved(&ctx, from, said.contract).await,
            None => Ok(()),
        }
    })]
}

/// Every open case, one by one: a case that moved leaves the list, so whoever comes again finds what is left.
async fn moved(ctx: &Ctx, from: EapContractId, to: EapContractId) -> Result<()> {
    let wanted = Wanted::by(&[&from], 100);
    for case in ctx.store().list_all(Case::list("contract"), wanted).await? {
        one(ctx, &case, from, to).await?;
    }
    Ok(())
}

async fn one(ctx: &Ctx, seen: &Record<Case>, from: EapContractId, to: EapContractId) -> Result<()> {
    web::again(ctx.store(), async || {
        let old = ctx.store().fresh::<Case>(seen.id).await?;
        if old.body.contract != from || !old.body.is_open() || old.deleted_at.is_some() {
            return Ok(());
        }
        let mut new = old.next(ctx.now());
        new.body.contract = to;
        ctx.store().commit().update("renew", &old, &new).run().await
    })
    .await
}
