//! From an event to deliveries: one for each endpoint that wants to hear of it.

use super::{Delivery, asked, attempt::wake, cache::Endpoints};
use crate::webhook::{Status, Webhook, pattern};
use events::Envelope;
use kernel::{Error, Result};
use store::Record;
use web::{Ctx, Reaction};

pub fn reactions(endpoints: &Endpoints) -> Vec<Reaction> {
    let endpoints = endpoints.clone();
    vec![Reaction::on(Reaction::ALL, move |ctx, event| {
        let endpoints = endpoints.clone();
        async move { hear(ctx, event, &endpoints).await }
    })]
}

async fn hear(ctx: Ctx, event: Envelope, endpoints: &Endpoints) -> Result<()> {
    let Some(tenant) = &ctx.gate().tenant else { return Ok(()) };
    let licensed = tenant.features.iter().any(|f| f == "webhooks");
    if event.kind == asked::BY_RULE {
        return asked::hear(&ctx, &event, licensed).await;
    }
    if !licensed {
        return Ok(());
    }
    let all = endpoints.of(&ctx).await?;
    for hook in all.iter().filter(|hook| wants(hook, &event)) {
        deliver(&ctx, hook, &event).await?;
    }
    Ok(())
}

pub fn wants(hook: &Record<Webhook>, event: &Envelope) -> bool {
    if hook.body.status == Status::Disabled {
        return false;
    }
    if event.kind == asked::BY_RULE {
        return asked::endpoint(event) == Some(hook.id);
    }
    let heard = hook.body.event_types.iter().any(|wanted| pattern::hears(wanted, &event.kind));
    heard && at_its_sites(&hook.body, event)
}

/// An endpoint of some sites hears what names one of them, and nothing that names none.
fn at_its_sites(hook: &Webhook, event: &Envelope) -> bool {
    let named = event.data["site"].as_str().and_then(|site| site.parse().ok());
    hook.sites.is_empty() || named.is_some_and(|site| hook.sites.contains(&site))
}

/// The delivery has the message's own name, so a second telling of the event finds it made.
pub async fn deliver(ctx: &Ctx, hook: &Record<Webhook>, event: &Envelope) -> Result<()> {
    let at = event.at.parse().map_err(Error::internal)?;
    let mut body = Delivery::first(hook, &event.kind, &event.id, at);
    body.next_at = Some(ctx.now());
    let new = Record::with_id(body.id(), ctx.now(), body);
    match ctx.commit().create(&new).run().await {
        Ok(()) => wake(ctx, &new).await,
        Err(Error::Stale { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
