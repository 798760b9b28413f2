//! Access entries: kept as they come in, each once, whatever is delivered twice; anchored; watched.

pub mod surge;

use crate::{
    day,
    kinds::{KINDS, kind_of},
};
use kernel::{Error, Result, error::found};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{
    Scope, Store,
    chain::{AccessLeaf, Kept},
};
use web::{App, Ctx, Task, access::Looked};

pub fn task() -> Task {
    Task::gathering(Looked::TYPE, |app, messages| async move { keep(&app, messages).await })
}

async fn keep(app: &App, messages: Vec<Value>) -> Result<()> {
    let mut of: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for message in messages {
        let Looked { entry, hash, .. } = serde_json::from_value(message).map_err(Error::internal)?;
        if entry.hash() != hash {
            // Kept as it came: the verifier names it.
            tracing::error!(id = entry.id, "an access entry is not what its sender hashed");
        }
        let kept = Kept { hash, count: 1, subject: None, persons: 0, entry };
        of.entry(kept.entry.tenant.clone()).or_default().push(kept);
    }
    for (tenant, entries) in of {
        let scope =
            Scope::from_claim(&tenant).ok_or_else(|| Error::internal("an entry of no organisation"))?;
        // Its key may be gone with everything that it opened: nobody is left to look after it.
        let Some(ctx) = found(Ctx::system(app, scope, "audit", Looked::TYPE).await)? else { continue };
        let mut entries = collapsed(entries);
        let persons = about(ctx.store(), &mut entries).await?;
        ctx.store().keep_access(&entries).await?;
        anchor(app, scope, &entries).await?;
        surge::watch(&ctx, &entries, &persons).await?;
    }
    Ok(())
}

/// Equal refusals of one user and route within a batch are one, with their number.
fn collapsed(entries: Vec<Kept>) -> Vec<Kept> {
    let mut out: Vec<Kept> = vec![];
    let mut ids = BTreeSet::new();
    for kept in entries {
        if !ids.insert(kept.entry.id.clone()) {
            continue;
        }
        let refused = matches!(kept.entry.outcome.as_str(), "refused" | "failed");
        let e = &kept.entry;
        let same = |k: &&mut Kept| {
            let o = &k.entry;
            (&o.by, &o.action, &o.outcome, &o.status, &o.problem, &o.of, &o.ids)
                == (&e.by, &e.action, &e.outcome, &e.status, &e.problem, &e.of, &e.ids)
        };
        match out.iter_mut().find(same).filter(|_| refused) {
            Some(first) => first.count += 1,
            None => out.push(kept),
        }
    }
    out
}

/// The persons that each entry touches: those it names, or the one that its record is about.
async fn about(store: &Store, entries: &mut [Kept]) -> Result<Vec<BTreeSet<String>>> {
    let told = |k: &Kept| k.entry.subjects.iter().any(|s| is_person(s)) || KINDS.is_person(&k.entry.of);
    let unknown: Vec<(String, String)> = entries
        .iter()
        .filter(|k| !told(k) && k.entry.ids.len() == 1)
        .map(|k| (k.entry.of.clone(), k.entry.ids[0].clone()))
        .collect();
    let wanted: Vec<(&str, &str)> = unknown.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).collect();
    let names: Vec<&str> = KINDS.about.iter().map(String::as_str).collect();
    let found = if wanted.is_empty() { Default::default() } else { store.plainly(&wanted, &names).await? };
    let mut all = vec![];
    for kept in entries {
        let own = kept.entry.ids.iter().filter(|_| KINDS.is_person(&kept.entry.of));
        let looked_up = kept.entry.ids.iter().filter_map(|id| found.get(id));
        let persons: BTreeSet<String> = kept
            .entry
            .subjects
            .iter()
            .chain(own)
            .chain(looked_up)
            .filter(|p| is_person(p))
            .cloned()
            .collect();
        kept.persons = persons.len() as u64;
        kept.subject = persons.first().filter(|_| persons.len() == 1).cloned();
        all.push(persons);
    }
    Ok(all)
}

fn is_person(id: &str) -> bool {
    kind_of(id).is_some_and(|kind| KINDS.is_person(kind))
}

async fn anchor(app: &App, scope: Scope, entries: &[Kept]) -> Result<()> {
    let mut of = BTreeMap::new();
    for kept in entries {
        let leaf: AccessLeaf = kept.entry.leaf();
        of.entry(day::of(&leaf.at)?).or_insert_with(Vec::new).push(leaf);
    }
    for (day, mut leaves) in of {
        leaves.sort();
        day::append(app, scope, day, &leaves).await?;
    }
    Ok(())
}
