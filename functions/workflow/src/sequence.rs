//! Sequences: ordered sets of dependent tasks, as templates and as runs of them.

mod api;
mod graph;
mod run;
mod shipped;
mod start;
mod template;

pub use api::routes;
pub use run::{Run, of_disabled, progress, settled};
pub use start::{begins, requested, resume};
pub use template::{Kind, Step, Template};
