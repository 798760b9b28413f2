//! Tasks that other modules ask for, and what becomes of the tasks of somebody who has left.

use super::{Category, Draft, Priority, SourceKind, Status, Task, drafted, reassign_by_system};
use crate::assignee::{Assignee, Kind};
use events::{Envelope, WorkflowEvent, workflow::TaskWish};
use kernel::{Error, Result};
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
    let by = event.by.clone();
    make(ctx, &wish, by).await
}

/// Makes what was wished for, unless its key has been used.
pub async fn make(ctx: &Ctx, wish: &TaskWish, by: String) -> Result<()> {
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
            SourceKind::System,
        )
    };
    let (_, commit) = drafted(ctx, draft, ctx.store().commit()).await?;
    let key = Key::item("once", format!("task~{}", store::segment(&wish.key)), ".");
    let used = || Error::conflict("seen-already", "this task was asked for before");
    commit
        .put_if(&key, &serde_json::json!({"at": ctx.now()}), store::When::Absent, move |_| used())
        .run()
        .await
}

/// A task for nobody would be forgotten: whoever was named and is not there gives way to the last resort.
pub async fn somebody(ctx: &Ctx, wanted: Assignee) -> Result<Assignee> {
    if wanted.kind == Kind::User {
        let active: Option<Value> = ctx.store().fact(facts::ACTIVE_USER, &wanted.value).await?;
        return Ok(if active.is_some() { wanted } else { Assignee::role(crate::LAST_RESORT) });
    }
    match wanted.check(ctx).await {
        Ok(()) => Ok(wanted),
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
