//! From when a document's retention counts, and until when.

use crate::{
    disposal::{self, Disposal},
    document::Document,
    retention::{Retention, Trigger},
    shipped,
};
use jiff::civil::Date;
use kernel::{Result, error::found};
use store::{Commit, Record};
use web::Ctx;

/// A run of disposal that nobody has planned yet.
pub type Planned = Option<Record<Disposal>>;

/// Begins a document's time, if its class counts from this. The run of disposal that comes for it, if nobody planned it
/// before.
pub async fn begin(
    ctx: &Ctx,
    new: &mut Record<Document>,
    trigger: Trigger,
    on: Option<Date>,
) -> Result<Planned> {
    // A class that was deleted keeps what counts already, and begins nothing.
    let class = shipped::named::<Retention>(ctx.store(), &new.body.retention).await;
    let Some(class) = found(class)?.map(|class| class.body) else { return Ok(None) };
    let Some(on) = on.filter(|_| class.trigger == trigger) else { return Ok(None) };
    new.body.trigger_on = Some(on);
    new.body.dispose_on = class.ends(Some(on));
    match new.body.dispose_on {
        Some(due) => disposal::planned(ctx, due).await,
        None => Ok(None),
    }
}

/// The run in the same commit as the document that it comes for.
pub fn plan(commit: Commit, run: Planned) -> Commit {
    match run {
        Some(run) => commit.create(&run),
        None => commit,
    }
}

/// Two documents may wait for the same run.
pub fn plan_both(commit: Commit, one: Planned, other: Planned) -> Commit {
    let other = other.filter(|o| one.as_ref().is_none_or(|one| one.id != o.id));
    plan(plan(commit, one), other)
}

/// The same beside a document that planned its own run in this commit.
pub fn plan_unless(commit: Commit, run: Planned, planned: &Record<Document>) -> Commit {
    let day = planned.body.dispose_on.map(disposal::run_day);
    plan(commit, run.filter(|r| Some(r.body.on) != day))
}
