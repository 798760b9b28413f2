//! `cargo xtask`: what keeps code, documents and templates one thing, and what measures the result.

pub mod bench;
pub mod budgets;
pub mod harvest;
pub mod modules;
pub mod openapi;
pub mod operator;
pub mod package;
pub mod prove;
pub mod rehearse;
pub mod template;
pub mod tenant;
pub mod verify;
pub mod webhooks;
pub mod workspace;
