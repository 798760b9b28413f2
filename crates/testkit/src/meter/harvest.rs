//! What stories cost, kept for `cargo xtask`: with `HARVEST=<folder>` in the environment every counted request of
//! every story leaves a line in a file of its test binary there.

use super::Tally;
use serde_json::json;
use std::{
    env,
    fs::{File, create_dir_all},
    io::Write,
    path::Path,
    sync::{LazyLock, Mutex},
};

pub const FOLDER: &str = "HARVEST";
/// Set while budgets are written anew: nothing is held to the old ones.
pub const RENEW: &str = "UPDATE_BUDGETS";

pub(crate) struct Sample<'a> {
    pub module: &'a str,
    /// `METHOD /path`, or `ON event`.
    pub operation: &'a str,
    pub name: &'a str,
    /// Messages in the batch.
    pub count: usize,
    pub tally: &'a Tally,
}

pub(crate) fn renewing() -> bool {
    static SET: LazyLock<bool> = LazyLock::new(|| env::var_os(RENEW).is_some());
    *SET
}

pub(crate) fn keep(sample: Sample<'_>) {
    static FILE: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
        let folder = env::var_os(FOLDER)?;
        create_dir_all(&folder).expect("a folder for the harvest");
        let path = Path::new(&folder).join(format!("{}.jsonl", std::process::id()));
        Some(Mutex::new(File::create(path).expect("a file for the harvest")))
    });
    let Some(file) = &*FILE else { return };
    let Sample { module, operation, name, count, tally } = sample;
    let line = json!({
        "module": module, "operation": operation, "name": name, "count": count, "trips": tally.trips,
        "items": tally.items, "bytes": tally.bytes, "read": tally.units.read, "write": tally.units.write,
        "messages": tally.messages, "looks": tally.looks,
    });
    writeln!(file.lock().expect("never poisoned"), "{line}").expect("the harvest is written");
}
