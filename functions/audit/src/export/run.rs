//! Making the file, and taking it away when its week is over.

use super::{Export, LIFE, SILENCE, State, TRIES, rows};
use crate::doors;
use events::{AuditEvent, Envelope};
use kernel::{AuditExportId, Error, Result};
use store::Record;
use web::{Ctx, Reaction, Task};

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("audit_export.requested", |ctx: Ctx, event: Envelope| async move {
        match event.record.parse() {
            Ok(id) => run(&ctx, id).await,
            Err(_) => Ok(()),
        }
    })]
}

pub fn tasks() -> Vec<Task> {
    vec![
        Task::on("due.axp.run", |app, message| async move {
            let (ctx, id) = doors::due::<AuditExportId>(&app, &message).await?;
            run(&ctx, id).await
        }),
        Task::on("due.axp.expire", |app, message| async move {
            let (ctx, id) = doors::due::<AuditExportId>(&app, &message).await?;
            expire(&ctx, id).await
        }),
    ]
}

async fn run(ctx: &Ctx, id: AuditExportId) -> Result<()> {
    let old = ctx.store().fresh::<Export>(id).await?;
    if !matches!(old.body.status, State::Queued | State::Running) {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    let event = match made(ctx, &old).await {
        Ok((rows, size, sha256)) => {
            let body = &mut new.body;
            (body.status, body.rows, body.size, body.sha256) =
                (State::Ready, Some(rows), Some(size), Some(sha256));
            body.trouble = None;
            body.expires_at = Some(ctx.now() + LIFE);
            body.look_at = body.expires_at;
            Some(AuditEvent::ExportCompleted { export: id, requested_by: body.requested_by.clone(), rows })
        }
        Err(error) => {
            tracing::warn!(%id, cause = ?error, "an export failed");
            new.body.tries += 1;
            let over = !error.may_pass() || new.body.tries >= TRIES;
            new.body.trouble = Some(error.code().into());
            new.body.status = if over { State::Failed } else { State::Running };
            new.body.look_at = Some(ctx.now() + SILENCE).filter(|_| !over);
            None
        }
    };
    let word = if event.is_some() { "finish" } else { "fail" };
    let mut commit = ctx.store().commit().update(word, &old, &new);
    if let Some(event) = event {
        commit = commit.emit(event);
    }
    match commit.run().await {
        // Made twice at once: the other's file is the same.
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}

/// Rows, bytes and their digest.
async fn made(ctx: &Ctx, export: &Record<Export>) -> Result<(u64, u64, String)> {
    let (bytes, rows) = rows::bytes(ctx, &export.body).await?;
    let (size, sha256) = (bytes.len() as u64, store::chain::hex_digest(&bytes));
    let file = Export::file(ctx.scope(), export.id);
    ctx.app().files().write(&file, export.body.media(), bytes).await?;
    Ok((rows, size, sha256))
}

async fn expire(ctx: &Ctx, id: AuditExportId) -> Result<()> {
    let old = ctx.store().fresh::<Export>(id).await?;
    let over = old.body.status == State::Ready && old.body.expires_at.is_some_and(|at| at <= ctx.now());
    if !over {
        return Ok(());
    }
    ctx.app().files().remove(&Export::file(ctx.scope(), id)).await?;
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.look_at) = (State::Expired, None);
    match ctx.store().commit().update("expire", &old, &new).run().await {
        Err(Error::Stale { .. }) => Ok(()),
        other => other,
    }
}
