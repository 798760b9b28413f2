//! Work that must be done: tasks, rules that make work by themselves, commands that need two people, ordered sets of
//! tasks for joining, leaving and vetting.
//!
//! Approvals are made and decided where their commands live (`web::approval`); here they are listed, withdrawn, watched
//! by the clock, and their policies kept. Fields that rules set are set by the modules that own them (`web::settable`).
//!
//! Not here yet: one step per asset still held (it waits for the events of assets), rules switched off for an import
//! (imports do not exist), approvers of the requester's own team (no fact says who shares a team), device signatures on
//! decisions. A dry run over a stretch of time answers pages of 2,000 changes instead of a job.

pub mod approvals;
pub mod assignee;
pub mod due;
pub mod firing;
pub mod policy;
mod reactions;
pub mod rule;
pub mod sequence;
pub mod task;

use web::Module;

/// Whose a task is when nobody else is there to do it.
pub(crate) const LAST_RESORT: &str = "tenant_admin";

/// The module: its routes and what it does on messages.
pub fn module() -> Module {
    let routes = [task::routes(), rule::routes(), policy::routes(), approvals::routes(), sequence::routes()];
    let tasks = [task::tasks(), approvals::tasks()];
    Module::new("workflow", routes.concat()).reacts(reactions::all()).does(tasks.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::reserved_fields;

    #[test]
    fn no_field_of_a_noun_collides_with_the_tables_own() {
        let all = [
            reserved_fields::<task::Task>(),
            reserved_fields::<rule::Rule>(),
            reserved_fields::<firing::Firing>(),
            reserved_fields::<firing::RuleAction>(),
            reserved_fields::<policy::ApprovalPolicy>(),
            reserved_fields::<sequence::Template>(),
            reserved_fields::<sequence::Run>(),
            reserved_fields::<web::approval::Approval>(),
            reserved_fields::<web::RuleAnswer>(),
        ];
        assert_eq!(all.concat(), [] as [String; 0]);
    }
}
