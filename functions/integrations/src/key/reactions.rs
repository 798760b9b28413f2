//! What the gateway hears of: keys that have ended, and subscriptions that have changed.

use super::{PartnerKey, rotate::take_away};
use crate::{due, gateway::Doors, tier::Tier};
use events::Envelope;
use kernel::{PartnerKeyId, Result};
use store::{Entity, Wanted, facts};
use web::{Ctx, Reaction, gate::TenantGate};

pub fn reactions(doors: &Doors) -> Vec<Reaction> {
    let ended = |event: &'static str| {
        let doors = doors.clone();
        Reaction::on(event, move |ctx, event| {
            let doors = doors.clone();
            async move { ended(ctx, event, doors).await }
        })
    };
    let moved = doors.clone();
    vec![
        ended("partner_key.revoked"),
        ended("partner_key.expired"),
        Reaction::on("tenant.plan_changed", move |ctx, _| {
            let doors = moved.clone();
            async move { move_all(ctx, doors).await }
        }),
    ]
}

/// Every call may be repeated, so a second delivery needs no memory of the first.
async fn ended(ctx: Ctx, event: Envelope, doors: Doors) -> Result<()> {
    let id: PartnerKeyId = event.record.parse()?;
    match due::record::<PartnerKey>(&ctx, id).await? {
        Some(record) if !record.body.works() => take_away(&doors, &record).await,
        _ => Ok(()),
    }
}

/// Keys follow their subscription: to the wider tier at once, to the narrower one too. Keys beyond the new limit
/// stay; no further one is made.
async fn move_all(ctx: Ctx, doors: Doors) -> Result<()> {
    let Some(tenant) = ctx.store().fact::<TenantGate>(facts::TENANT, "self").await? else { return Ok(()) };
    let tier = Tier::of_plan(&tenant.plan);
    let keys = ctx.store().list_all(&PartnerKey::LISTS[0], Wanted::all(100)).await?;
    for record in keys.iter().filter(|r| r.body.works() && r.body.tier != tier) {
        move_one(&ctx, &doors, record.id, tier).await?;
    }
    Ok(())
}

async fn move_one(ctx: &Ctx, doors: &Doors, id: PartnerKeyId, tier: Tier) -> Result<()> {
    let Some(old) = due::record::<PartnerKey>(ctx, id).await? else { return Ok(()) };
    let mut moved = old.body.clone();
    moved.tier = tier;
    let (from, to) = (old.body.usage_plan(), moved.usage_plan());
    if let Some(key) = old.body.gateway_key_id.as_ref().filter(|_| from != to) {
        doors.move_key(key, from, to).await?;
    }
    web::update::<PartnerKey>(ctx, id, |old| {
        (old.body.works() && old.body.tier != tier).then(|| {
            let mut new = old.next(ctx.now());
            new.body.tier = tier;
            ctx.commit().update("move", old, &new)
        })
    })
    .await
}
