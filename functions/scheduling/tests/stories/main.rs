//! The module's stories, told by its actors against the real table engine (`spec/scheduling.md` §9).

mod blocks;
mod booking;
mod budgets;
mod check_in;
mod follow_ups;
mod input;
mod profiles;
mod queue;
mod races;
mod rights;
mod rounds;
mod stage;
mod triage;
