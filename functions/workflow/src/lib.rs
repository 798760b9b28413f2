//! Work that must be done: tasks, rules that make work by themselves, commands that need two people, ordered sets of
//! tasks for joining, leaving and vetting.

pub mod approvals;
pub mod assignee;
pub mod due;
pub mod firing;
pub mod policy;
mod reactions;
pub mod rule;
pub mod task;

use web::Module;

/// Whose a task is when nobody else is there to do it.
pub(crate) const LAST_RESORT: &str = "tenant_admin";

/// The module: its routes and what it does on messages.
pub fn module() -> Module {
    let routes = [task::routes(), rule::routes(), policy::routes(), approvals::routes()];
    let tasks = [task::tasks(), approvals::tasks()];
    Module::new("workflow", routes.concat()).reacts(reactions::all()).does(tasks.concat())
}
