//! Codes and links that other modules send by SMS (`web::Sms`): nobody prefers not to get them and no hour is too late,
//! so they pass by rules, preferences and caps. Their modules say how many a person may ask for.

use crate::{
    carrier::{Outgoing, Trouble},
    desk::Desk,
    fan_out,
    words::{Category, Channel},
};
use kernel::{Error, Result, error::found};
use serde_json::Value;
use std::sync::Arc;
use store::Scope;
use web::{App, Ctx, Sms, Task, sms};

pub fn tasks(desk: &Arc<Desk>) -> Vec<Task> {
    let desk = desk.clone();
    vec![Task::on(sms::SEND, move |app, message| {
        let desk = desk.clone();
        async move { send(&desk, &app, &message).await }
    })]
}

/// What fails for now comes again with the queue, while the text is of use.
async fn send(desk: &Desk, app: &App, message: &Value) -> Result<()> {
    let (tenant, id) = (message["tenant"].as_str().unwrap_or_default(), message["id"].as_str());
    let (Some(scope), Some(id)) = (Scope::from_claim(tenant), id) else { return Ok(()) };
    let ctx = Ctx::system(app, scope, "notifications", sms::SEND).await;
    let Some(ctx) = found(ctx)? else { return Ok(()) };
    let Ok(gate) = ctx.tenant() else { return Ok(()) };
    let Some(sms) = Sms::waiting(&ctx, id).await? else { return Ok(()) };
    if !fan_out::open(gate, Category::Account) {
        return Sms::done(&ctx, id).await;
    }
    let out = Outgoing {
        key: id.into(),
        tenant: scope.to_string(),
        to: sms.to.0,
        from: if sms.unnamed { String::new() } else { gate.name.clone() },
        text: sms.text.0,
        ..Outgoing::default()
    };
    match desk.carrier(Channel::Sms).send(&out).await {
        Ok(_) => Sms::done(&ctx, id).await,
        Err(Trouble::Later { code, .. } | Trouble::Unclear { code, .. }) => {
            Err(Error::internal(format!("no SMS for now: {code}")))
        }
        Err(trouble @ (Trouble::Never { .. } | Trouble::Gone { .. })) => {
            tracing::warn!(provider = trouble.provider(), code = trouble.code(), "an SMS that nobody takes");
            Sms::done(&ctx, id).await
        }
    }
}
