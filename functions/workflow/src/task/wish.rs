//! Tasks that other modules ask for, and what becomes of the tasks of somebody who has left.

use super::{Category, Draft, Priority, Source, SourceKind, Status, Task, act, drafted, reassign_by_system};
use crate::assignee::{Assignee, Kind};
use events::{Envelope, WorkflowEvent, workflow::TaskWish};
use kernel::{Error, Result, TaskId};
use seal::Sealed;
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};
use store::{Entity, Key, Wanted, facts};
use web::Ctx;

/// What a code says; one that is not listed is shown as its own words.
pub fn title_of(code: &str) -> String {
    static TITLES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../data/titles.json")).expect("read by this crate's tests")
    });
    TITLES.get(code).cloned().unwrap_or_else(|| {
        let words = code.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or(words)
    })
}

/// Once per key, whatever is delivered how often.
pub async fn requested(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let Some(WorkflowEvent::TaskRequested(wish)) = event.read() else {
        tracing::warn!(event = event.id, "a wish for a task that cannot be read");
        return Ok(());
    };
    make(ctx, &wish, event.by.clone()).await
}

/// A task that a model proposes: nobody is reminded of it before somebody has accepted it.
pub async fn proposed(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let wish: TaskWish = match serde_json::from_value(event.data.clone()) {
        Ok(wish) => wish,
        Err(_) => {
            tracing::warn!(event = event.id, "a proposed task that cannot be read");
            return Ok(());
        }
    };
    let source = Source { kind: SourceKind::Ai, of: Some(event.record.clone()), proposed: true };
    wished(ctx, &wish, event.by.clone(), source, &format!("ai~{}", event.record)).await
}

/// What a person decided about a model's answer holds for the task that it proposed.
pub async fn settled(ctx: &Ctx, event: &Envelope) -> Result<()> {
    let decision = event.data["decision"].as_str().unwrap_or(&event.record);
    let known: Option<Value> = ctx.store().read(&place(&format!("ai~{decision}"))).await?;
    let Some(task) = known.and_then(|k| k["task"].as_str()?.parse::<TaskId>().ok()) else { return Ok(()) };
    let refused = matches!(event.data["outcome"].as_str(), Some("rejected" | "overridden" | "dismissed"));
    let now = ctx.now();
    act::by_system(ctx, task, if refused { "dismiss" } else { "accept" }, None, &move |old, task| {
        if old.body.status != Status::Proposed {
            return None;
        }
        if refused {
            task.status = Status::Dismissed;
            return Some(act::Said::Event(WorkflowEvent::TaskDismissed));
        }
        task.status = Status::Open;
        task.begin_again(now);
        Some(act::Said::Event(WorkflowEvent::TaskAssigned))
    })
    .await
}

/// Makes what was wished for, unless its key has been used.
pub async fn make(ctx: &Ctx, wish: &TaskWish, by: String) -> Result<()> {
    let source = Source { kind: SourceKind::System, of: None, proposed: false };
    wished(ctx, wish, by, source, &wish.key).await
}

/// Where a wish's key is remembered, with the task that it became.
fn place(key: &str) -> Key {
    Key::item("once", format!("task~{}", store::segment(key)), ".")
}

async fn wished(ctx: &Ctx, wish: &TaskWish, by: String, source: Source, key: &str) -> Result<()> {
    let assignee: Assignee = match wish.assignee.parse() {
        Ok(assignee) => assignee,
        Err(_) => Assignee::role(crate::LAST_RESORT),
    };
    let assignee = somebody(ctx, assignee.at(wish.site)).await?;
    let draft = Draft {
        priority: wish.priority.as_deref().and_then(|p| p.parse().ok()).unwrap_or(Priority::Normal),
        site: wish.site,
        subject: wish.subject.clone(),
        record: wish.record.clone(),
        due_at: wish.due_at,
        close_on: wish.close_on.clone(),
        created_by: by,
        ..Draft::new(
            Sealed(title_of(&wish.title_code)),
            wish.category.parse().unwrap_or(Category::General),
            assignee,
            source.kind,
        )
    };
    let draft = Draft { source, ..draft };
    let (task, commit) = drafted(ctx, draft, ctx.store().commit()).await?;
    let used = || Error::conflict("seen-already", "this task was asked for before");
    let known = serde_json::json!({"at": ctx.now(), "task": task.id});
    commit.put_if(&place(key), &known, store::When::Absent, move |_| used()).run().await
}

/// A task for nobody would be forgotten: whoever was named and is not there gives way to the last resort.
pub async fn somebody(ctx: &Ctx, wanted: Assignee) -> Result<Assignee> {
    if wanted.kind == Kind::User {
        let active: Option<Value> = ctx.store().fact(facts::ACTIVE_USER, &wanted.value).await?;
        return Ok(if active.is_some() { wanted } else { Assignee::role(crate::LAST_RESORT) });
    }
    match wanted.check(ctx).await {
        Ok(()) => Ok(wanted),
        Err(passing) if passing.may_pass() => Err(passing),
        Err(Error::Refused(_)) => Ok(Assignee::role(crate::LAST_RESORT)),
        Err(e) => Err(e),
    }
}

/// Somebody was disabled: what they had taken goes back to its queue, what was theirs to their manager, else to
/// the organisation's administrators.
pub async fn of_disabled(ctx: &Ctx, user: &str) -> Result<()> {
    let manager: Option<Value> = ctx.store().fact(facts::MANAGER, user).await?;
    let manager = manager.and_then(|m| m["manager"].as_str().or(m["user"].as_str()).map(Assignee::user));
    let to = match manager {
        Some(manager) => somebody(ctx, manager).await?,
        None => Assignee::role(crate::LAST_RESORT),
    };
    let list = Task::LISTS.iter().find(|l| l.name == "todo_status").expect("declared");
    let theirs = Assignee::user(user);
    for status in Status::ALL.iter().filter(|s| !s.is_final()) {
        let mut cursor = None;
        loop {
            let wanted = Wanted { cursor, ..Wanted::by(&[&theirs, status], 100) };
            let page = ctx.store().list(list, &wanted).await?;
            for task in &page.data {
                reassign_by_system(ctx, task.id, user, &to).await?;
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}
