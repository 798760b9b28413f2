//! The clock's part: a run is proposed on its day, and worked on in pages once it is approved. Every step can be done
//! again: a document that went before is found gone.

use super::{Disposal, Item, MOST, State, Status, planned};
use crate::{
    document::{Document, FileState, FileVersion, Status as Doc, create, said},
    hold, place, print, retire, storage,
};
use events::{DocumentEvent, documents::Disposal as Said};
use kernel::{DocumentId, Error, Result, error::found};
use seal::Sealed;
use serde_json::Value;
use store::{Entity, Record, Wanted, facts};
use web::{App, Ctx, Task};

/// Documents of one delivery.
const PAGE: usize = 25;

pub fn tasks() -> Vec<Task> {
    vec![
        Task::on("due.ddp.propose", |app: App, row: Value| async move { propose(&app, &row).await }),
        Task::on("due.ddp.work", |app: App, row: Value| async move { work(&app, &row).await }),
    ]
}

async fn propose(app: &App, row: &Value) -> Result<()> {
    let Some((ctx, old)) = place::due::<Disposal>(app, row).await? else { return Ok(()) };
    let early = ctx.today() < old.body.on;
    if old.body.state != Status::Planned || early {
        return Ok(());
    }
    let mut items = due_by(&ctx, &old.body).await?;
    let left = items.len() > MOST || items.iter().any(|i| i.state == State::Held);
    items.truncate(MOST);
    let mut new = old.next(ctx.now());
    let count = items.iter().filter(|i| i.state == State::Due).count();
    new.body.items = items;
    new.body.state = if count == 0 { Status::Done } else { Status::Proposed };
    let year = old.body.on.year();
    let number = ctx.store().upcoming("disposal", year).await?;
    new.body.number = format!("DISP-{year}-{number}");
    let commit = ctx.store().commit().update("propose", &old, &new).number("disposal", year, number);
    let commit = if count > 0 { commit.emit(DocumentEvent::DisposalProposed(said_of(&new))) } else { commit };
    // What is held, or too much for one run, comes with the next month's.
    let next =
        if left { planned(&ctx, ctx.today().tomorrow().map_err(Error::internal)?).await? } else { None };
    retire::plan(commit, next).run().await
}

fn said_of(record: &Record<Disposal>) -> Said {
    let items = record.body.items.len() as u32;
    Said { disposal: record.id, number: record.body.number.clone(), items }
}

/// Documents that are due on the run's day, one more than a run takes.
async fn due_by(ctx: &Ctx, run: &Disposal) -> Result<Vec<Item>> {
    let list = Document::LISTS.iter().find(|l| l.name == "disposal");
    let list = list.ok_or_else(|| Error::internal("no list of disposal"))?;
    let (mut items, mut cursor) = (vec![], None);
    while items.len() <= MOST {
        let wanted = Wanted { cursor, to: Some(run.on.to_string()), ..Wanted::by(&[&"due"], 100) };
        let page = ctx.store().list(list, &wanted).await?;
        items.extend(page.data.iter().filter_map(item));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    for item in items.iter_mut().filter(|i| i.state == State::Held) {
        let held: Option<hold::Held> = ctx.store().fact(facts::HELD, item.document).await?;
        item.why = held.map(|h| h.numbers.join(", "));
    }
    Ok(items)
}

fn item(record: &Record<Document>) -> Option<Item> {
    let d = &record.body;
    Some(Item {
        document: record.id,
        sha256: d.file.sha256.clone(),
        category: d.category_code.clone(),
        class: d.retention.clone(),
        due: d.dispose_on?,
        state: if d.holds > 0 { State::Held } else { State::Due },
        why: None,
    })
}

async fn work(app: &App, row: &Value) -> Result<()> {
    let Some((ctx, old)) = place::due::<Disposal>(app, row).await? else { return Ok(()) };
    if !matches!(old.body.state, Status::Approved | Status::Running) {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    let mut held = false;
    for item in new.body.items.iter_mut().filter(|i| i.state == State::Due).take(PAGE) {
        (item.state, item.why) = gone(&ctx, &old, item.document).await?;
        held |= item.state == State::Held;
    }
    let next =
        if held { planned(&ctx, ctx.today().tomorrow().map_err(Error::internal)?).await? } else { None };
    if new.body.items.iter().any(|i| i.state == State::Due) {
        (new.body.state, new.body.work_at) = (Status::Running, Some(ctx.now()));
        return retire::plan(ctx.store().commit().update("work", &old, &new), next).run().await;
    }
    (new.body.state, new.body.work_at) = (Status::Done, None);
    let (certificate, commit) = print::disposal(&ctx, &new).await?;
    new.body.certificate = Some(certificate.id);
    let commit = commit.update("complete", &old, &new).emit(DocumentEvent::DisposalCompleted(said_of(&new)));
    retire::plan_unless(commit, next, &certificate).run().await
}

/// One document goes: first its record says so, under the condition that nothing holds it, then its bytes.
async fn gone(ctx: &Ctx, run: &Record<Disposal>, id: DocumentId) -> Result<(State, Option<String>)> {
    let done = web::again(ctx.store(), || async {
        let Some(old) = found(ctx.store().fresh::<Document>(id).await)? else { return Ok(State::Gone) };
        if old.body.status == Doc::Disposed {
            return Ok(State::Disposed);
        }
        if old.body.dispose_on.is_none_or(|on| on > run.body.on) {
            return Ok(State::Gone);
        }
        let new = stub(ctx, &old);
        let event = DocumentEvent::Disposed { document: said(&old), disposal: run.id };
        let commit = ctx.store().commit().update("dispose", &old, &new).emit(event);
        let commit = storage::give(hold::none(commit, &old), id, kept_bytes(&old));
        commit.drop_fact(facts::DOCUMENT, id).run().await?;
        Ok(State::Disposed)
    })
    .await;
    match done {
        Ok(State::Disposed) => {
            remove_bytes(ctx, id).await?;
            Ok((State::Disposed, None))
        }
        Ok(state) => Ok((state, None)),
        Err(Error::Refused(r)) if r.code == "legal-hold" => {
            let matters = r.extra.get("matters").and_then(Value::as_array).cloned().unwrap_or_default();
            let numbers: Vec<&str> = matters.iter().filter_map(Value::as_str).collect();
            Ok((State::Held, Some(numbers.join(", "))))
        }
        Err(e) => Err(e),
    }
}

fn kept_bytes(old: &Record<Document>) -> u64 {
    if old.body.file.state == FileState::Received { old.body.file.size } else { 0 }
}

/// What stays: what it was, its hash, when it was due. Nothing of anybody's.
fn stub(ctx: &Ctx, old: &Record<Document>) -> Record<Document> {
    let mut new = old.next(ctx.now());
    let d = &mut new.body;
    d.status = Doc::Disposed;
    d.title = Sealed("Disposed of".into());
    (d.number, d.issuer, d.description) = (None, None, None);
    d.metadata = Sealed(Default::default());
    d.tags.clear();
    d.links.clear();
    d.file.file_name = Sealed(String::new());
    (d.file.state, d.file.note) = (FileState::Removed, None);
    (d.verification, d.rejection, d.stage, d.fallback) = (None, None, None, None);
    d.upload_check = None;
    new
}

/// Every version's bytes; what was removed before is success.
async fn remove_bytes(ctx: &Ctx, id: DocumentId) -> Result<()> {
    let parts = ctx.store().under::<FileVersion>(&create::part(id, 1), "file#", 1000).await?;
    for (_, mut version) in parts {
        ctx.app().files().remove(&create::file_of(ctx, id, &version)).await?;
        if version.state != FileState::Removed {
            (version.state, version.file_name, version.note) =
                (FileState::Removed, Sealed(String::new()), None);
            ctx.store().commit().put(&create::part(id, version.n), &version).run().await?;
        }
    }
    Ok(())
}
