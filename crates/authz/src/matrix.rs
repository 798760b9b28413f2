//! The permission tables, one file per module, written as the modules' specifications print them.
//! What a cell of a specification left open is decided beside the row and says so.

mod identity;
mod patients;
mod scheduling;
mod tenants;

use crate::rule::Rule;

pub(crate) fn all() -> Vec<Rule> {
    let tenants = tenants::TABLE.rules().chain(tenants::PUBLIC.rules());
    let identity = identity::TABLE.rules().chain(identity::SELF.rules()).chain(identity::PUBLIC.rules());
    tenants.chain(identity).chain(patients::TABLE.rules()).chain(scheduling::TABLE.rules()).collect()
}
