//! The module's stories, told by its actors against the real table engine (`spec/integrations.md`).

mod budgets;
mod doubles;
mod interrupted;
mod keys;
mod limits;
mod stage;
mod warehouse;
mod webhook_failures;
mod webhooks;
mod wire;
