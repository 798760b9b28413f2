//! What people write about a task while it is done.

use super::{Task, act::known};
use jiff::Timestamp;
use kernel::{Error, Result, TaskId, Ulid};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::Key;
use web::{Answer, At, Body, Ctx, Reach, Shown, noun::Pages};

#[derive(Deserialize, JsonSchema)]
pub struct New {
    #[schemars(length(min = 1, max = 2000))]
    pub text: Sealed<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    pub by: String,
    pub at: Timestamp,
    pub text: Sealed<String>,
}

/// Notes of one task; all of them are shown at once.
const MOST: u32 = 200;

pub async fn add(ctx: Ctx, At(id): At<TaskId>, Body(new): Body<New>) -> Answer {
    let old = known(&ctx, id).await?;
    if old.body.notes >= MOST {
        return Err(Error::unprocessable(
            "too-many-parts",
            "a task holds 200 notes: close it and begin another",
        )
        .into());
    }
    let note = Note { by: ctx.actor().user.clone(), at: ctx.now(), text: new.text };
    let mut next = old.next(ctx.now());
    next.body.notes += 1;
    let key = Key::part(id, "note", format!("{}~{}", store::stamp(ctx.now()), Ulid::new()));
    let commit = ctx.commit().update("note", &old, &next).put(&key, &note);
    ctx.settle(commit, Shown::of(201, &note)?).await
}

pub async fn list(ctx: Ctx, At(id): At<TaskId>) -> Answer {
    let task = ctx.get::<Task>(id).await?;
    let notes = read(&ctx, task.id).await?;
    web::ok(&Pages { data: notes, next: None })
}

async fn read(ctx: &Ctx, id: TaskId) -> Result<Vec<Note>> {
    debug_assert!(ctx.reach() > Reach::None);
    let found = ctx.store().under::<Note>(&Key::record(id), "note#", MOST as i32).await?;
    Ok(found.into_iter().map(|(_, note)| note).collect())
}
