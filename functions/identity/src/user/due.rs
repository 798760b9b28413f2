//! What the clock reminds us of about users.

use super::{Status, User, standing};
use kernel::{Error, Result, UserId};
use serde::Deserialize;
use serde_json::Value;
use store::Scope;
use web::{App, Ctx, Task};

/// A due row as the clock sends it.
#[derive(Deserialize)]
pub struct Rung<I> {
    pub tenant: String,
    pub id: I,
}

impl<I: serde::de::DeserializeOwned> Rung<I> {
    /// The message, and a context to act in by ourselves.
    pub async fn read(app: &App, value: Value) -> Result<(Ctx, I)> {
        let rung: Self = serde_json::from_value(value).map_err(Error::internal)?;
        let scope =
            Scope::from_claim(&rung.tenant).ok_or_else(|| Error::internal("a due row of no tenant"))?;
        Ok((Ctx::system(app, scope, "identity", "due").await?, rung.id))
    }
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.usr.lapse", |app, value| async move { lapse(app, value).await })]
}

/// An invitation that nobody took up gives its place back.
async fn lapse(app: App, value: Value) -> Result<()> {
    let (ctx, id) = Rung::<UserId>::read(&app, value).await?;
    let old = ctx.store().fresh::<User>(id).await?;
    if old.body.lapses_at().is_none_or(|at| ctx.now() < at) {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Lapsed;
    let commit = ctx.commit().update("lapse", &old, &new);
    standing::follow(commit, Some(&old), &new).run().await
}
