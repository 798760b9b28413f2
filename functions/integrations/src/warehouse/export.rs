//! One quarter of an hour after the other: read, written, remembered, and only then behind the cursor. Who dies in
//! between writes the same file again.

use super::{Part, Warehouse, day_of, lines::written, slot};
use crate::due;
use jiff::Timestamp;
use kernel::{Error, Result, WarehouseId};
use serde_json::{Value, json};
use store::{ChangeAt, Record, Store, stamp};
use web::{App, Ctx, Queue, Task, files::File};

/// Quarters that one message writes; the next message goes on.
const AT_ONCE: usize = 16;
/// Lines of a file.
const ROWS: usize = 5000;
/// Entries of the index that one query reads.
const PAGE: i32 = 1000;

const EXPORT: &str = "due.whx.export";

pub fn tasks() -> Vec<Task> {
    vec![
        Task::on(EXPORT, |app, row| async move { export(app, row).await }),
        Task::on("due.whx.manifest", |app, row| async move { super::manifest::count(app, row).await }),
    ]
}

async fn export(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<WarehouseId>(&app, &row).await? else { return Ok(()) };
    for _ in 0..AT_ONCE {
        let Some(old) = due::record::<Warehouse>(&ctx, id).await? else { return Ok(()) };
        if !old.body.enabled || ctx.now() < old.body.ready_at() {
            return Ok(());
        }
        match advance(&ctx, &old).await {
            // Another worker has written this one.
            Err(Error::Stale { .. }) => {}
            other => other?,
        }
    }
    let again = json!({"type": EXPORT, "tenant": ctx.scope().to_string(), "id": id, "at": ctx.now()});
    ctx.app().post().send(Queue::Integrations, again.to_string()).await
}

async fn advance(ctx: &Ctx, old: &Record<Warehouse>) -> Result<()> {
    let mut new = old.next(ctx.now());
    new.body.cursor = slot::end(old.body.cursor);
    let parts = write(ctx, &old.body, old.body.cursor, new.body.cursor).await?;
    let commit = ctx.store().commit().update("export", old, &new);
    parts.iter().fold(commit, |commit, part| commit.put(&part.place(old.id), part)).run().await
}

/// Writes what happened from `from` (a quarter's beginning, or where the export begins) to `to`.
pub async fn write(ctx: &Ctx, what: &Warehouse, from: Timestamp, to: Timestamp) -> Result<Vec<Part>> {
    let day = day_of(from).to_string();
    let all = changes(ctx.store(), what, from, to).await?;
    let mut parts = vec![];
    for some in all.chunks(ROWS) {
        let logged = ctx.store().logged(some).await?;
        if logged.len() != some.len() {
            return Err(Error::internal("the index names changes that are not there"));
        }
        let (part, bytes) = written(&ctx.scope().to_string(), &day, some, &logged)?;
        let file = File::warehouse(ctx.scope(), &part.name);
        ctx.app().files().write(&file, "application/gzip", bytes).await?;
        parts.push(part);
    }
    Ok(parts)
}

/// What happened within one day, all shards merged, in its order; without `to` itself.
pub async fn changes(
    store: &Store,
    what: &Warehouse,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<ChangeAt>> {
    let day = day_of(from).to_string();
    let (from, to) = (stamp(from), stamp(to));
    let shards = (0..Store::DAY_SHARDS).map(|shard| shard_of(store, &day, shard, &from, &to));
    let mut all: Vec<ChangeAt> = futures::future::try_join_all(shards).await?.into_iter().flatten().collect();
    all.retain(|change| what.wants(&change.kind));
    all.sort();
    Ok(all)
}

async fn shard_of(store: &Store, day: &str, shard: u32, from: &str, to: &str) -> Result<Vec<ChangeAt>> {
    let mut all: Vec<ChangeAt> = vec![];
    loop {
        let page = store.changes_of_day((day, shard), (from, to), all.last(), PAGE).await?;
        let whole = page.len() == PAGE as usize;
        all.extend(page);
        if !whole {
            return Ok(all);
        }
    }
}
