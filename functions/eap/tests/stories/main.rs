//! The module's stories, told by its actors against the real table engine (`spec/eap.md`, Stories).

mod bills;
mod clients;
mod contracts;
mod industries;
mod providers;
mod stage;
