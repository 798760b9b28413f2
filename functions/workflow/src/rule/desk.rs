//! Active rules by event, read once a minute and compiled once a version.

use super::Rule;
use kernel::Result;
use rules::{Condition, Known};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, Instant},
};
use store::{Entity, Record, Scope, Wanted};
use web::Ctx;

pub struct Ready {
    pub rule: Record<Rule>,
    pub when: std::result::Result<Condition, String>,
}

impl Ready {
    pub fn of(rule: Record<Rule>) -> Self {
        let when = Condition::compile(&rule.body.when, &Known::events());
        Self { when: when.map_err(|f| f.detail), rule }
    }
}

type Kept = HashMap<(Scope, String), (Instant, Arc<Vec<Ready>>)>;
static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);
const LIFE: Duration = Duration::from_secs(60);
/// Rules of one event that are looked at.
const MOST: i32 = 100;

/// Rules that listen to this event, in the order of priority and id.
pub async fn of(ctx: &Ctx, event: &str) -> Result<Arc<Vec<Ready>>> {
    let key = (ctx.scope(), event.to_string());
    let known = KEPT.lock().expect("never poisoned").get(&key).cloned();
    if let Some((until, ready)) = known
        && until > Instant::now()
    {
        return Ok(ready);
    }
    let list = Rule::LISTS.iter().find(|l| l.name == "event").expect("declared");
    let wanted = Wanted::by(&[&event], MOST);
    let page = ctx.store().list(list, &wanted).await?;
    let ready = Arc::new(page.data.into_iter().map(Ready::of).collect::<Vec<_>>());
    let mut kept = KEPT.lock().expect("never poisoned");
    kept.retain(|_, (until, _)| *until > Instant::now());
    kept.insert(key, (Instant::now() + LIFE, ready.clone()));
    Ok(ready)
}

/// A change of a rule is seen at once where it was made.
pub fn forget(scope: Scope) {
    KEPT.lock().expect("never poisoned").retain(|(s, _), _| *s != scope);
}
