//! Where an industry hangs. Moves follow one another: one that looked at a tree which another changed meanwhile is
//! refused, so no two of them close a circle.

use super::{Industry, used_by};
use crate::place;
use kernel::{Error, IndustryId, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Commit, Entity, Key, Record, Wanted, is};
use web::Ctx;

/// Levels of the tree.
const DEEPEST: u8 = 6;
/// Branches that move along: each takes three of the 100 items that one transaction holds.
const MOST: usize = 25;

#[derive(Default, Serialize, Deserialize)]
struct Moves {
    rev: u64,
}

fn moves() -> Key {
    Key::item("eap_tree", "industries", ".")
}

/// The level under this parent; 422 if the parent is the industry itself or hangs on it.
pub async fn level(ctx: &Ctx, own: Option<IndustryId>, parent: Option<IndustryId>) -> Result<u8> {
    let (mut next, mut steps) = (parent, 0);
    while let Some(id) = next {
        if Some(id) == own {
            return Err(Error::field(
                "cycle",
                "/parent",
                "it would hang on itself: name a parent outside its branches",
            ));
        }
        let found = ctx.store().fresh::<Industry>(id).await;
        let record = found.map_err(|e| if matches!(e, Error::Missing) { unknown() } else { e })?;
        (next, steps) = (record.body.parent, steps + 1);
        if steps >= DEEPEST {
            return Err(Error::field("too-deep", "/parent", "the tree has at most six levels"));
        }
    }
    Ok(steps)
}

fn unknown() -> Error {
    Error::field("unknown-industry", "/parent", "there is no such industry")
}

/// A branch leaves one parent and comes to another.
pub fn hung(commit: Commit, was: Option<IndustryId>, is_now: Option<IndustryId>) -> Commit {
    if was == is_now {
        return commit;
    }
    let count = |commit: Commit, (at, by): (Option<IndustryId>, i64)| match at {
        Some(parent) => commit.add(&used_by(parent), "children", by),
        None => commit,
    };
    [(was, -1), (is_now, 1)].into_iter().fold(commit, count)
}

/// The parent is there at the level that was seen; what hangs under a moved industry moves along.
pub async fn placed(
    ctx: &Ctx,
    old: Option<&Record<Industry>>,
    new: &Record<Industry>,
    commit: Commit,
) -> Result<Commit> {
    // A deleted one had no place, and nothing hung on it.
    let live = old.filter(|o| o.deleted_at.is_none());
    let was = live.and_then(|o| o.body.parent);
    let mut commit = hung(commit, was, new.body.parent);
    if live.is_some() && was == new.body.parent {
        return Ok(commit);
    }
    if let Some(parent) = new.body.parent {
        commit = place::live(commit, parent, is("level", new.body.level - 1), unknown);
    }
    let Some(old) = live else { return Ok(commit) };
    let seen: Moves = ctx.store().read(&moves()).await?.unwrap_or_default();
    commit = commit.put_over(&moves(), seen.rev, &Moves { rev: seen.rev + 1 });
    // Read again after the count of moves: whoever moves later finds it raised.
    if level(ctx, Some(new.id), new.body.parent).await? != new.body.level {
        return Err(Error::Stale { current: old.version, demanded: false });
    }
    along(ctx, old, new, commit).await
}

/// Everything under it, a level at a time. The index that lists branches lags behind: the count of each tells whether
/// all of them were seen, and the commit holds it to that.
async fn along(
    ctx: &Ctx,
    old: &Record<Industry>,
    new: &Record<Industry>,
    mut commit: Commit,
) -> Result<Commit> {
    if old.body.level == new.body.level {
        return Ok(commit);
    }
    let (mut above, mut moved) = (vec![(new.id, new.body.level)], 0);
    while let Some((parent, level)) = above.pop() {
        let list = Industry::LISTS.iter().find(|l| l.name == "parent").expect("declared above");
        let wanted = Wanted::by(&[&parent], 100);
        let branches = ctx.store().list(list, &wanted).await?.data;
        let counted: Option<Value> = ctx.store().read(&used_by(parent)).await?;
        let children = counted.and_then(|c| c["children"].as_u64()).unwrap_or_default();
        moved += branches.len();
        if moved > MOST {
            let way = format!("more than {MOST} branches would move along: move them one at a time");
            return Err(Error::unprocessable("too-many-branches", way));
        }
        if children != branches.len() as u64 {
            return Err(Error::Busy);
        }
        let same = if children == 0 { place::none("children") } else { is("children", children) };
        commit = commit.check(&used_by(parent), same, |_| Error::meanwhile());
        if level + 1 >= DEEPEST && !branches.is_empty() {
            return Err(Error::field("too-deep", "/parent", "its branches would lie deeper than six levels"));
        }
        for branch in branches {
            let mut next = branch.next(ctx.now());
            next.body.level = level + 1;
            commit = commit.update("move", &branch, &next);
            above.push((branch.id, next.body.level));
        }
    }
    Ok(commit)
}
