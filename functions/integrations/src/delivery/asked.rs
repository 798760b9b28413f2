//! What a rule of the organisation asks to be sent: it names the endpoint itself, whatever that listens to, and hears
//! what became of it when the message arrived, or when it is given up. A replay that arrives later is heard too.

use super::{Delivery, Status, dispatch::deliver, message::place};
use crate::webhook::{self, Webhook};
use events::{Envelope, WorkflowEvent, workflow::RuleAsked};
use kernel::{Error, Result, WebhookId};
use store::Commit;
use web::{Ctx, RuleAnswer};

pub const BY_RULE: &str = "rule.webhook_requested";

pub fn endpoint(event: &Envelope) -> Option<WebhookId> {
    event.data["endpoint"].as_str()?.parse().ok()
}

/// The endpoint is read as it is now: a rule may name what was made in this minute.
pub async fn hear(ctx: &Ctx, event: &Envelope, licensed: bool) -> Result<()> {
    let Some(WorkflowEvent::RuleWebhookRequested(asked)) = event.read() else {
        return Err(Error::internal(format!("{} is no wish of a rule", event.id)));
    };
    let hook = match endpoint(event) {
        Some(id) => crate::due::record::<Webhook>(ctx, id).await?,
        None => None,
    };
    let problem = match hook {
        _ if !licensed => "the organisation's plan has no webhooks",
        None => "the endpoint is gone",
        Some(hook) if hook.body.status == webhook::Status::Disabled => "the endpoint is disabled",
        Some(hook) => return deliver(ctx, &hook, event).await,
    };
    let commit = RuleAnswer::to(ctx, &asked, Err(problem.into()), ctx.store().commit());
    ctx.once_for(commit, "webhook.asked", &event.id).run().await
}

/// Into the commit that ends a delivery: the answer to the rule that asked for it. That a replay fails is no news.
pub async fn answered(ctx: &Ctx, delivery: &Delivery, commit: Commit) -> Result<Commit> {
    let silent = match delivery.status {
        Status::Pending => true,
        Status::Delivered => false,
        Status::Failed | Status::Abandoned => delivery.replay_of.is_some(),
    };
    if delivery.event != BY_RULE || silent {
        return Ok(commit);
    }
    let Some(asked) = wish(ctx, delivery).await? else { return Ok(commit) };
    let outcome = match delivery.status {
        Status::Delivered => Ok(delivery.message_id.clone()),
        _ => Err(why(delivery)),
    };
    Ok(RuleAnswer::to(ctx, &asked, outcome, commit))
}

async fn wish(ctx: &Ctx, delivery: &Delivery) -> Result<Option<RuleAsked>> {
    let Some(place) = place(&delivery.change) else { return Ok(None) };
    let found = ctx.store().logged(&[place]).await?;
    let asked = found.into_iter().next().and_then(|change| serde_json::from_value(change.event).ok());
    Ok(asked.and_then(|event| match event {
        WorkflowEvent::RuleWebhookRequested(asked) => Some(asked),
        _ => None,
    }))
}

/// In words, without what the other side wrote.
fn why(delivery: &Delivery) -> String {
    let made = delivery.attempts.len();
    let last = delivery.attempts.last();
    match (last.and_then(|a| a.status), last.and_then(|a| a.error.as_deref())) {
        (Some(410), _) => "the endpoint says that it is gone".into(),
        (Some(status), _) => format!("no success in {made} attempts; the last was answered {status}"),
        (None, Some(error)) => format!("not sent: {error}"),
        (None, None) => "not sent".into(),
    }
}
