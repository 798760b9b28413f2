//! What comes with time: warnings, the end of a key, the end of its older secret, what was never finished.

use super::{PartnerKey, Status, published::publish, rotate::ended};
use crate::{
    due::{self, MODULE},
    gateway::Doors,
};
use events::IntegrationEvent;
use kernel::{PartnerKeyId, Result};
use serde_json::Value;
use store::{Commit, Record};
use web::{App, Ctx, Task};

/// Stands in the history of a key that was given up.
const UNFINISHED: &str = "nobody finished making it within an hour";

pub fn tasks(doors: &Doors) -> Vec<Task> {
    let doors = doors.clone();
    vec![
        Task::due("due.pky.warn", MODULE, warn),
        Task::due("due.pky.expire", MODULE, expire),
        Task::due("due.pky.unfinished", MODULE, give_up),
        Task::on("due.pky.overlap", move |app, row| {
            let doors = doors.clone();
            async move { end_overlap(app, row, doors).await }
        }),
    ]
}

fn warn(ctx: &Ctx, old: &Record<PartnerKey>) -> Option<Commit> {
    let (_, days) = old.body.warning().filter(|(at, _)| old.body.works() && *at <= ctx.now())?;
    let mut new = old.next(ctx.now());
    new.body.skip_past(ctx.now());
    // After a standstill several are due at once: the nearest is what there is to say.
    let days = super::WARNED.get(usize::from(new.body.warned.max(1) - 1)).copied().unwrap_or(days);
    let event = IntegrationEvent::KeyExpiring { key: old.id, days };
    Some(ctx.commit().update("warn", old, &new).emit(event))
}

fn expire(ctx: &Ctx, old: &Record<PartnerKey>) -> Option<Commit> {
    (old.body.works() && old.body.expires_at <= ctx.now()).then(|| {
        let mut new = old.next(ctx.now());
        new.body.status = Status::Expired;
        let commit = ctx.commit().update("expire", old, &new);
        ended(commit.emit(IntegrationEvent::KeyExpired { key: old.id }), &new)
    })
}

/// Nobody came back to go on with it: it ends, so that its name and its place are free again, and what was made of it at
/// the gateway is taken away like that of any key that ends.
fn give_up(ctx: &Ctx, old: &Record<PartnerKey>) -> Option<Commit> {
    (old.body.status == Status::Creating).then(|| {
        let mut new = old.next(ctx.now());
        new.body.status = Status::Revoked;
        let commit = ctx.commit().because(Some(UNFINISHED.into())).update("give_up", old, &new);
        ended(commit.emit(IntegrationEvent::KeyRevoked { key: old.id }), &new)
    })
}

/// The older secret goes at the login first: were it the other way round, one that nobody lists could still work.
async fn end_overlap(app: App, row: Value, doors: Doors) -> Result<()> {
    let Some((ctx, id)) = due::read::<PartnerKeyId>(&app, &row).await? else { return Ok(()) };
    let Some(record) = due::record::<PartnerKey>(&ctx, id).await? else { return Ok(()) };
    let now = ctx.now();
    let (true, Some(client)) =
        (record.body.overlap_ends().is_some_and(|at| at <= now), &record.body.client_id)
    else {
        return Ok(());
    };
    for dead in record.body.secrets.iter().filter(|s| s.dies_at.is_some_and(|at| at <= now)) {
        doors.drop_secret(client, &dead.secret_id).await?;
    }
    web::update::<PartnerKey>(&ctx, id, |old| {
        old.body.overlap_ends().filter(|at| *at <= now)?;
        let mut new = old.next(now);
        new.body.secrets.retain(|s| s.dies_at.is_none_or(|at| at > now));
        new.body.status = Status::Active;
        Some(publish(ctx.commit().update("end_overlap", old, &new), &new))
    })
    .await
}
