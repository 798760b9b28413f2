//! What this module does when it hears of something: every event may close tasks and fire rules.

use crate::{approvals, rule, sequence, task};
use events::Envelope;
use kernel::Result;
use web::{Ctx, Reaction};

pub fn all() -> Vec<Reaction> {
    vec![Reaction::on(Reaction::ALL, |ctx, event| async move { hear(&ctx, &event).await })]
}

async fn hear(ctx: &Ctx, event: &Envelope) -> Result<()> {
    if ctx.scope().tenant().is_none() {
        return Ok(());
    }
    // What waits for somebody's leaving is done before their other work is given away.
    task::close_on(ctx, event).await?;
    own(ctx, event).await?;
    sequence::begins(ctx, event).await?;
    rule::fire(ctx, event).await
}

/// What concerns the module itself.
async fn own(ctx: &Ctx, event: &Envelope) -> Result<()> {
    match event.kind.as_str() {
        "task.requested" => web::done(task::requested(ctx, event).await),
        "ai.task_proposed" => web::done(task::proposed(ctx, event).await),
        "ai_decision.settled" => task::settled(ctx, event).await,
        "sequence.requested" => sequence::requested(ctx, event).await,
        "sequence.started" => sequence::resume(ctx, event).await,
        "sequence.cancelled" | "sequence.resumed" => sequence::settled(ctx, event).await,
        kind if kind.starts_with("task.") => sequence::progress(ctx, event).await,
        "rule.field_applied" | "rule.field_refused" | "rule.action_done" | "rule.action_failed" => {
            rule::answered(ctx, event).await
        }
        "user.disabled" => {
            let user = event.data["user"].as_str().unwrap_or(&event.record).to_string();
            task::of_disabled(ctx, &user).await?;
            approvals::of_disabled(ctx, &user).await?;
            sequence::of_disabled(ctx, &user).await
        }
        _ => Ok(()),
    }
}
