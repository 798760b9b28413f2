//! Anchors: what dispatch tells of every change is written where nobody can take it away. From then on a deletion of
//! a change and of its record is provable; what is not protected yet is as old as the stream's lag.

use crate::{day, digest};
use jiff::civil::Date;
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
};
use store::{Scope, chain::Leaf};
use web::{App, Task};

#[derive(Deserialize)]
struct Anchor {
    tenant: String,
    changes: Vec<Leaf>,
}

/// Tenants of which this environment knows, in this life of its caches, that their days are sealed.
type Known = Arc<Mutex<HashSet<(u64, Scope)>>>;

pub fn task() -> Task {
    let known = Known::default();
    Task::gathering("anchor", move |app, messages| {
        let known = known.clone();
        async move { keep(&app, &known, messages).await }
    })
}

async fn keep(app: &App, known: &Known, messages: Vec<Value>) -> Result<()> {
    let mut of: BTreeMap<(String, Date), Vec<Leaf>> = BTreeMap::new();
    for message in messages {
        let Anchor { tenant, changes } = serde_json::from_value(message).map_err(Error::internal)?;
        for leaf in changes {
            of.entry((tenant.clone(), day::of(&leaf.at)?)).or_default().push(leaf);
        }
    }
    for ((tenant, day), mut leaves) in of {
        let scope =
            Scope::from_claim(&tenant).ok_or_else(|| Error::internal("an anchor of no organisation"))?;
        leaves.sort();
        leaves.dedup();
        day::append(app, scope, day, &leaves).await?;
        let here = (app.life(), scope);
        if known.lock().expect("never poisoned").contains(&here) {
            continue;
        }
        digest::begin(app, scope, day).await?;
        known.lock().expect("never poisoned").insert(here);
    }
    Ok(())
}
