//! What was tried and what was found, one JSON line each, for `cargo xtask prove` to gather. Without `PROVE_LEDGER`
//! (a folder) nothing is kept, and what is found fails the story.

use serde_json::{Value, json};
use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::{LazyLock, Mutex},
};

static FILE: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
    let folder = env::var_os("PROVE_LEDGER")?;
    let path = Path::new(&folder).join(format!("{}-{}.ndjson", package(), std::process::id()));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    Some(Mutex::new(file.unwrap_or_else(|e| panic!("{}: {e}", path.display()))))
});

/// What the tests belong to, as cargo says.
pub(crate) fn package() -> String {
    env::var("CARGO_PKG_NAME").unwrap_or_default()
}

/// The test that this is, as its harness names it.
pub(crate) fn story() -> String {
    std::thread::current().name().unwrap_or_default().into()
}

fn keep(line: &Value) -> bool {
    let Some(file) = &*FILE else { return false };
    let mut file = file.lock().expect("never poisoned");
    file.write_all(format!("{line}\n").as_bytes()).expect("the ledger is written");
    true
}

/// So many runs of one thing.
pub(crate) fn tried(section: &str, name: &str, runs: u64, later: u64) {
    keep(&json!({
        "section": section, "tried": name, "story": story(), "package": package(), "runs": runs, "later": later,
    }));
}

/// So many runs of one delivery, how many were alike only later, and the messages in them.
pub(crate) fn simulated(name: &str, runs: u64, later: u64, messages: u64) {
    keep(&json!({
        "section": "queues", "tried": name, "story": story(), "package": package(), "runs": runs, "later": later,
        "messages": messages,
    }));
}

/// Something that holds once it is waited for, with what was different at first.
pub(crate) fn later(section: &str, name: &str, what: &str, environment: &str) {
    keep(&line(section, "later", name, what, environment));
}

/// Something that does not hold, with the environment that shows it again.
pub(crate) fn found(section: &str, name: &str, what: &str, environment: &str) {
    let line = line(section, "what", name, what, environment);
    assert!(keep(&line), "{name}: {what}\n{}", line["again"]);
}

fn line(section: &str, kind: &str, name: &str, what: &str, environment: &str) -> Value {
    let story = story();
    let again = format!("{environment} cargo test -p {} --test stories {story} -- --exact", package());
    json!({"section": section, "name": name, kind: what, "story": story, "again": again})
}
