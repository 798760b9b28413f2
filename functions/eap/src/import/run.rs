//! Running a file: thirty rows a transaction, each of them once, whoever is stopped in between or runs beside.

use super::{Did, Extent, Good, Import, State, did, looked_through, roll_back};
use crate::{
    beneficiary::{self, Beneficiary, Source, Status, folded, hooks},
    client::Client,
    place,
    words::Relation,
};
use events::Envelope;
use kernel::{BeneficiaryId, Error, JobId, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{Commit, Record, Wanted, When};
use web::{Ctx, Reaction, Task};

/// Rows of one transaction: each is at most three items, and a transaction holds a hundred.
pub const STEP: usize = 30;
/// How often a step is made anew because somebody changed one of its people meanwhile.
const TRIES: u32 = 8;
/// The code of a step that was done before.
const DONE: &str = "step-done";

pub fn reactions() -> Vec<Reaction> {
    let on = |event: &'static str| {
        Reaction::on(event, |ctx: Ctx, event: Envelope| async move {
            match event.record.parse() {
                Ok(id) => go_on(&ctx, id).await,
                Err(_) => Ok(()),
            }
        })
    };
    vec![on("beneficiary_import.requested"), on("beneficiary_import.rollback_requested")]
}

pub fn tasks() -> Vec<Task> {
    vec![Task::on("due.wrk.go_on", |app, message| async move {
        match web::rung::<Import>(&app, place::MODULE, &message).await? {
            Some((ctx, import)) => go_on(&ctx, import.id).await,
            None => Ok(()),
        }
    })]
}

async fn go_on(ctx: &Ctx, id: JobId) -> Result<()> {
    let import = ctx.store().fresh::<Import>(id).await?;
    match import.body.status {
        State::Running => run(ctx, &import).await,
        State::RollingBack => {
            roll_back::all(ctx, id).await?;
            end(ctx, &import, State::RolledBack).await
        }
        State::Awaited | State::Checked if import.body.look_at.is_some_and(|at| at <= ctx.now()) => {
            end(ctx, &import, State::Expired).await
        }
        _ => Ok(()),
    }
}

async fn run(ctx: &Ctx, import: &Record<Import>) -> Result<()> {
    let client = ctx.store().get::<Client>(import.body.client).await?;
    let file = ctx.app().files().read(&Import::file(ctx.scope(), import.id), None).await?;
    let bytes = file.ok_or_else(|| Error::internal("an import without its file"))?;
    let good = looked_through(&bytes, &client.body, import.body.day)?.good;
    // Employees are there before their dependants are looked for.
    let (employees, dependants) = good.split_at(good.partition_point(|g| g.relation == Relation::Employee));
    let steps = employees.chunks(STEP).chain(dependants.chunks(STEP));
    let done = progress(ctx, import.id).await?;
    for (n, rows) in steps.enumerate().skip(done) {
        once(ctx, import, &format!("{n:06}"), || rows_of(ctx, import, rows)).await?;
    }
    if import.body.extent == Extent::Full {
        let numbers: BTreeSet<String> = employees.iter().map(|g| folded(&g.number)).collect();
        end_missing(ctx, import, &numbers).await?;
    }
    end(ctx, import, State::Done).await
}

/// Steps that are done already.
async fn progress(ctx: &Ctx, id: JobId) -> Result<usize> {
    let last: Vec<(String, Value)> = ctx.store().latest(&did(id, ""), "did#", "did#a", 1).await?;
    let number = last.first().and_then(|(place, _)| place.strip_prefix("did#")?.parse::<usize>().ok());
    Ok(number.map_or(0, |n| n + 1))
}

/// The last word about an import, with its file gone.
async fn end(ctx: &Ctx, import: &Record<Import>, status: State) -> Result<()> {
    let mut new = import.next(ctx.now());
    (new.body.status, new.body.look_at) = (status, None);
    match ctx.store().commit().update("end", import, &new).run().await {
        // Somebody else was as far at the same time.
        Ok(()) | Err(Error::Stale { .. }) => {}
        Err(e) => return Err(e),
    }
    ctx.app().files().remove(&Import::file(ctx.scope(), import.id)).await
}

/// One step: made anew as long as others change what it read.
async fn once<F>(ctx: &Ctx, import: &Record<Import>, step: &str, plan: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<(Commit, Did)>>,
{
    let mut attempt = 0;
    loop {
        let done = match plan().await {
            Ok((commit, what)) => {
                let refusal = |_| Error::conflict(DONE, "done before");
                commit.put_if(&did(import.id, step), &what, When::Absent, refusal).run().await
            }
            Err(e) => Err(e),
        };
        match done {
            Err(Error::Stale { .. } | Error::Duplicate { .. }) if attempt < TRIES => {
                ctx.store().pause(&mut attempt).await?;
            }
            Err(e) if e.code() == DONE => return Ok(()),
            other => return other,
        }
    }
}

/// What these rows make of the list as it is.
async fn rows_of(ctx: &Ctx, import: &Record<Import>, rows: &[Good]) -> Result<(Commit, Did)> {
    let store = ctx.store();
    let (client, day) = (import.body.client, import.body.day);
    let numbers: Vec<(&str, String)> =
        rows.iter().map(|g| ("employee_number", beneficiary::number_of(client, &g.number))).collect();
    let employees = store.guarded_many::<Beneficiary>(&numbers).await?;
    let mut held = employees.clone();
    if rows.first().is_some_and(|g| g.relation != Relation::Employee) {
        let of = |(g, employee): (&Good, &Option<BeneficiaryId>)| {
            let employee = employee.ok_or_else(Error::meanwhile)?;
            Ok(("dependant", beneficiary::dependant_of(employee, g.relation, &g.name, g.birth_date)))
        };
        let wanted = rows.iter().zip(&employees).map(of).collect::<Result<Vec<_>>>()?;
        held = store.guarded_many::<Beneficiary>(&wanted).await?;
    }
    let known: Vec<BeneficiaryId> = held.iter().flatten().copied().collect();
    let known: BTreeMap<_, _> =
        store.get_many::<Beneficiary>(&known).await?.into_iter().map(|r| (r.id, r)).collect();
    let (mut commit, mut what, mut growth) = (store.commit(), Did::default(), 0);
    for ((good, employee), held) in rows.iter().zip(employees).zip(held) {
        let employee = employee.filter(|_| good.relation != Relation::Employee);
        let Some(id) = held else {
            let new = Record::new(ctx.now(), good.fresh(client, employee, import.id, day));
            growth += hooks::growth(None, &new);
            what.created.push(new.id);
            commit = commit.create(&new);
            continue;
        };
        let old = known.get(&id).ok_or_else(Error::meanwhile)?;
        let mut new = old.next(ctx.now());
        new.body = good.onto(&old.body, day);
        if new.body != old.body {
            growth += hooks::growth(Some(old), &new);
            what.changed.push((id, old.version));
            commit = hooks::reachable(Some(old), &new, commit.update("import", old, &new));
        }
    }
    Ok((grown(commit, import, growth), what))
}

pub fn grown(commit: Commit, import: &Record<Import>, by: i64) -> Commit {
    if by == 0 { commit } else { commit.add(&place::counts(import.body.client), "staff_total", by) }
}

/// Whoever came by a file and is not in this one ends on its day.
async fn end_missing(ctx: &Ctx, import: &Record<Import>, numbers: &BTreeSet<String>) -> Result<()> {
    let mut wanted = Wanted::by(&[&import.body.client], 100);
    loop {
        let page = ctx.store().list(&<Beneficiary as store::Entity>::LISTS[0], &wanted).await?;
        let missing = |r: &&Record<Beneficiary>| {
            let b = &r.body;
            let listed = b.employee_number.as_ref().is_some_and(|n| numbers.contains(&folded(n)));
            b.source == Source::Import
                && b.status == Status::Eligible
                && b.employee_number.is_some()
                && !listed
        };
        let missing: Vec<BeneficiaryId> = page.data.iter().filter(missing).map(|r| r.id).collect();
        for ids in missing.chunks(STEP) {
            once(ctx, import, &format!("end~{}", ids[0]), || ended(ctx, import, ids)).await?;
        }
        wanted.cursor = page.next;
        if wanted.cursor.is_none() {
            return Ok(());
        }
    }
}

async fn ended(ctx: &Ctx, import: &Record<Import>, ids: &[BeneficiaryId]) -> Result<(Commit, Did)> {
    let (mut commit, mut what, mut growth) = (ctx.store().commit(), Did::default(), 0);
    for old in ctx.store().get_many::<Beneficiary>(ids).await? {
        if old.body.status == Status::Ended || old.deleted_at.is_some() {
            continue;
        }
        let mut new = old.next(ctx.now());
        new.body.status = Status::Ended;
        new.body.eligible_to = Some(import.body.day);
        growth += hooks::growth(Some(&old), &new);
        what.changed.push((old.id, old.version));
        commit = commit.update("end", &old, &new).emit(hooks::ended(&new.body));
    }
    Ok((grown(commit, import, growth), what))
}
