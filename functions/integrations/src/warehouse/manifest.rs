//! At two in the morning the day before is counted: its lines against its changes. A day that differs is written
//! again, from its first quarter to its last, and whoever reads it is told.

use super::{
    Counted, Part, Warehouse,
    export::{changes, write},
    slot, start_of,
};
use crate::due;
use events::IntegrationEvent;
use jiff::{Timestamp, ToSpan, civil::Date};
use kernel::{Error, Result, WarehouseId};
use serde::Serialize;
use serde_json::Value;
use store::{Commit, Key, Record};
use web::{App, Ctx, files::File};

/// What lies beside a day's files as `manifest.json`.
#[derive(Serialize)]
struct Manifest<'a> {
    tenant: String,
    #[serde(flatten)]
    counted: &'a Counted,
    parts: &'a [Part],
}

/// Files that one day may be made of: two hundred in each quarter of an hour.
const MOST: i32 = 20_000;

pub async fn count(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<WarehouseId>(&app, &row).await? else { return Ok(()) };
    loop {
        let Some(old) = due::record::<Warehouse>(&ctx, id).await? else { return Ok(()) };
        let day = old.body.next_day;
        let over = start_of(day.saturating_add(1.day()));
        let time = old.body.counted_at().is_some_and(|at| at <= ctx.now());
        // The export may be behind: the day is counted once it is written.
        if !old.body.enabled || !time || old.body.cursor < over {
            return Ok(());
        }
        match seal(&ctx, &old, day).await {
            Err(Error::Stale { .. }) => {}
            other => other?,
        }
    }
}

async fn seal(ctx: &Ctx, old: &Record<Warehouse>, day: Date) -> Result<()> {
    let (from, to) = bounds(&old.body, day);
    let changes = match from < to {
        true => changes(ctx.store(), &old.body, from, to).await?.len() as u64,
        false => 0,
    };
    let found = parts(ctx, old.id, day).await?;
    let rows = found.iter().map(|p| p.rows).sum::<u64>();
    let mut commit = ctx.store().commit();
    let (kept, counted) = if rows == changes {
        (found, Counted { day, rows, changes, repaired: false })
    } else {
        let again = rewrite(ctx, &old.body, from, to).await?;
        commit = remember(commit, old.id, &found, &again);
        let now = again.iter().map(|p| p.rows).sum();
        (again, Counted { day, rows: now, changes, repaired: true })
    };
    let manifest = Manifest { tenant: ctx.scope().to_string(), counted: &counted, parts: &kept };
    let text = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
    let file = File::warehouse(ctx.scope(), format!("dt={day}/manifest.json"));
    ctx.app().files().write(&file, "application/json", text).await?;
    let mut new = old.next(ctx.now());
    new.body.next_day = day.saturating_add(1.day());
    let update = ctx.store().commit().update("count", old, &new);
    let update = match counted.repaired {
        true => {
            update.emit(IntegrationEvent::GapFound { warehouse: old.id, day: day.to_string(), rows, changes })
        }
        false => update,
    };
    update.joined(commit.put(&Counted::place(old.id, day), &counted)).run().await
}

/// The part of a day that is exported at all.
fn bounds(what: &Warehouse, day: Date) -> (Timestamp, Timestamp) {
    (start_of(day).max(what.since), start_of(day.saturating_add(1.day())))
}

/// What is remembered of a day's files.
pub async fn parts(ctx: &Ctx, id: WarehouseId, day: Date) -> Result<Vec<Part>> {
    let all = ctx.store().under::<Part>(&Key::record(id), &format!("part#dt={day}/"), MOST).await?;
    Ok(all.into_iter().map(|(_, part)| part).collect())
}

async fn rewrite(ctx: &Ctx, what: &Warehouse, from: Timestamp, to: Timestamp) -> Result<Vec<Part>> {
    let (mut at, mut all) = (from, vec![]);
    while at < to {
        let next = slot::end(at);
        all.extend(write(ctx, what, at, next).await?);
        at = next;
    }
    Ok(all)
}

/// Files that there are no more are forgotten; whoever reads by the manifest does not meet them.
fn remember(commit: Commit, id: WarehouseId, before: &[Part], now: &[Part]) -> Commit {
    let gone = before.iter().filter(|b| !now.iter().any(|n| n.name == b.name));
    let commit = gone.fold(commit, |commit, part| commit.delete(&part.place(id)));
    let fresh = now.iter().filter(|n| !before.contains(n));
    fresh.fold(commit, |commit, part| commit.put(&part.place(id), part))
}
