//! The permission tables, one file per module, written as the modules' specifications print them.
//! What a cell of a specification left open is decided beside the row and says so.

mod audit;
mod documents;
mod eap;
mod identity;
mod integrations;
mod notifications;
mod patients;
mod scheduling;
mod tenants;
mod workflow;

use crate::rule::Rule;

pub(crate) fn all() -> Vec<Rule> {
    let tenants = tenants::TABLE.rules().chain(tenants::PUBLIC.rules());
    let identity = identity::TABLE.rules().chain(identity::SELF.rules()).chain(identity::PUBLIC.rules());
    let first = tenants.chain(identity).chain(patients::TABLE.rules()).chain(scheduling::TABLE.rules());
    let audit = first.chain(audit::TABLE.rules()).chain(documents::TABLE.rules());
    let told = audit.chain(notifications::TABLE.rules()).chain(integrations::TABLE.rules());
    told.chain(workflow::TABLE.rules()).chain(eap::TABLE.rules()).collect()
}
