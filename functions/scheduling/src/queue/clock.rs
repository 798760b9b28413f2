//! The end of a queue's day: whoever still waits is noted as not there any more, one by one, and the queue is
//! closed with the count in its event.

use super::{Queue, close, page::Page};
use crate::{due, visit};
use kernel::{QueueId, Result};
use serde_json::Value;
use web::{App, Task};

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.que.day_end", day_end)]
}

async fn day_end(app: App, row: Value) -> Result<()> {
    let Some((ctx, id)) = due::read::<QueueId>(&app, &row).await? else { return Ok(()) };
    let Some(queue) = due::record::<Queue>(&ctx, id).await? else { return Ok(()) };
    if queue.body.swept || queue.body.ends_at > ctx.now() {
        return Ok(());
    }
    let page = Page::read(&ctx, id).await?;
    let left: Vec<_> = page.waiting.into_iter().chain(page.called).collect();
    let waiting = u32::try_from(left.len()).unwrap_or(u32::MAX);
    for one in left {
        visit::advance_by_system(&ctx, one.id, "no_show", |_| {}).await?;
    }
    web::update::<Queue>(&ctx, id, |old| (!old.body.swept).then(|| close(&ctx, old, waiting, true).1)).await
}
