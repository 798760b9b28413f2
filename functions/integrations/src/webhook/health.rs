//! Whether an endpoint hears us: failing after an hour without a success, disabled after five days, and at once if it
//! says that it is gone.

use super::{FAILING, GIVEN_UP, Status, Webhook};
use crate::due;
use events::IntegrationEvent;
use jiff::Timestamp;
use kernel::{Result, WebhookId};
use serde_json::Value;
use store::{Commit, Record};
use web::{App, Ctx, Task};

/// What an attempt says of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Well,
    Badly,
    /// 410: it wants to hear nothing any more.
    Gone,
}

/// Written only when it changes something: the first failure, the first success after one, the end.
pub async fn note(ctx: &Ctx, id: WebhookId, heard: Heard) -> Result<()> {
    due::change::<Webhook>(ctx, id, |old| {
        let mut new = old.next(ctx.now());
        let reason = change(&mut new.body, heard, ctx.now())?;
        let commit = ctx.commit().update(if reason { "disable" } else { "note" }, old, &new);
        Some(if reason { disabled(commit, &new) } else { commit })
    })
    .await
}

/// `None`: nothing changes. `true`: it is disabled by this.
fn change(hook: &mut Webhook, heard: Heard, now: Timestamp) -> Option<bool> {
    match (heard, hook.status) {
        (_, Status::Disabled) => None,
        (Heard::Well, _) => {
            hook.failing_since.take()?;
            hook.status = Status::Enabled;
            Some(false)
        }
        (Heard::Badly, _) if hook.failing_since.is_some() => None,
        (Heard::Badly, _) => {
            hook.failing_since = Some(now);
            Some(false)
        }
        (Heard::Gone, _) => {
            disable(hook, "gone");
            Some(true)
        }
    }
}

pub fn disable(hook: &mut Webhook, because: &str) {
    (hook.status, hook.failing_since) = (Status::Disabled, None);
    hook.disabled_because = Some(because.into());
}

pub fn disabled(commit: Commit, new: &Record<Webhook>) -> Commit {
    let reason = new.body.disabled_because.clone().unwrap_or_default();
    commit.emit(IntegrationEvent::WebhookDisabled { webhook: new.id, reason })
}

pub fn tasks() -> Vec<Task> {
    vec![
        Task::on("due.whe.failing", |app, row| async move { failing(app, row).await }),
        Task::on("due.whe.give_up", |app, row| async move { give_up(app, row).await }),
    ]
}

async fn failing(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<WebhookId>(&app, &row).await? else { return Ok(()) };
    due::change::<Webhook>(&ctx, id, |old| {
        let since = old.body.failing_since.filter(|_| old.body.status == Status::Enabled)?;
        (since + FAILING <= ctx.now()).then(|| {
            let mut new = old.next(ctx.now());
            new.body.status = Status::Failing;
            ctx.commit().update("fail", old, &new).emit(IntegrationEvent::WebhookFailing { webhook: id })
        })
    })
    .await
}

async fn give_up(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<WebhookId>(&app, &row).await? else { return Ok(()) };
    due::change::<Webhook>(&ctx, id, |old| {
        let since = old.body.failing_since.filter(|_| old.body.status == Status::Failing)?;
        (since + GIVEN_UP <= ctx.now()).then(|| {
            let mut new = old.next(ctx.now());
            disable(&mut new.body, "failing");
            disabled(ctx.commit().update("disable", old, &new), &new)
        })
    })
    .await
}
