//! What proves that the product holds: faults at every call of a write, deliveries in simulation, worlds that stop, and
//! what is compared and looked through afterwards.

pub(crate) mod chaos;
pub(crate) mod ledger;
pub(crate) mod likeness;
pub(crate) mod proving;
pub(crate) mod rest;
pub(crate) mod simulation;
pub(crate) mod state;
pub(crate) mod whole;

pub use proving::{Back, Keeps, WAITS};
