//! The plan's storage: bytes are taken when they are announced, and given back when they are gone.

use kernel::{DocumentId, Error};
use store::Commit;
use web::{Answer, Ctx, Shown};

/// As the tenants module makes it: `limits::QUOTAS`.
const SHARDS: u32 = 4;

fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub fn take(commit: Commit, id: DocumentId, size: u64) -> Commit {
    commit.take_some("storage", SHARDS, id, bytes(size))
}

pub fn give(commit: Commit, id: DocumentId, size: u64) -> Commit {
    if size == 0 { commit } else { commit.give_some("storage", SHARDS, id, bytes(size)) }
}

/// 409 naming plan and limit, if the plan's storage is full.
pub fn explained(ctx: &Ctx, e: Error) -> Error {
    let full = matches!(&e, Error::Refused(r) if r.code == "limit-reached");
    let Some(tenant) = ctx.tenant().ok().filter(|_| full) else { return e };
    let most = tenant.limits.get("storage_gb").copied();
    let most_said = most.map_or("its storage".into(), |gb| format!("{gb} GB"));
    let detail = format!(
        "the plan {} gives {most_said}, and it is used: remove files or choose a larger plan",
        tenant.plan
    );
    let plans = tenant.lifted_by.get("storage_gb").cloned().unwrap_or_default();
    let refusal =
        Error::conflict("limit-storage", detail).with("limit", "storage").with("plan", &tenant.plan);
    refusal.with("allowed_gb", most).with("lifted_by", plans)
}

/// Settles a commit that takes storage.
pub async fn settle(ctx: &Ctx, commit: Commit, shown: Shown) -> Answer {
    ctx.settle(commit, shown).await.map_err(|refused| explained(ctx, refused.0).into())
}
