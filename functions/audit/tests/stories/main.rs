//! The module's stories, told by its actors against the real table engine (`spec/audit.md` §10).

mod access;
mod budgets;
mod digests;
mod exports;
mod input;
mod rounds;
mod search;
mod stage;
mod tampering;
