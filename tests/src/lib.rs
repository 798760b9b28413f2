//! The whole product, for tests that walk all of it: every module with ports that go nowhere.

pub mod documented;
mod doors;
pub mod emitted;
pub mod house;
mod logins;
pub mod parsers;
pub mod platform;
pub mod policy;
pub mod probe;
mod senders;
pub mod walk;
pub mod words;

pub use doors::Doors;
pub use logins::Memory;
pub use senders::{Senders, Sent};

use integrations::{Https, Permit};
use std::sync::Arc;
use web::Module;

/// Every module with routes, as the local platform and the deployment mount them.
pub fn modules() -> Vec<Module> {
    with_ways_out(notifications::Channels::nowhere(), Arc::new(Https::new(Permit::Public)))
}

/// The same, with other ways out: of messages, and of webhooks.
pub fn with_ways_out(channels: notifications::Channels, wire: integrations::Wire) -> Vec<Module> {
    vec![
        tenants::module(),
        identity::module(Arc::new(Memory::default())),
        patients::module(),
        scheduling::module(),
        audit::module(),
        documents::module(),
        notifications::module(channels),
        integrations::module(Arc::new(Doors::default()), wire),
        workflow::module(),
        eap::module(),
    ]
}
