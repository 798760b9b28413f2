//! Tasks that other modules' events close: a list row per event and per record or person it has to name, and a mark
//! per event, so that most events cost one look and nothing more.

use super::{Status, Task, end_by_system};
use events::Envelope;
use kernel::Result;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{LazyLock, Mutex},
};
use store::{Entity, Key, Record, Row, Wanted, segment};
use web::Ctx;

/// Where a task waits for its events.
pub fn rows(record: &Record<Task>) -> Vec<Row> {
    let task = &record.body;
    if task.status.is_final() {
        return vec![];
    }
    let of: BTreeSet<&String> = task.record.iter().chain(&task.subject).collect();
    let one = |event: &String| of.iter().map(|id| Row::new(&[event, id], &[&record.id])).collect::<Vec<_>>();
    task.close_on.iter().flat_map(one).collect()
}

fn mark(event: &str) -> Key {
    Key::item("closers", segment(event), ".")
}

/// What this environment knows to be marked.
static MARKED: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);

/// Events that some task waits for are marked for good, before the task is made: never in its commit, where every
/// task of the kind would contend on the one mark.
pub async fn mark_closers(ctx: &Ctx, events: &[String]) -> Result<()> {
    let distinct: BTreeSet<&String> = events.iter().collect();
    for event in distinct {
        let known = format!("{}#{}#{event}", ctx.app().life(), ctx.scope());
        if MARKED.lock().expect("never poisoned").contains(&known) {
            continue;
        }
        ctx.store().commit().put(&mark(event), &json!({"event": event})).run().await?;
        MARKED.lock().expect("never poisoned").insert(known);
    }
    Ok(())
}

/// Closes what waits for this event and is about something that it names.
pub async fn close_on(ctx: &Ctx, event: &Envelope) -> Result<()> {
    if ctx.store().read::<Value>(&mark(&event.kind)).await?.is_none() {
        return Ok(());
    }
    let list = Task::LISTS.iter().find(|l| l.name == "closes").expect("declared");
    for id in named(event) {
        let wanted = Wanted::by(&[&event.kind, &id], 100);
        let page = ctx.store().list(list, &wanted).await?;
        for task in page.data {
            end_by_system(ctx, task.id, Status::Done, "done").await?;
        }
    }
    Ok(())
}

/// Every id that an event names.
pub fn named(event: &Envelope) -> BTreeSet<String> {
    let is_id = |text: &str| text.len() == 30 && text.as_bytes()[3] == b'_';
    let mut ids = BTreeSet::from([event.record.clone()]);
    let values = event.data.as_object().into_iter().flatten().map(|(_, v)| v);
    for value in values {
        match value {
            Value::String(text) if is_id(text) => ids.extend([text.clone()]),
            Value::Array(all) => {
                ids.extend(all.iter().filter_map(Value::as_str).filter(|t| is_id(t)).map(Into::into));
            }
            _ => {}
        }
    }
    ids
}
