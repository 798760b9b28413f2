//! The module's stories, told by its actors against the real table engine (`spec/integrations.md`).

mod budgets;
mod doubles;
mod interrupted;
mod keys;
mod limits;
mod rounds;
mod stage;
mod warehouse;
mod webhook_failures;
mod webhooks;
mod wire;
