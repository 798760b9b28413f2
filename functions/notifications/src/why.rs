//! The body of a command that takes nothing but a reason.

use schemars::JsonSchema;
use serde::Deserialize;
use store::Commit;
use web::Ctx;

#[derive(Deserialize, JsonSchema)]
pub struct Why {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

impl Why {
    pub fn given(&self) -> Option<&str> {
        self.reason.as_deref()
    }
    pub fn commit(&self, ctx: &Ctx) -> Commit {
        ctx.commit().because(self.reason.clone())
    }
}
