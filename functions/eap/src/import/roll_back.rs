//! Taking a file back: who was new by it goes, and of the others what it changed is as before, unless somebody has
//! changed it again since.

use super::{Did, Import, run::grown};
use crate::beneficiary::{Beneficiary, hooks};
use futures::future::try_join_all;
use kernel::{BeneficiaryId, Error, JobId, Result};
use serde_json::Value;
use store::{Key, Record, When};
use web::Ctx;

/// The code of a step that was taken back before.
const GONE: &str = "step-gone";
const TRIES: u32 = 8;

/// Steps from the last to the first; each goes with what it did.
pub async fn all(ctx: &Ctx, id: JobId) -> Result<()> {
    let under = super::did(id, "");
    loop {
        let steps: Vec<(String, Did)> = ctx.store().latest(&under, "did#", "did#~", 50).await?;
        if steps.is_empty() {
            return Ok(());
        }
        let import = ctx.store().get::<Import>(id).await?;
        for (place, what) in steps {
            let key = super::did(id, place.trim_start_matches("did#"));
            step(ctx, &import, &key, &what).await?;
        }
    }
}

async fn step(ctx: &Ctx, import: &Record<Import>, key: &Key, what: &Did) -> Result<()> {
    let mut attempt = 0;
    loop {
        match undone(ctx, import, key, what).await {
            Err(Error::Stale { .. } | Error::Duplicate { .. }) if attempt < TRIES => {
                ctx.store().pause(&mut attempt).await?;
            }
            Err(e) if e.code() == GONE => return Ok(()),
            other => return other,
        }
    }
}

async fn undone(ctx: &Ctx, import: &Record<Import>, key: &Key, what: &Did) -> Result<()> {
    let store = ctx.store();
    let ids: Vec<BeneficiaryId> =
        what.created.iter().chain(what.changed.iter().map(|(id, _)| id)).copied().collect();
    let now = store.get_many::<Beneficiary>(&ids).await?;
    let was =
        try_join_all(what.changed.iter().map(|(id, version)| before_and_after(ctx, *id, *version))).await?;
    let (mut commit, mut growth) = (store.commit(), 0);
    for old in now.iter().filter(|r| r.deleted_at.is_none()) {
        let mut new = old.next(ctx.now());
        let action = match what.changed.iter().position(|(id, _)| *id == old.id) {
            None => {
                new.deleted_at = Some(new.updated_at);
                "delete"
            }
            Some(at) => {
                let (before, after) = &was[at];
                new.body = taken_back(&old.body, before, after)?;
                "roll_back"
            }
        };
        growth += hooks::growth(Some(old), &new);
        commit = hooks::reachable(Some(old), &new, commit.update(action, old, &new));
    }
    let commit = grown(commit, import, growth);
    commit.delete_if(key, When::Present, |_| Error::conflict(GONE, "taken back before")).run().await
}

async fn before_and_after(ctx: &Ctx, id: BeneficiaryId, version: u64) -> Result<(Value, Value)> {
    let (before, after) = futures::try_join!(
        ctx.store().version::<Beneficiary>(id, version),
        ctx.store().version::<Beneficiary>(id, version + 1)
    )?;
    Ok((before.body.0, after.body.0))
}

/// Member by member: as it was before, where it is still as the file left it.
fn taken_back(now: &Beneficiary, before: &Value, after: &Value) -> Result<Beneficiary> {
    let mut now = seal::open(|| serde_json::to_value(now)).map_err(Error::internal)?;
    let members = [before, after].into_iter().filter_map(Value::as_object).flat_map(|o| o.keys());
    for name in members {
        if now[name.as_str()] == after[name.as_str()] {
            now[name.as_str()] = before[name.as_str()].clone();
        }
    }
    if let Some(all) = now.as_object_mut() {
        all.retain(|_, value| !value.is_null());
    }
    // A stored value may be quoted by a reader's error, which is logged: only that it failed is said.
    serde_json::from_value(now).map_err(|_| Error::internal("a beneficiary that does not read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_changed_since_stays() {
        let base = json!({"client": "clo_01ARZ3NDEKTSV4RRFFQ69G5FAV", "relation": "employee", "name": "Ada"});
        let with = |more: Value| {
            let mut all = base.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let before = base.clone();
        let after = with(json!({"name": "Ada Obi", "unit": "LAG"}));
        let now: Beneficiary =
            serde_json::from_value(with(json!({"name": "Ada Obi", "unit": "ABV", "language": "yo"})))
                .unwrap();
        let back = taken_back(&now, &before, &after).unwrap();
        assert_eq!(
            (back.name.as_str(), back.unit.as_deref(), back.language.as_deref()),
            ("Ada", Some("ABV"), Some("yo"))
        );
    }
}
