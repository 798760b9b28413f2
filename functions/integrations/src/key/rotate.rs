//! A second secret beside the first, and the end of a key.

use super::{
    PartnerKey, Status, count,
    create::{fenced, is_unclear, known},
    published::publish,
};
use crate::gateway::Doors;
use events::IntegrationEvent;
use jiff::SignedDuration;
use kernel::{Error, PartnerKeyId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Record};
use web::{Answer, At, Body, Ctx, Shown};

/// Hours that the old secret lives on where nothing is said.
const OVERLAP: u16 = 24;

#[derive(Deserialize, JsonSchema)]
pub struct Rotate {
    #[schemars(range(min = 1, max = 168))]
    overlap_hours: Option<u16>,
}

/// Shown once, beside the record.
#[derive(Serialize, JsonSchema)]
pub struct Fresh {
    pub client_secret: Sealed<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Because {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

pub async fn rotate(ctx: Ctx, doors: Doors, At(id): At<PartnerKeyId>, Body(asked): Body<Rotate>) -> Answer {
    let old = ctx.change::<PartnerKey>(id).await?;
    let (Status::Active, Some(client)) = (old.body.status, &old.body.client_id) else {
        return Err(Error::State { command: "rotate", state: old.body.status.to_string() }.into());
    };
    let (old, secret) = match doors.add_secret(client).await? {
        Some(secret) => (old.clone(), secret),
        // One lies there that nobody was shown, or somebody is about to be: they are stopped first.
        None => {
            let fresh = fenced(&ctx, &old).await?;
            let keep: Vec<String> = old.body.secrets.iter().map(|s| s.secret_id.clone()).collect();
            doors.keep_secrets(client, &keep).await?;
            (fresh, doors.add_secret(client).await?.ok_or(Error::Busy)?)
        }
    };
    let mut new = old.next(ctx.now());
    let dies_at = ctx.now() + SignedDuration::from_hours(asked.overlap_hours.unwrap_or(OVERLAP).into());
    new.body.secrets.iter_mut().for_each(|s| s.dies_at = Some(dies_at));
    new.body.secrets.push(known(&secret, ctx.now()));
    new.body.status = Status::Rotating;
    let shown = Shown::record_with(&ctx, 200, &new, &Fresh { client_secret: secret.value.clone().into() })?;
    let commit = ctx.commit().update("rotate", &old, &new).emit(IntegrationEvent::KeyRotated { key: id });
    let answer = ctx.settle(publish(commit, &new), shown).await;
    if answer.as_ref().is_err_and(|refused| !is_unclear(&refused.0)) {
        // Somebody else was first: this secret was shown to nobody.
        doors.drop_secret(client, &secret.id).await?;
    }
    answer
}

pub async fn revoke(ctx: Ctx, At(id): At<PartnerKeyId>, Body(why): Body<Because>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = ctx.change::<PartnerKey>(id).await?;
    if matches!(old.body.status, Status::Revoked | Status::Expired) {
        return Err(Error::State { command: "revoke", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Revoked;
    let shown = ctx.shown(200, &new)?;
    let commit = ctx.commit().because(Some(reason)).update("revoke", &old, &new);
    let commit = commit.emit(IntegrationEvent::KeyRevoked { key: id });
    ctx.settle(ended(commit, &new), shown).await
}

/// What ends with a key in the same commit: its place among the organisation's keys, and what is published of it.
pub fn ended(commit: Commit, record: &Record<PartnerKey>) -> Commit {
    publish(commit.add(&count(), "n", -1), record)
}

/// Takes away what lies at the gateway; done already is done. Of a key that was never finished only the name is known.
pub async fn take_away(doors: &Doors, record: &Record<PartnerKey>) -> Result<()> {
    let (Some(client), Some(key)) = (&record.body.client_id, &record.body.gateway_key_id) else {
        return doors.clear(&record.id.to_string()).await;
    };
    doors.delete_client(client).await?;
    doors.delete_key(key).await
}
