//! Documents (DOC-1 to DOC-8): every file of the product. Stored, checked, versioned, linked, verified, expired, signed,
//! shared, kept and disposed of. Other modules hold ids only and never reach the storage.
//!
//! Not there: signers by telephone (there is no port for SMS); a scanner beyond the product's rules; reads that follow a
//! merged patient's aliases; erasure, which comes with privacy; shares and signatures of clinicians beyond what they
//! uploaded themselves.

pub mod category;
pub mod disposal;
pub mod document;
pub mod hold;
mod lock;
mod place;
mod print;
mod reactions;
mod retention;
mod retire;
pub mod rights;
mod share;
mod shipped;
pub mod signature;
pub mod sniff;
mod storage;
pub mod template;
mod token;

use web::Module;

/// The module: its routes and what it does on messages.
pub fn module() -> Module {
    let rooms = [
        document::routes(),
        category::routes(),
        retention::routes(),
        share::routes(),
        share::doors(),
        hold::routes(),
        disposal::routes(),
        template::routes(),
        template::doors(),
        signature::routes(),
        signature::doors(),
        web::job::routes(),
    ];
    let tasks = [
        document::receive::tasks(),
        document::expiry::tasks(),
        share::tasks(),
        hold::tasks(),
        disposal::tasks(),
        signature::tasks(),
    ];
    Module::new("documents", rooms.into_iter().flatten().collect())
        .reacts(reactions::all())
        .does(tasks.into_iter().flatten().collect())
        .works(template::LONG, template::work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::reserved_fields;

    #[test]
    fn no_field_of_a_noun_collides_with_the_tables_own() {
        let all = [
            reserved_fields::<document::Document>(),
            reserved_fields::<category::Category>(),
            reserved_fields::<retention::Retention>(),
            reserved_fields::<share::Share>(),
            reserved_fields::<hold::Hold>(),
            reserved_fields::<disposal::Disposal>(),
            reserved_fields::<template::Template>(),
            reserved_fields::<signature::Signature>(),
        ];
        assert_eq!(all.concat(), [] as [String; 0]);
    }
}
