//! How this module opens an organisation by itself.

use kernel::{Error, Id, Result};
use serde_json::Value;
use store::{Caller, Scope, Store};
use web::{App, Ctx};

pub async fn store(app: &App, scope: Scope) -> Result<Store> {
    let caller = Caller { by: "system:audit".into(), request: "audit".into(), ..Caller::default() };
    app.vault().open(scope, caller).await
}

/// The context and the id of a due row or of a message of our own.
pub async fn due<I: Id>(app: &App, message: &Value) -> Result<(Ctx, I)> {
    let text = |name: &str| {
        message[name].as_str().ok_or_else(|| Error::internal(format!("a message without {name}")))
    };
    let scope =
        Scope::from_claim(text("tenant")?).ok_or_else(|| Error::internal("a message of no organisation"))?;
    let ctx = Ctx::system(app, scope, "audit", text("type")?).await?;
    Ok((ctx, text("id")?.parse()?))
}
