//! The whole product, for tests that walk all of it: every module with ports that go nowhere.

mod doors;
mod logins;
pub mod walk;

pub use doors::Doors;
pub use logins::Memory;

use integrations::{Https, Permit};
use std::sync::Arc;
use web::Module;

/// Every module with routes, as the local platform and the deployment mount them.
pub fn modules() -> Vec<Module> {
    vec![
        tenants::module(),
        identity::module(Arc::new(Memory::default())),
        patients::module(),
        scheduling::module(),
        audit::module(),
        documents::module(),
        notifications::module(notifications::Channels::nowhere()),
        integrations::module(Arc::new(Doors::default()), Arc::new(Https::new(Permit::Public))),
        workflow::module(),
        eap::module(),
    ]
}
