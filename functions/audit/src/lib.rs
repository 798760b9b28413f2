//! Audit and history: the trail of changes and of access, searched, exported, anchored and proved.
//!
//! Changes are written by the commits of their records (`crates/store`), access entries are sent by whoever reads
//! (`crates/web`); what lies here keeps the entries, writes anchors under lock, seals each day and judges what lies
//! there against them.
//!
//! Waits for its own issue: redaction by erasure and the disposal of whole days (privacy); what the verifier says of
//! redacted changes is in place.

mod access;
mod anchor;
mod cursor;
mod day;
mod digest;
mod doors;
mod kinds;
mod search;
mod verification;

use web::Module;

/// The module: its routes and what it does on messages.
pub fn module() -> Module {
    let routes = [
        search::changes::routes(),
        search::accesses::routes(),
        digest::api::routes(),
        verification::api::routes(),
        access::surge::routes(),
    ];
    let tasks = vec![anchor::task(), access::task(), digest::task(), verification::task()];
    Module::new("audit", routes.into_iter().flatten().collect()).reacts(verification::reactions()).does(tasks)
}
