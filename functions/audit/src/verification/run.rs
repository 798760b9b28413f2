//! A verification's run: step by step, each kept before the next, so that whoever takes it up goes on from there.

use super::{Bounds, SILENCE, State, TRIES, Verification, bounds, kind, record, step};
use crate::doors;
use events::{AuditEvent, Envelope, audit::First};
use jiff::Timestamp;
use kernel::{Error, Result, VerificationId};
use std::time::{Duration, Instant};
use store::Record;
use web::{Ctx, Reaction, Task};

/// One invocation works for so long; the clock takes up the rest.
const STRETCH: Duration = Duration::from_secs(15);

pub fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on("verification.requested", heard),
        // A day that was broken brings its verification with it.
        Reaction::on("audit_chain.broken", heard),
    ]
}

async fn heard(ctx: Ctx, event: Envelope) -> Result<()> {
    match event.record.parse::<VerificationId>() {
        Ok(id) => run(&ctx, id).await,
        Err(_) => Ok(()),
    }
}

/// What nobody has worked on for a while.
pub fn task() -> Task {
    Task::on("due.vrf.run", |app, message| async move {
        let (ctx, id) = doors::due::<VerificationId>(&app, &message).await?;
        run(&ctx, id).await
    })
}

async fn run(ctx: &Ctx, id: VerificationId) -> Result<()> {
    let until = Instant::now() + STRETCH;
    let mut old = ctx.store().fresh::<Verification>(id).await?;
    while !old.body.is_over() && Instant::now() < until {
        let mut new = old.next(ctx.now());
        let word = match advance(ctx, &mut new.body).await {
            Ok(()) if new.body.is_over() => "end",
            Ok(()) => "advance",
            Err(error) => {
                tracing::warn!(%id, cause = ?error, "a step of a verification failed");
                new.body = old.body.clone();
                new.body.tries += 1;
                if new.body.tries >= TRIES {
                    (new.body.status, new.body.ended_at) = (State::Failed, Some(ctx.now()));
                }
                "fail"
            }
        };
        new.body.look_at = Some(ctx.now() + SILENCE).filter(|_| !new.body.is_over());
        match kept(ctx, word, &old, new).await {
            // Somebody else works on it.
            Err(Error::Stale { .. }) => return Ok(()),
            other => other?,
        }
        if word == "fail" {
            return Ok(());
        }
        old = ctx.store().fresh::<Verification>(id).await?;
    }
    Ok(())
}

async fn kept(
    ctx: &Ctx,
    word: &str,
    old: &Record<Verification>,
    mut new: Record<Verification>,
) -> Result<()> {
    let untold = new.body.status == State::Broken && !new.body.told;
    new.body.told |= untold;
    let commit = ctx.store().commit().update(word, old, &new);
    let Verification { record, from, to, status, findings, first_broken, .. } = &new.body;
    let event = match first_broken.as_ref().filter(|_| untold) {
        _ if !new.body.is_over() => return commit.run().await,
        Some(broken) => AuditEvent::ChainBroken {
            scope: record.clone().unwrap_or_else(|| format!("{from}/{to}")),
            first: First {
                day: broken.day.clone(),
                record: broken.record.clone(),
                version: broken.version,
                finding: broken.finding.to_string(),
            },
        },
        None => AuditEvent::VerificationCompleted {
            verification: new.id,
            state: status.to_string(),
            findings: findings.iter().filter(|f| f.finding.is_failure()).count() as u64,
        },
    };
    commit.emit(event).run().await
}

/// One step.
async fn advance(ctx: &Ctx, body: &mut Verification) -> Result<()> {
    body.status = State::Running;
    let started = *body.started_at.get_or_insert(ctx.now());
    let bounds = bounds(ctx).await?;
    let first = bounds.first;
    if let Some(id) = body.record.clone() {
        let (checked, found) = record::judge(ctx, kind(&id)?, &id, first).await?;
        body.checked = checked;
        body.found(found);
        body.end(ctx.now());
        return Ok(());
    }
    // Days on which a part of the records was not touched are quick: many of them are one step.
    let most = if body.part.is_some() { QUICK } else { 1 };
    for _ in 0..most {
        walk(ctx, body, &bounds, started).await?;
        if body.is_over() || body.after.is_some() {
            break;
        }
    }
    Ok(())
}

/// Days of one step, where a part of the records is verified.
const QUICK: usize = 30;

/// A day, or a hundred records of it.
async fn walk(ctx: &Ctx, body: &mut Verification, bounds: &Bounds, started: Timestamp) -> Result<()> {
    let Bounds { first, today, .. } = *bounds;
    let day = body.day.unwrap_or(body.from.max(first));
    if day > body.to.min(today) {
        body.end(ctx.now());
        return Ok(());
    }
    let settled = store::stamp(started - record::SETTLED);
    let after = body.after.clone();
    let step = step::Step {
        day,
        after: after.as_deref(),
        first: day == first,
        sealed: bounds.must_be_sealed(day),
        settled: &settled,
        part: body.part,
    };
    let done = step::take(ctx, &step).await?;
    body.checked.changes += done.checked.changes;
    body.checked.access += done.checked.access;
    body.checked.digests += done.checked.digests;
    body.checked.records += done.checked.records;
    body.found(done.findings);
    body.after = done.after;
    body.day = Some(if body.after.is_some() { day } else { day.tomorrow().map_err(Error::internal)? });
    Ok(())
}
