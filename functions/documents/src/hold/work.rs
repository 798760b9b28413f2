//! The work of a hold, document by document. It looks at what is there, so that it may be done again at any time, and
//! goes on by message where a person has many.

use super::{Held, Hold, Status, api};
use crate::document::{Document, FileState, FileVersion, create};
use events::{Envelope, documents::Hold as Said};
use kernel::{DocumentId, Error, HoldId, Result, error::found};
use serde_json::{Value, json};
use store::{Entity, Record, Scope, Wanted, facts};
use web::{App, Ctx, Queue, Reaction, Task};

/// Documents of one page, and pages of one delivery.
const PAGE: i32 = 25;
const PAGES: usize = 8;

pub fn reactions() -> Vec<Reaction> {
    vec![Reaction::on("hold.placed", changed), Reaction::on("hold.released", changed)]
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("hold.work", |app: App, message: Value| async move {
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        let (Some(scope), Ok(id)) = (Scope::from_claim(text("tenant")), text("hold").parse::<HoldId>())
        else {
            return Ok(());
        };
        let ctx = Ctx::system(&app, scope, "documents", "hold.work").await?;
        work(&ctx, id, message["cursor"].as_str().map(Into::into)).await
    })]
}

async fn changed(ctx: Ctx, event: Envelope) -> Result<()> {
    let said: Said = serde_json::from_value(event.data).map_err(Error::internal)?;
    work(&ctx, said.hold, None).await
}

/// Marks (or unmarks) all that the hold covers. It reads the hold itself: an event that comes late finds it as it is.
async fn work(ctx: &Ctx, id: HoldId, mut cursor: Option<String>) -> Result<()> {
    let Some(hold) = api::now(ctx, id).await? else { return Ok(()) };
    for document in hold.body.covers.documents.iter().flatten() {
        mark_document(ctx, &hold, *document).await?;
    }
    let Some(record) = hold.body.covers.subject.as_ref().or(hold.body.covers.record.as_ref()) else {
        return Ok(());
    };
    // First the person: what is made from now on is held at its creation.
    mark(ctx, &hold, record).await?;
    for _ in 0..PAGES {
        let wanted = Wanted { cursor: cursor.take(), ..Wanted::by(&[record], PAGE) };
        let page = ctx.store().list(&Document::LISTS[1], &wanted).await?;
        for document in page.data {
            mark_document(ctx, &hold, document.id).await?;
        }
        match page.next {
            None => return Ok(()),
            more => cursor = more,
        }
    }
    let more = json!({"type": "hold.work", "tenant": ctx.scope().to_string(), "hold": id, "cursor": cursor});
    ctx.app().post().send(Queue::Documents, more.to_string()).await
}

/// The fact about a record that is no document.
async fn mark(ctx: &Ctx, hold: &Record<Hold>, record: &str) -> Result<()> {
    web::again(ctx.store(), || async {
        let read: Option<Held> = ctx.store().fact(facts::HELD, record).await?;
        match next(hold, read.as_ref()) {
            None => Ok(()),
            Some(next) => next.write(ctx.store().commit(), record, read.as_ref()).run().await,
        }
    })
    .await
}

/// The fact, the number of holds that the document shows, and the storage's own flag on its bytes.
async fn mark_document(ctx: &Ctx, hold: &Record<Hold>, id: DocumentId) -> Result<()> {
    note(ctx, hold, id).await?;
    flag(ctx, id).await
}

/// The flag follows the fact. Whoever set or lifted it looks again afterwards: of two at once the last one sees how it is.
async fn flag(ctx: &Ctx, id: DocumentId) -> Result<()> {
    loop {
        let held = ctx.store().fact::<Held>(facts::HELD, id).await?.is_some();
        let parts = ctx.store().under::<FileVersion>(&create::part(id, 1), "file#", 1000).await?;
        let there = |v: &FileVersion| matches!(v.state, FileState::Received | FileState::Quarantined);
        for (_, version) in parts.iter().filter(|(_, v)| there(v)) {
            ctx.app().files().hold(&create::file_of(ctx, id, version), held).await?;
        }
        if ctx.store().fact::<Held>(facts::HELD, id).await?.is_some() == held {
            return Ok(());
        }
    }
}

async fn note(ctx: &Ctx, hold: &Record<Hold>, id: DocumentId) -> Result<()> {
    web::again(ctx.store(), || async {
        let Some(old) = found(ctx.store().fresh::<Document>(id).await)? else { return Ok(()) };
        let read: Option<Held> = ctx.store().fact(facts::HELD, id).await?;
        let Some(next) = next(hold, read.as_ref()) else { return Ok(()) };
        let mut new = old.next(ctx.now());
        new.body.holds = next.holds.len() as u32;
        let action = if hold.body.status == Status::Active { "hold" } else { "release" };
        let commit = ctx.store().commit().update(action, &old, &new);
        next.write(commit, &id.to_string(), read.as_ref()).run().await
    })
    .await
}

fn next(hold: &Record<Hold>, read: Option<&Held>) -> Option<Held> {
    let now = read.cloned().unwrap_or_default();
    now.with(hold.id, &hold.body.number, hold.body.status == Status::Active)
}
