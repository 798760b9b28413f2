//! What providers tell of a delivery after they took it: delivered, bounced, complained of. An event that nobody
//! here knows waits in the queue and ends among its dead letters.

use super::{Delivery, Status, settle};
use crate::{
    desk::Desk,
    due,
    suppression::{self, Reason, Suppression},
};
use events::{Envelope, NotificationEvent};
use kernel::{DeliveryId, Error, Result};
use seal::Sealed;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Commit, Record, Scope};
use web::{App, Ctx, Task};

/// What a provider says, in our words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub fate: Told,
    pub provider: String,
    pub id: Option<String>,
    pub code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It has the message: proof of a try whose worker did not come back.
    Accepted,
    Delivered,
    /// For good: a passing trouble is the provider's to repeat.
    Bounced,
    Complained,
    Refused,
}

pub fn tasks(desk: &Arc<Desk>) -> Vec<Task> {
    let (ses, other) = (desk.clone(), desk.clone());
    vec![
        Task::on("ses.event", move |app, message| {
            let desk = ses.clone();
            async move { by_ses(&desk, &app, &message["event"]).await }
        }),
        Task::on("delivery.status", move |app, message| {
            let desk = other.clone();
            async move { by_us(&desk, &app, &message).await }
        }),
    ]
}

/// An event of SES: its tags name organisation and delivery.
async fn by_ses(desk: &Desk, app: &App, event: &Value) -> Result<()> {
    let tag = |name: &str| event["mail"]["tags"][name][0].as_str().unwrap_or_default().to_string();
    let Some(report) = ses(event) else { return Ok(()) };
    let row = json!({"type": "ses.event", "tenant": tag("tenant"), "id": tag("delivery")});
    let Some((ctx, id)) = due::read::<DeliveryId>(app, &row).await? else { return Ok(()) };
    apply(desk, &ctx, id, &report).await
}

/// None where it says nothing about the delivery's fate.
fn ses(event: &Value) -> Option<Report> {
    let kind = event["eventType"].as_str().or(event["notificationType"].as_str())?;
    let (fate, code) = match kind {
        "Send" => (Told::Accepted, "sent".into()),
        "Delivery" => (Told::Delivered, "delivered".into()),
        "Bounce" if event["bounce"]["bounceType"] == "Permanent" => {
            (Told::Bounced, word(&event["bounce"]["bounceSubType"]))
        }
        "Complaint" => (Told::Complained, word(&event["complaint"]["complaintFeedbackType"])),
        "Reject" | "Rendering Failure" => (Told::Refused, "rejected".into()),
        _ => return None,
    };
    let id = event["mail"]["messageId"].as_str().map(String::from);
    Some(Report { fate, provider: "ses".into(), id, code })
}

/// A code of a provider, as it may stand in a record.
fn word(value: &Value) -> String {
    let text = value.as_str().unwrap_or("unknown");
    let kept = text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    kept.take(40).collect::<String>().to_lowercase()
}

/// `{"type": "delivery.status", "tenant", "id" or "provider_id", "provider", "status", "code"}`: what a connector
/// has read of its provider's callback.
async fn by_us(desk: &Desk, app: &App, message: &Value) -> Result<()> {
    let Some(report) = ours(message) else { return Err(Error::internal("a status that says nothing")) };
    let tenant = message["tenant"].as_str().unwrap_or_default();
    let Some(scope) = Scope::from_claim(tenant) else { return Ok(()) };
    let ctx = Ctx::system(app, scope, "notifications", "delivery.status").await?;
    let id = match message["id"].as_str().and_then(|id| id.parse().ok()) {
        Some(id) => id,
        None => known(&ctx, &report).await?,
    };
    apply(desk, &ctx, id, &report).await
}

fn ours(message: &Value) -> Option<Report> {
    let fate = match message["status"].as_str()? {
        "accepted" | "sent" => Told::Accepted,
        "delivered" => Told::Delivered,
        "bounced" => Told::Bounced,
        "complained" => Told::Complained,
        "failed" | "refused" => Told::Refused,
        _ => return None,
    };
    let text = |name: &str| message[name].as_str().map(String::from);
    Some(Report {
        fate,
        provider: text("provider").unwrap_or_else(|| "provider".into()),
        id: text("provider_id"),
        code: word(&message["code"]),
    })
}

async fn known(ctx: &Ctx, report: &Report) -> Result<DeliveryId> {
    let name = format!("{}|{}", report.provider, report.id.as_deref().unwrap_or_default());
    let found = ctx.store().find_exact::<Delivery>("provider", &name, 1).await?;
    // Our own write may be on its way: the queue brings it again.
    found.first().copied().ok_or_else(|| Error::internal("a status of a delivery that nobody knows (yet)"))
}

/// The status of an SMS, as integrations heard it.
pub async fn heard(desk: &Desk, ctx: &Ctx, event: &Envelope) -> Result<()> {
    let Some(report) = ours(&event.data) else { return Ok(()) };
    let id = known(ctx, &report).await?;
    apply(desk, ctx, id, &report).await
}

pub async fn apply(desk: &Desk, ctx: &Ctx, id: DeliveryId, report: &Report) -> Result<()> {
    web::again(ctx.store(), || async {
        let Some(old) = web::live::<Delivery>(ctx, id).await? else { return Ok(()) };
        match after(&old.body, report.fate) {
            Some(status) => write(desk, ctx, &old, status, report).await,
            None => Ok(()),
        }
    })
    .await
}

/// The state that follows; none where it changes nothing: reports come twice and in any order.
fn after(delivery: &Delivery, told: Told) -> Option<Status> {
    use Status::*;
    match (told, delivery.status) {
        (Told::Accepted, Sending | Queued) => Some(Sent),
        (Told::Delivered, Sending | Queued | Sent) => Some(Delivered),
        (Told::Bounced, Sending | Queued | Sent | Delivered) => Some(Bounced),
        (Told::Complained, Sending | Sent | Delivered) => Some(Complained),
        (Told::Refused, Sending | Sent) => Some(Failed),
        _ => None,
    }
}

async fn write(
    desk: &Desk,
    ctx: &Ctx,
    old: &Record<Delivery>,
    status: Status,
    report: &Report,
) -> Result<()> {
    if status == Status::Failed {
        return settle::failed(desk, ctx, old, Some(&report.provider), &report.code).await;
    }
    let mut new = old.next(ctx.now());
    let d = &mut new.body;
    (d.status, d.lease_until, d.held_until) = (status, None, None);
    if d.provider_id.is_none() && report.id.is_some() {
        (d.provider, d.provider_id) = (Some(report.provider.clone()), report.id.clone());
    }
    d.note(ctx.now(), Some(&report.provider), &report.code);
    let (channel, code) = (d.channel.to_string(), report.code.clone());
    let commit = ctx.store().commit().update(status.as_str(), old, &new);
    match status {
        Status::Bounced => {
            let commit = commit.emit(NotificationEvent::Bounced { delivery: new.id, channel, code });
            let commit = suppressed(ctx, commit, &new, Reason::Bounce, &report.code).await?;
            settle::end(desk, ctx, commit, &new).await
        }
        Status::Complained => {
            let commit = commit.emit(NotificationEvent::Complained { delivery: new.id, channel });
            suppressed(ctx, commit, &new, Reason::Complaint, &report.code).await?.run().await
        }
        _ => commit.run().await,
    }
}

async fn suppressed(
    ctx: &Ctx,
    commit: Commit,
    of: &Record<Delivery>,
    reason: Reason,
    detail: &str,
) -> Result<Commit> {
    let (Some(blind), Some(address)) = (&of.body.blind, &of.body.address) else { return Ok(commit) };
    let body = Suppression {
        channel: of.body.channel,
        blind: blind.clone(),
        address: address.clone(),
        reason,
        at: ctx.now(),
        detail: Some(Sealed(detail.into())),
        active: true,
    };
    suppress(ctx, commit, body).await
}

/// Adds an address to those that nothing is sent to; one that is there already stays as it is.
pub async fn suppress(ctx: &Ctx, commit: Commit, body: Suppression) -> Result<Commit> {
    let id = suppression::id(body.channel, &body.blind);
    let event = NotificationEvent::Suppressed {
        suppression: id,
        channel: body.channel.to_string(),
        reason: body.reason.to_string(),
    };
    match ctx.store().fresh::<Suppression>(id).await {
        Ok(old) if old.body.active => Ok(commit),
        Ok(old) => {
            let mut new = old.next(ctx.now());
            new.body = body;
            Ok(commit.update("suppress", &old, &new).emit(event))
        }
        Err(Error::Missing) => Ok(commit.create(&Record::with_id(id, ctx.now(), body)).emit(event)),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_bounce_is_no_reason_to_write_to_nobody_any_more() {
        let bounce = |kind: &str| json!({"eventType": "Bounce", "bounce": {"bounceType": kind, "bounceSubType": "MailboxFull"}, "mail": {"messageId": "m1"}});
        assert_eq!(ses(&bounce("Transient")), None);
        let told = ses(&bounce("Permanent")).unwrap();
        assert_eq!(
            (told.fate, told.code.as_str(), told.id.as_deref()),
            (Told::Bounced, "mailboxfull", Some("m1"))
        );
        assert_eq!(ses(&json!({"eventType": "Open"})), None);
    }

    #[test]
    fn codes_of_providers_hold_nothing_but_a_word() {
        assert_eq!(word(&json!("Not <b>Found</b> x@y.z")), "notbfoundbxyz");
        assert_eq!(word(&Value::Null), "unknown");
    }
}
