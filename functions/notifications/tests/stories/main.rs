//! The module's stories, told by its actors against the real table engine (`spec/notifications.md` §10).

mod broadcasts;
mod browsers;
mod budgets;
mod caps;
mod escalation;
mod hours;
mod inbox;
mod once;
mod recipients;
mod rounds;
mod rules;
mod sending;
mod sockets;
mod stage;
mod templates;
