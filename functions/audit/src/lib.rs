//! Audit and history: the trail of changes and of access, searched, exported, anchored and proved.
//!
//! Changes are written by the commits of their records (`crates/store`), access entries are sent by whoever reads
//! (`crates/web`); what lies here keeps the entries, writes anchors under lock, seals each day and judges what lies
//! there against them.
//!
//! A snapshot stays in its change record: one that would not fit is refused with the record itself (350 KB).
//!
//! Waits for its own issue: redaction by erasure and the disposal of whole days (privacy); what the verifier says of
//! redacted changes is in place.

mod access;
mod anchor;
mod cursor;
mod day;
mod digest;
mod doors;
mod export;
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
        export::api::routes(),
        access::surge::routes(),
    ];
    let own = vec![anchor::task(), access::task(), digest::task(), verification::task()];
    let tasks = [own, export::tasks()].concat();
    let reactions = [verification::reactions(), export::reactions()].concat();
    Module::new("audit", routes.into_iter().flatten().collect()).reacts(reactions).does(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::reserved_fields;

    #[test]
    fn no_field_of_a_noun_collides_with_the_tables_own() {
        let all = [
            reserved_fields::<digest::Digest>(),
            reserved_fields::<verification::Verification>(),
            reserved_fields::<export::Export>(),
            reserved_fields::<access::surge::Surge>(),
        ];
        assert_eq!(all.concat(), [] as [String; 0]);
    }
}
