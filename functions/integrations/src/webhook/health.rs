//! Whether an endpoint hears us: failing after an hour without a success, disabled after five days, and at once if it
//! says that it is gone.

use super::{FAILING, GIVEN_UP, Status, Webhook};
use crate::due::MODULE;
use events::IntegrationEvent;
use jiff::{SignedDuration, Timestamp};
use store::{Commit, Record};
use web::{Ctx, Task};

/// Longer than the endpoints of an organisation are cached.
const CATCH_UP: SignedDuration = SignedDuration::from_mins(2);

/// What an attempt says of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Well,
    Badly,
    /// 410: it wants to hear nothing any more.
    Gone,
}

/// To be written together with the attempt: an attempt that is known, and what it said of the endpoint not, would let an
/// endpoint that hears us be disabled. None where it changes nothing: only the first failure, the first success after
/// one, and the end do.
pub fn noted(ctx: &Ctx, old: &Record<Webhook>, heard: Heard) -> Option<Commit> {
    let mut new = old.next(ctx.now());
    let over = change(&mut new.body, heard, ctx.now())?;
    let commit = ctx.commit().update(if over { "disable" } else { "note" }, old, &new);
    Some(if over { disabled(commit, &new) } else { commit })
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
            disable(hook, "gone", now);
            Some(true)
        }
    }
}

pub fn disable(hook: &mut Webhook, because: &str, now: Timestamp) {
    let missed = hook.missed_since.or(hook.failing_since).unwrap_or(now);
    (hook.status, hook.failing_since, hook.catches_up_at) = (Status::Disabled, None, None);
    (hook.disabled_because, hook.missed_since) = (Some(because.into()), Some(missed));
}

/// Enabled again. What it missed is told in two minutes: until then others may still take it for disabled.
pub fn enable(hook: &mut Webhook, now: Timestamp) {
    (hook.status, hook.failing_since, hook.disabled_because) = (Status::Enabled, None, None);
    hook.catches_up_at = hook.missed_since.map(|_| now + CATCH_UP);
}

pub fn disabled(commit: Commit, new: &Record<Webhook>) -> Commit {
    let reason = new.body.disabled_because.clone().unwrap_or_default();
    commit.emit(IntegrationEvent::WebhookDisabled { webhook: new.id, reason })
}

pub fn tasks() -> Vec<Task> {
    vec![Task::due("due.whe.failing", MODULE, failing), Task::due("due.whe.give_up", MODULE, give_up)]
}

fn failing(ctx: &Ctx, old: &Record<Webhook>) -> Option<Commit> {
    let since = old.body.failing_since.filter(|_| old.body.status == Status::Enabled)?;
    (since + FAILING <= ctx.now()).then(|| {
        let mut new = old.next(ctx.now());
        new.body.status = Status::Failing;
        ctx.commit().update("fail", old, &new).emit(IntegrationEvent::WebhookFailing { webhook: old.id })
    })
}

fn give_up(ctx: &Ctx, old: &Record<Webhook>) -> Option<Commit> {
    let since = old.body.failing_since.filter(|_| old.body.status == Status::Failing)?;
    (since + GIVEN_UP <= ctx.now()).then(|| {
        let mut new = old.next(ctx.now());
        disable(&mut new.body, "failing", ctx.now());
        disabled(ctx.commit().update("disable", old, &new), &new)
    })
}
