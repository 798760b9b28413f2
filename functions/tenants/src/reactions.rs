//! What this module does when it hears of something, and when the clock comes.

use crate::{FirstOperator, context, doors::Rung, organisation, provisioning, signup, tenant};
use events::{Envelope, TenantEvent};
use kernel::{Error, Result};
use serde_json::Value;
use store::Scope;
use web::{Ctx, Reaction, Task};

pub fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on("signup.submitted", |ctx: Ctx, e: Envelope| async move {
            signup::approve_automatically(&ctx, e.record.parse()?).await
        }),
        Reaction::on("tenant.rejected", |ctx: Ctx, e: Envelope| async move {
            signup::told_rejected(&ctx, e.record.parse()?).await
        }),
        Reaction::on("tenant.approved", |ctx: Ctx, e: Envelope| async move {
            match e.read() {
                Some(TenantEvent::Approved { tenant, .. }) => provisioning::go(ctx.app(), tenant).await,
                _ => Err(Error::internal("tenant.approved names no organisation")),
            }
        }),
        Reaction::on("user.prepared", |ctx: Ctx, _| async move { answered(&ctx, "user.prepared").await }),
        Reaction::on("user.invited", |ctx: Ctx, _| async move {
            match ctx.scope() {
                Scope::Tenant(id) => provisioning::closed(ctx.app(), id).await,
                Scope::Platform => Ok(()),
            }
        }),
        Reaction::on("organisation.changed", |ctx: Ctx, e: Envelope| async move {
            organisation::register(&ctx, &e.id).await
        }),
    ]
}

async fn answered(ctx: &Ctx, part: &str) -> Result<()> {
    match ctx.scope() {
        Scope::Tenant(id) => provisioning::answered(ctx.app(), id, part).await,
        Scope::Platform => Ok(()),
    }
}

macro_rules! due {
    ($($name:literal => $f:path),+ $(,)?) => {
        vec![$(Task::on($name, |app, message| async move { $f(&app, &Rung::read(&message)?).await })),+]
    };
}

pub fn tasks() -> Vec<Task> {
    // Sent by hand once after a deployment; repeating it changes nothing.
    let seed = Task::on("platform.seed", |app, message: Value| async move {
        let first: FirstOperator =
            serde_json::from_value(message["first_operator"].clone()).map_err(Error::internal)?;
        crate::seed(&app, first).await.map(|_| ())
    });
    let mut tasks = due! {
        "due.sgn.expiry" => signup::expire,
        "due.sgn.waiting" => signup::waiting,
        "due.ten.trial_end" => tenant::life::trial_ended,
        "due.ten.overdue" => tenant::life::fell_due,
        "due.ten.suspend" => tenant::life::grace_ended,
        "due.ten.closed" => tenant::life::closed,
        "due.ten.notice" => tenant::notices::send,
        "due.pvn.stuck" => provisioning::stuck,
        "due.opx.expiry" => context::expire,
    };
    tasks.push(seed);
    tasks
}
