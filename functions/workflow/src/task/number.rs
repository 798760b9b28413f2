//! Numbers of tasks, taken in blocks: no counter is asked for every task, and gaps do not matter.

use kernel::Result;
use std::{
    collections::HashMap,
    ops::Range,
    sync::{LazyLock, Mutex},
};
use store::Scope;
use web::Ctx;

const BLOCK: u64 = 100;

type Left = HashMap<(Scope, i16), Range<u64>>;
static LEFT: LazyLock<Mutex<Left>> = LazyLock::new(Mutex::default);

/// The next number of the year: `T-2026-117`.
pub async fn next(ctx: &Ctx) -> Result<String> {
    let year = ctx.today().year();
    let key = (ctx.scope(), year);
    let known = LEFT.lock().expect("never poisoned").get_mut(&key).and_then(Iterator::next);
    let n = match known {
        Some(n) => n,
        None => {
            let block = ctx.store().next_number("task", year).await?;
            let mut numbers = (block - 1) * BLOCK + 1..block * BLOCK + 1;
            let first = numbers.next().unwrap_or(1);
            LEFT.lock().expect("never poisoned").insert(key, numbers);
            first
        }
    };
    Ok(format!("T-{year}-{n}"))
}
