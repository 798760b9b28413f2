//! A call that says nothing but that we are here: `webhook.ping`, at a person's wish and before an endpoint is enabled.

use super::{Webhook, secret::signatures};
use crate::{
    delivery::{attempt::call, message::Message},
    outgoing::{Failed, Wire},
};
use kernel::{Result, Ulid, WebhookId};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::time::Instant;
use store::Record;
use web::Ctx;

/// What came of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Pinged {
    pub delivered: bool,
    pub message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failed>,
    pub ms: u64,
    /// The first kilobyte of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
}

pub async fn ping(
    ctx: &Ctx,
    wire: &Wire,
    hook: &Record<Webhook>,
    parts: &[(String, Value)],
) -> Result<Pinged> {
    let id: WebhookId = hook.id;
    let message_id = format!("msg_{}", Ulid::new());
    let message = Message::ping(ctx.scope(), id, hook.version, ctx.now());
    let body = message.body()?;
    let signed = signatures(hook.body.scheme, parts, ctx.now(), (&message_id, &body))?;
    let call = call(&hook.body, &message_id, ctx.now(), signed, body)?;
    let began = Instant::now();
    let answer = wire.post(&call).await;
    let ms = began.elapsed().as_millis() as u64;
    Ok(match answer {
        Ok(answered) => Pinged {
            delivered: (200..300).contains(&answered.status),
            message_id,
            status: Some(answered.status),
            error: None,
            ms,
            response: Some(String::from_utf8_lossy(&answered.body).into()),
        },
        Err(error) => {
            Pinged { delivered: false, message_id, status: None, error: Some(error), ms, response: None }
        }
    })
}
