//! One record, at once: all of its versions, against what was anchored of them.

use super::Checked;
use crate::day;
use jiff::{SignedDuration, ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use store::chain::{Chain, Finding, Leaf, Seen, record, sorted};
use web::Ctx;

/// Versions that are judged at once.
const VERSIONS: usize = 2000;
/// Days whose anchors are read at once.
const DAYS: usize = 60;
/// What is younger may not be anchored yet.
pub const SETTLED: SignedDuration = SignedDuration::from_mins(15);

/// Every finding, sorted. Versions cut off long ago leave no trace in the record's own days: those are found by
/// verifying the days.
pub async fn judge(ctx: &Ctx, kind: &str, id: &str, first_day: Date) -> Result<(Checked, Vec<Finding>)> {
    let settled = store::stamp(ctx.now() - SETTLED);
    let wanted = [(kind, id)];
    // The record first: a change that comes in between makes the chain longer than it, never shorter.
    let heads = ctx.store().heads(&wanted).await?;
    let links = ctx.store().links(kind, id, 1, VERSIONS + 1).await?;
    if links.len() > VERSIONS {
        let detail = format!("it has more than {VERSIONS} versions: POST /v1/audit/verifications");
        return Err(Error::unprocessable("too-many-versions", detail));
    }
    let mut days: BTreeSet<Date> = links.iter().filter_map(|l| day::of(&l.form.at).ok()).collect();
    let today = ctx.now().to_zoned(TimeZone::UTC).date();
    days.extend((0..8).filter_map(|n| today.checked_sub(n.days()).ok()));
    days.retain(|day| *day >= first_day);
    if days.len() > DAYS {
        let detail = format!("it was changed on more than {DAYS} days: POST /v1/audit/verifications");
        return Err(Error::unprocessable("too-many-days", detail));
    }
    let mut anchored: BTreeMap<u64, Leaf> = BTreeMap::new();
    for day in days {
        let leaves = day::anchored::<Leaf>(ctx.app(), ctx.scope(), day).await?;
        anchored.extend(leaves.into_iter().filter(|l| l.record == id).map(|l| (l.version, l)));
    }
    if links.is_empty() && anchored.is_empty() {
        return Err(Error::Missing);
    }
    let found = record(&Chain {
        tenant: &ctx.scope().to_string(),
        record: id,
        links: &links,
        anchored: &anchored,
        head: heads.first().map_or(Seen::Gone, Seen::At),
        from: 1,
        to: u64::MAX,
        since: &first_day.to_string(),
        settled: &settled,
    });
    let checked = Checked { changes: links.len() as u64, records: 1, ..Checked::default() };
    Ok((checked, sorted(found)))
}
