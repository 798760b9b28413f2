//! The words everybody uses: ids, errors, faults, life cycles, time. No IO, no AWS.

pub mod chance;
pub mod clock;
pub mod country;
pub mod error;
pub mod id;
pub mod identifier;
pub mod lifecycle;
pub mod money;
pub mod phone;
pub mod text;
mod words;

pub use clock::Clock;
pub use error::{Error, Fault, Kind, Refusal, Result};
pub use id::*;
pub use lifecycle::{Lifecycle, Step, always};
pub use ulid::Ulid;

#[doc(hidden)]
pub mod __macro {
    pub use {schemars, serde, serde_json};
}
