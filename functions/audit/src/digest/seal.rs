//! Sealing a day: what was anchored of it against what lies there, the trees, the signature, the next day.

use super::{Digest, Status};
use crate::{day, doors, verification};
use base64::{Engine, engine::general_purpose::STANDARD};
use events::{AuditEvent, audit::First};
use jiff::{
    SignedDuration,
    civil::{Date, Weekday},
};
use kernel::{DigestId, Error, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{
    Commit, Record, Store,
    chain::{AccessLeaf, Broken, DayDigest, Finding, Leaf, Sealed, Summary, genesis_of_digests, sorted},
};
use web::{App, Ctx, Task, gate};

/// Mismatches kept in the record itself.
const SHOWN: usize = 100;

pub fn task() -> Task {
    Task::on("due.dig.seal", |app, message| async move { seal(&app, &message).await })
}

async fn seal(app: &App, message: &Value) -> Result<()> {
    let (ctx, id) = doors::due::<DigestId>(app, message).await?;
    let old = ctx.store().fresh::<Digest>(id).await?;
    if old.body.status == Status::Sealed || old.body.due_at() > ctx.now() {
        return Ok(());
    }
    let Some(file) = made(&ctx, &old.body).await? else { return Ok(()) };
    let mut new = old.next(ctx.now());
    let DayDigest { changes, access, mismatches, prev, .. } = &file.digest;
    new.body = Digest {
        day: old.body.day,
        first: old.body.first,
        status: Status::Sealed,
        changes: Some(changes.clone()),
        access: Some(access.clone()),
        mismatches: mismatches.iter().take(SHOWN).cloned().collect(),
        hash: Some(file.digest.hash()),
        prev: Some(prev.clone()),
        key_id: Some(file.key_id.clone()),
        sealed_at: Some(ctx.now()),
    };
    let event = AuditEvent::DigestSealed { digest: id, day: new.body.day };
    let commit = ctx.store().commit().update("seal", &old, &new).emit(event);
    match follow(&ctx, &new, commit)?.run().await {
        // Rung twice: the other one has done all of this.
        Err(Error::Stale { .. } | Error::Duplicate { .. }) => Ok(()),
        other => other,
    }
}

/// The next day, and the night's part of all records, unless the organisation is gone; on Sundays the week is verified;
/// what is broken is told.
fn follow(ctx: &Ctx, new: &Record<Digest>, mut commit: Commit) -> Result<Commit> {
    let next = new.body.day.tomorrow().map_err(Error::internal)?;
    let gone = [gate::Status::Closed, gate::Status::Erased];
    let lives = ctx.gate().tenant.as_ref().is_none_or(|t| !gone.contains(&t.status));
    if lives {
        commit = commit.create(&Record::new(ctx.now(), Digest::of(next, new.body.first)));
        let check = verification::of_the_night(ctx.now(), new.body.first, new.body.day);
        commit = commit.create(&check).emit(AuditEvent::VerificationRequested { verification: check.id });
    }
    let broken = new.body.mismatches.iter().find(|f| f.finding.is_failure());
    if broken.is_some() || next.weekday() == Weekday::Sunday {
        let check = verification::of_the_week(ctx.now(), new.body.day, broken.is_some());
        commit = commit.create(&check);
        commit = match broken {
            Some(first) => commit.emit(told(new.body.day, first)),
            None => commit.emit(AuditEvent::VerificationRequested { verification: check.id }),
        };
    }
    Ok(commit)
}

fn told(day: Date, first: &Finding) -> AuditEvent {
    let first = First {
        day: first.day.clone(),
        record: first.record.clone(),
        version: first.version,
        finding: first.finding.to_string(),
    };
    AuditEvent::ChainBroken { scope: day.to_string(), first }
}

/// What is not anchored yet may still come, this long after the day could be sealed; the clock asks again.
const PATIENCE: SignedDuration = SignedDuration::from_hours(2);

/// The day's digest: the one that lies there, or a new one; none while anchors are still awaited.
async fn made(ctx: &Ctx, open: &Digest) -> Result<Option<Sealed>> {
    let (app, scope, day) = (ctx.app(), ctx.scope(), open.day);
    if let Some(sealed) = day::sealed(app, scope, day).await? {
        return Ok(Some(sealed));
    }
    let there = ctx.store().leaves(day).await?;
    let seen = day::anchored::<Leaf>(app, scope, day).await?;
    let awaited = compared(&seen, &there).iter().any(|f| f.finding == Broken::Inserted);
    if awaited && ctx.now() < open.due_at() + PATIENCE {
        return Ok(None);
    }
    let ((leaves, twice), (access, _), late, prev) = futures::try_join!(
        day::settled::<Leaf>(app, scope, day),
        day::settled::<AccessLeaf>(app, scope, day),
        late(ctx, day),
        before(ctx.store(), day),
    )?;
    let mismatches = sorted([compared(&leaves, &there), again(&twice), late].concat());
    let digest = DayDigest {
        v: DayDigest::VERSION,
        tenant: scope.to_string(),
        day,
        changes: Summary::of_changes(&leaves),
        access: Summary::of_access(&access),
        mismatches,
        prev,
        made_at: store::stamp(ctx.now()),
    };
    let signed = app.signer().sign(&digest.bytes()).await?;
    let sealed = Sealed { digest, key_id: signed.key_id, signature: STANDARD.encode(signed.signature) };
    let file = day::digest_file(scope, day);
    app.files().write(&file, "application/json", sealed.to_json()).await?;
    Ok(Some(sealed))
}

/// Hash of yesterday's digest, or what stands before the first.
async fn before(store: &Store, day: Date) -> Result<String> {
    let yesterday = day.yesterday().map_err(Error::internal)?;
    let Some(id) = store.guarded::<Digest>("day", &yesterday.to_string()).await? else {
        return Ok(genesis_of_digests(&store.scope().to_string()));
    };
    let known = store.fresh::<Digest>(id).await?;
    known.body.hash.ok_or_else(|| Error::internal("the day before is not sealed yet"))
}

/// What was anchored of yesterday after it had been sealed.
async fn late(ctx: &Ctx, day: Date) -> Result<Vec<Finding>> {
    let yesterday = day.yesterday().map_err(Error::internal)?;
    if day::sealed(ctx.app(), ctx.scope(), yesterday).await?.is_none() {
        return Ok(vec![]);
    }
    let ((all, _), sealed) = futures::try_join!(
        day::segments::<Leaf>(ctx.app(), ctx.scope(), yesterday),
        day::anchored::<Leaf>(ctx.app(), ctx.scope(), yesterday),
    )?;
    let known: BTreeSet<&str> = sealed.iter().map(|l| l.id.as_str()).collect();
    let late = all.iter().filter(|l| !known.contains(l.id.as_str()));
    Ok(late.map(|l| of(Broken::Late, l, "it was anchored after its day had been sealed")).collect())
}

fn of(finding: Broken, leaf: &Leaf, detail: &str) -> Finding {
    Finding::of_change(finding, &leaf.at, &leaf.record, leaf.version, detail)
}

/// Anchors that say something else of a change than the first one.
fn again(twice: &[Leaf]) -> Vec<Finding> {
    twice.iter().map(|l| of(Broken::Rewritten, l, "it was anchored again with another hash")).collect()
}

/// What was anchored of the day against what lies there.
fn compared(anchored: &[Leaf], there: &[Leaf]) -> Vec<Finding> {
    let lies: BTreeMap<&str, &Leaf> = there.iter().map(|l| (l.id.as_str(), l)).collect();
    let known: BTreeSet<&str> = anchored.iter().map(|l| l.id.as_str()).collect();
    let last = |record: &str| there.iter().filter(|l| l.record == record).map(|l| l.version).max();
    let mut found = vec![];
    for leaf in anchored {
        match lies.get(leaf.id.as_str()) {
            Some(there) if there.hash == leaf.hash => {}
            Some(_) => found.push(of(Broken::Rewritten, leaf, "its hash is not the anchored one")),
            None if last(&leaf.record) > Some(leaf.version) => {
                found.push(of(Broken::Deleted, leaf, "it does not lie there and later ones do"));
            }
            None => found.push(of(Broken::Truncated, leaf, "it does not lie there, nor does a later one")),
        }
    }
    let unknown = there.iter().filter(|l| !known.contains(l.id.as_str()));
    found.extend(unknown.map(|l| of(Broken::Inserted, l, "it was never anchored")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(record: &str, version: u64, hash: &str) -> Leaf {
        let at = format!("2026-05-01T10:00:0{version}.000Z");
        let id = format!("pat#{record}#{version}");
        Leaf { at, id, record: record.into(), version, hash: hash.into() }
    }

    #[test]
    fn a_day_tells_what_is_gone_from_its_middle_and_from_its_end() {
        let anchored = [leaf("a", 1, "1"), leaf("a", 2, "2"), leaf("a", 3, "3"), leaf("b", 1, "1")];
        let there = [leaf("a", 1, "1"), leaf("a", 3, "x"), leaf("c", 1, "1")];
        let found: Vec<String> = compared(&anchored, &there)
            .iter()
            .map(|f| format!("{} {} {:?}", f.finding, f.record, f.version))
            .collect();
        assert_eq!(
            found,
            ["deleted a Some(2)", "rewritten a Some(3)", "truncated b Some(1)", "inserted c Some(1)"]
        );
    }
}
