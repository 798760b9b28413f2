//! A rule acts with the rights of its owner, as they are now.

use super::Rule;
use kernel::Result;
use serde_json::Value;
use store::{Key, facts};
use web::Ctx;

/// What a rule needs its owner to hold, for each of its actions.
const RIGHT: &str = "rule.edit";

/// Whether the owner is there and still holds the right, by a role they had and have.
pub async fn holds(ctx: &Ctx, rule: &Rule) -> Result<bool> {
    let mut keys = vec![Key::fact(facts::ACTIVE_USER, &rule.owner)];
    keys.extend(
        rule.owner_roles.iter().map(|r| Key::member(facts::MEMBERS, format!("role~{r}"), &rule.owner)),
    );
    let found: Vec<Option<Value>> = ctx.store().read_many(&keys).await?;
    if found.first().is_none_or(Option::is_none) {
        return Ok(false);
    }
    let held = rule.owner_roles.iter().zip(&found[1..]).filter(|(_, m)| m.is_some());
    let roles: Vec<String> = held.map(|(role, _)| role.clone()).collect();
    let access = &ctx.gate().access;
    let holder = authz::Holder {
        roles: &roles,
        custom: &access.custom,
        overrides: &access.overrides,
        ..authz::Holder::default()
    };
    Ok(authz::decide(&holder, RIGHT, ctx.now()).is_allowed())
}
