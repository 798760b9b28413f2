//! What is done when something happened anywhere: rules are looked at, providers' reports are noted.

use crate::{asked, delivery::status, desk::Desk, fan_out};
use std::sync::Arc;
use web::Reaction;

pub fn all(desk: &Arc<Desk>) -> Vec<Reaction> {
    let (hears, reports, asks) = (desk.clone(), desk.clone(), desk.clone());
    vec![
        Reaction::on(Reaction::ALL, move |ctx, event| {
            let desk = hears.clone();
            async move { fan_out::hear(&desk, &ctx, &event).await }
        }),
        Reaction::on("provider_event.received", move |ctx, event| {
            let desk = reports.clone();
            async move { status::heard(&desk, &ctx, &event).await }
        }),
        Reaction::on("rule.notify_requested", move |ctx, event| {
            let desk = asks.clone();
            async move { asked::tell(&desk, &ctx, &event).await }
        }),
    ]
}
