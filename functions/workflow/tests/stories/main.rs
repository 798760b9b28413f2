//! The module's stories, told by its actors against the real table engine (`spec/workflow.md` §10).

mod approvals;
mod budgets;
mod races;
mod rounds;
mod rule_guards;
mod rules;
mod sequences;
mod stage;
mod tasks;
