//! Due rows, as the clock sends them: `{"type": "due.<kind>.<what>", "tenant", "id", "at"}`.

use kernel::{Id, Result};
use serde_json::Value;
use web::{App, Ctx};

pub use web::live as record;

pub const MODULE: &str = "scheduling";

/// The tenant's context and the record's id; none if the message names nothing of ours.
pub async fn read<I: Id>(app: &App, due: &Value) -> Result<Option<(Ctx, I)>> {
    web::named(app, MODULE, due).await
}
