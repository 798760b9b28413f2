//! Who hears a broadcast.

use super::Audience;
use crate::people::{self, Person};
use kernel::Result;
use serde_json::Value;
use std::collections::BTreeSet;
use store::{Key, facts};
use web::Ctx;

/// Members of one list.
const MEMBERS: i32 = 5000;

/// Ids of everybody of the roles and teams, in their order.
pub async fn members(ctx: &Ctx, audience: &Audience) -> Result<BTreeSet<String>> {
    let roles = audience.roles.iter().map(|role| format!("role~{role}"));
    let teams = audience.teams.iter().map(|team| format!("team~{team}"));
    let mut all = BTreeSet::new();
    for list in roles.chain(teams) {
        let found: Vec<(String, Value)> =
            ctx.store().under(&Key::fact(facts::MEMBERS, list), "", MEMBERS).await?;
        all.extend(found.into_iter().map(|(id, _)| id));
    }
    Ok(all)
}

/// Those of them who work at one of the sites.
pub async fn people(ctx: &Ctx, audience: &Audience, ids: &[String]) -> Result<Vec<Person>> {
    let mut people = people::read(ctx, ids).await?;
    people.retain(|p| {
        !p.deceased && (audience.sites.is_empty() || audience.sites.iter().any(|s| p.at_site(&s.to_string())))
    });
    Ok(people)
}

/// How many there are; people are read in pages only where sites narrow them.
pub async fn count(ctx: &Ctx, audience: &Audience) -> Result<u64> {
    let all: Vec<String> = members(ctx, audience).await?.into_iter().collect();
    if audience.sites.is_empty() {
        return Ok(all.len() as u64);
    }
    let mut count = 0;
    for page in all.chunks(100) {
        count += people(ctx, audience, page).await?.len() as u64;
    }
    Ok(count)
}
