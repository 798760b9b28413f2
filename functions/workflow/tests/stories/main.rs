//! The module's stories, told by its actors against the real table engine (`spec/workflow.md` §10).

mod approvals;
mod races;
mod stage;
mod tasks;
