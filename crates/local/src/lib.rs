//! `cargo run`: the whole product on one machine, from the same `template.yaml` that is deployed.
//!
//! [`platform`] starts everything in order. [`functions`] is the one place that knows the modules; all else
//! reads the [`template`]. What is emulated and how: `docs/local.md`.

pub mod accounts;
pub mod arguments;
pub mod demo;
pub mod emulator;
pub mod files;
pub mod folder;
pub mod functions;
pub mod gateway;
pub mod handler;
pub mod hosted;
pub mod live;
pub mod log;
pub mod machines;
pub mod operator;
pub mod platform;
pub mod queue;
mod rooms;
pub mod signal;
pub mod signing;
pub mod sources;
pub mod table;
pub mod template;
pub mod trouble;
