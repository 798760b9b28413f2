//! The end of an elevation. The gate stops counting it at the minute; this puts it on record.

use super::{Elevation, Status};
use crate::{
    access::{self, Access},
    user::due::Rung,
};
use events::IdentityEvent;
use kernel::{ElevationId, Result};
use serde_json::Value;
use web::{App, Task};

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.elv.end", |app, value| async move { end(app, value).await })]
}

async fn end(app: App, value: Value) -> Result<()> {
    let (ctx, id) = Rung::<ElevationId>::read(&app, value).await?;
    access::retried(|| {
        let ctx = ctx.clone();
        async move {
            let old = ctx.store().fresh::<Elevation>(id).await?;
            if old.body.status != Status::Active || old.body.until.is_none_or(|until| ctx.now() < until) {
                return Ok(());
            }
            let mut new = old.next(ctx.now());
            (new.body.status, new.body.ended_at) = (Status::Ended, Some(new.updated_at));
            let commit = ctx.commit().update("end", &old, &new);
            let commit = match old.body.user.parse() {
                Ok(user) => commit.emit(IdentityEvent::ElevationEnded {
                    elevation: id,
                    user,
                    role: old.body.role.clone(),
                }),
                Err(_) => commit,
            };
            let access = Access::read(ctx.store()).await?.take_back(id);
            access::run(&ctx, access.write(commit)).await
        }
    })
    .await
}
