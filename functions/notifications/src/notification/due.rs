//! What the clock brings to a notification: nobody has acknowledged it, or its time in the inbox is over.

use super::Notification;
use crate::{desk::Desk, due, escalation};
use kernel::{NotificationId, Result};
use serde_json::Value;
use std::sync::Arc;
use web::{App, Task};

pub fn tasks(desk: &Arc<Desk>) -> Vec<Task> {
    let own = desk.clone();
    vec![
        Task::on("due.ntf.ack", move |app, row| {
            let desk = own.clone();
            async move {
                let Some((ctx, id)) = due::read::<NotificationId>(&app, &row).await? else { return Ok(()) };
                escalation::climb(&desk, &ctx, id).await
            }
        }),
        Task::on("due.ntf.purge", purge),
    ]
}

/// It leaves the inbox; what was told to whom stays in its change records.
async fn purge(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<NotificationId>(&app, &row).await? else { return Ok(()) };
    let Some(old) = due::record::<Notification>(&ctx, id).await? else { return Ok(()) };
    if old.body.purged_at(old.created_at) > ctx.now() {
        return Ok(());
    }
    due::purge(&ctx, &old).await
}
