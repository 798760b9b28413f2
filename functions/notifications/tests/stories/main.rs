//! The module's stories, told by its actors against the real table engine (`spec/notifications.md` §10).

mod caps;
mod inbox;
mod once;
mod recipients;
mod rules;
mod sending;
mod stage;
