//! The beat: schedules → due rows → the owning module's queue. Only tenants whose next due time has come are
//! read; a row stays where it is until its module's commit moves it, so a missed beat is caught up by the next
//! and a doubled one sends a message that finds nothing to do.

mod owner;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use kernel::{Error, Result};
use serde_json::{Value, json};
use store::{Caller, DueRow, DueTenant, Scope, Store};
use web::{App, Queue};

/// Tenants worked on at the same time.
const AT_ONCE: usize = 8;

/// One beat: `{"beat": "minute"}` sends what is due; the longer ones are told to every module.
pub async fn beat(app: &App, event: &Value) -> Result<Value> {
    match event["beat"].as_str() {
        Some("minute") => minute(app).await,
        Some(longer @ ("hour" | "night" | "week")) => {
            for queue in [Queue::Tenants, Queue::Identity, Queue::Patients, Queue::Scheduling] {
                let message = json!({"type": format!("beat.{longer}"), "at": app.clock().now()});
                app.post().send(queue, message.to_string()).await?;
            }
            Ok(json!({"beat": longer}))
        }
        _ => Err(Error::internal("a beat is minute, hour, night or week")),
    }
}

async fn minute(app: &App) -> Result<Value> {
    let now = app.clock().now();
    let platform = open(app, Scope::Platform).await?;
    let mut sent = send(app, Scope::Platform, platform.due(now).await?).await?;
    let due = platform.tenants_due(now).await?;
    let tenants = due.len();
    let work =
        stream::iter(due).map(|tenant| tenant_beat(app, &platform, tenant, now)).buffer_unordered(AT_ONCE);
    for done in work.collect::<Vec<_>>().await {
        match done {
            Ok(count) => sent += count,
            // The others' beats go on; this one's next due time stands, so the next beat tries again.
            Err(error) => tracing::error!(%error, "a tenant's beat failed"),
        }
    }
    Ok(json!({"beat": "minute", "tenants": tenants, "sent": sent}))
}

async fn tenant_beat(app: &App, platform: &Store, tenant: DueTenant, now: Timestamp) -> Result<usize> {
    let store = open(app, tenant.scope).await?;
    let sent = send(app, tenant.scope, store.due(now).await?).await?;
    let next = store.first_due().await?;
    platform.raise_next_due(&tenant, next.as_ref().map(|row| row.at.as_str())).await?;
    Ok(sent)
}

async fn send(app: &App, scope: Scope, rows: Vec<DueRow>) -> Result<usize> {
    let mut sent = 0;
    for row in rows {
        let Some(queue) = owner::queue(&row.kind) else {
            tracing::error!(kind = row.kind, "a due row of a kind that no module owns");
            continue;
        };
        let message = json!({
            "type": format!("due.{}.{}", row.kind, row.what), "tenant": scope.to_string(), "id": row.id, "at": row.at,
        });
        app.post().send(queue, message.to_string()).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn open(app: &App, scope: Scope) -> Result<Store> {
    app.vault().open(scope, Caller { by: "system:clock".into(), ..Caller::default() }).await
}
