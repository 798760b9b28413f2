//! One step of a verification: a day's digest and entries, and a hundred of its records.

use super::Checked;
use crate::day;
use jiff::civil::Date;
use kernel::Result;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::chain::{AccessLeaf, Chain, Finding, Head, Leaf, Seen, accesses, days, record};
use web::Ctx;

/// Records judged in one step.
const RECORDS: usize = 100;

pub struct Done {
    pub checked: Checked,
    pub findings: Vec<Finding>,
    /// Goes on after this record; none: the day is done.
    pub after: Option<String>,
}

/// What a step is about.
pub struct Step<'a> {
    pub day: Date,
    pub after: Option<&'a str>,
    /// The day is the organisation's first.
    pub first: bool,
    /// The day has to have a digest.
    pub sealed: bool,
    /// What lies after this time may not be anchored yet.
    pub settled: &'a str,
    /// These records alone, and nothing of the day itself.
    pub part: Option<u8>,
}

pub async fn take(ctx: &Ctx, step: &Step<'_>) -> Result<Done> {
    let (app, scope) = (ctx.app(), ctx.scope());
    let mut done = Done { checked: Checked::default(), findings: vec![], after: None };
    if step.after.is_none() && step.part.is_none() {
        let lies = day::sealed(app, scope, step.day).await?.is_some();
        if step.sealed || lies {
            done.findings.extend(digest(ctx, step).await?);
            done.checked.digests = u64::from(lies);
        }
        let leaves = day::anchored::<AccessLeaf>(app, scope, step.day).await?;
        done.checked.access = leaves.len() as u64;
        done.findings.extend(accesses(&leaves, &ctx.store().kept(&leaves).await?, "9999", ""));
    }
    // What a part of the records got on a day is what was anchored of it: one file, and no look into the index.
    let lies = async { if step.part.is_some() { Ok(vec![]) } else { ctx.store().leaves(step.day).await } };
    let (anchored, there) = futures::try_join!(day::anchored::<Leaf>(app, scope, step.day), lies)?;
    let mut of: BTreeMap<(String, String), Versions> = BTreeMap::new();
    for leaf in there {
        of.entry((leaf.record.clone(), leaf.kind().into())).or_default().lies.insert(leaf.version);
    }
    for leaf in anchored {
        let versions = of.entry((leaf.record.clone(), leaf.kind().into())).or_default();
        versions.anchored.insert(leaf.version, leaf);
    }
    let mine = |record: &str| step.part.is_none_or(|part| super::part_of(record) == part);
    let rest = of
        .into_iter()
        .filter(|((record, _), _)| mine(record) && step.after.is_none_or(|after| record.as_str() > after));
    let mut rest: Vec<_> = rest.take(RECORDS + 1).collect();
    if rest.len() > RECORDS {
        rest.truncate(RECORDS);
        done.after = rest.last().map(|((record, _), _)| record.clone());
    }
    let wanted: Vec<(&str, &str)> = rest.iter().map(|((r, k), _)| (k.as_str(), r.as_str())).collect();
    let heads = ctx.store().heads(&wanted).await?;
    let heads: HashMap<&str, &Head> = heads.iter().map(|h| (h.record.as_str(), h)).collect();
    for ((id, kind), versions) in &rest {
        let (checked, found) = one(ctx, step, (kind, id), versions, heads.get(id.as_str()).copied()).await?;
        done.checked.changes += checked;
        done.findings.extend(found);
    }
    done.checked.records = rest.len() as u64;
    Ok(done)
}

#[derive(Default)]
struct Versions {
    anchored: BTreeMap<u64, Leaf>,
    lies: BTreeSet<u64>,
}

/// The versions that a record got on this day, with the one before and one behind.
async fn one(
    ctx: &Ctx,
    step: &Step<'_>,
    (kind, id): (&str, &str),
    versions: &Versions,
    head: Option<&Head>,
) -> Result<(u64, Vec<Finding>)> {
    let all = || versions.anchored.keys().chain(&versions.lies);
    let (from, to) = (all().min().copied().unwrap_or(1), all().max().copied().unwrap_or(1));
    let many = usize::try_from(to - from + 3).unwrap_or(usize::MAX);
    let links = ctx.store().links(kind, id, from.saturating_sub(1).max(1), many).await?;
    // Where the chain goes on, its end is judged on another day.
    let ends = links.last().is_none_or(|l| l.place <= to);
    let found = record(&Chain {
        tenant: &ctx.scope().to_string(),
        record: id,
        links: &links,
        anchored: &versions.anchored,
        head: match head {
            _ if !ends => Seen::Not,
            None => Seen::Gone,
            Some(head) => Seen::At(head),
        },
        from,
        to: if ends { u64::MAX } else { to },
        since: &step.day.to_string(),
        settled: step.settled,
    });
    Ok(((to - from + 1), found))
}

/// The day's digest, and that it follows the one before.
async fn digest(ctx: &Ctx, step: &Step<'_>) -> Result<Vec<Finding>> {
    let (app, scope) = (ctx.app(), ctx.scope());
    let mut lies = vec![day::whole(app, scope, step.day).await?];
    if let Some(yesterday) = step.day.yesterday().ok().filter(|_| !step.first) {
        lies.insert(0, day::whole(app, scope, yesterday).await?);
    }
    let mut keys = HashMap::new();
    for sealed in lies.iter().filter_map(|d| d.sealed.as_ref()) {
        if let Some(key) = app.signer().public_key(&sealed.key_id).await? {
            keys.insert(sealed.key_id.clone(), key);
        }
    }
    let found =
        days(&scope.to_string(), &lies, (step.day, step.day, step.first), &|id| keys.get(id).cloned());
    Ok(found)
}
