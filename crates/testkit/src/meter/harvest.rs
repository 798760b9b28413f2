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

/// Whether requests are held to budgets here: in the stories of the modules, which the budgets were measured by, and not
/// while these are written anew.
pub(crate) fn holding() -> bool {
    static HOLDING: LazyLock<bool> = LazyLock::new(|| env::var_os(RENEW).is_none() && is_stories());
    *HOLDING
}

/// The test binary's name is its target's with a digest: `stories-0a1b…`.
fn is_stories() -> bool {
    let program = env::current_exe().ok();
    let name = program.as_deref().and_then(Path::file_stem).and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("stories-"))
}

pub(crate) fn keep(sample: Sample<'_>) {
    static FILE: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
        let folder = env::var_os(FOLDER).filter(|_| is_stories())?;
        create_dir_all(&folder).expect("a folder for the harvest");
        let path = Path::new(&folder).join(format!("{}.jsonl", std::process::id()));
        Some(Mutex::new(File::create(path).expect("a file for the harvest")))
    });
    let Some(file) = &*FILE else { return };
    let Sample { module, operation, name, count, tally } = sample;
    let line = json!({
        "module": module, "operation": operation, "name": name, "count": count, "trips": tally.trips,
        "items": tally.items, "bytes": tally.bytes, "read": tally.units.read, "write": tally.units.write,
        "spent": tally.spent, "messages": tally.messages, "looks": tally.looks,
    });
    writeln!(file.lock().expect("never poisoned"), "{line}").expect("the harvest is written");
}
