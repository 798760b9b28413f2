//! `cargo xtask`: what keeps code, documents and templates one thing, and what measures the result.

pub mod bench;
pub mod modules;
pub mod openapi;
pub mod package;
pub mod template;
pub mod webhooks;
pub mod workspace;
