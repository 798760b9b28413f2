//! Commands of a task: from which states, by whom, and which have to be explained.

use super::{Status, Task};
use crate::assignee::Kind;
use store::Record;
use web::{Ctx, Noun, Reach};

/// Whose command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever belongs to the role or team it was given to.
    Member,
    /// The assignee, or who has taken it.
    Holder,
    HolderOrLead,
    /// Whoever it was given to, or a lead.
    Addressed,
    /// Whoever belongs to it and did not complete it; leads too.
    Reviewer,
    Lead,
    /// Its maker or a lead.
    Maker,
    /// Its maker, a lead, or the holder.
    Anybody,
}

pub struct Move {
    pub command: &'static str,
    pub from: &'static [Status],
    pub who: Who,
    pub reason: bool,
}

const fn step(command: &'static str, from: &'static [Status], who: Who) -> Move {
    Move { command, from, who, reason: false }
}
const fn explained(command: &'static str, from: &'static [Status], who: Who) -> Move {
    Move { command, from, who, reason: true }
}

use Status::{Blocked, Done, InProgress, InReview, Open, Proposed, Waiting};

pub const MOVES: &[Move] = &[
    step("accept", &[Proposed], Who::Addressed),
    explained("dismiss", &[Proposed], Who::Addressed),
    step("claim", &[Open], Who::Member),
    step("start", &[Open], Who::Holder),
    step("release", &[InProgress], Who::HolderOrLead),
    step("check", &[Open, InProgress], Who::Holder),
    step("uncheck", &[Open, InProgress], Who::Holder),
    step("complete", &[Open, InProgress], Who::Holder),
    step("confirm", &[InReview], Who::Reviewer),
    explained("return", &[InReview], Who::Reviewer),
    step("reassign", &[Open, InProgress, Waiting], Who::Anybody),
    explained("block", &[Open, Waiting, InProgress], Who::HolderOrLead),
    step("unblock", &[Blocked], Who::HolderOrLead),
    step("snooze", &[Open, InProgress], Who::Holder),
    explained("cancel", &[Proposed, Waiting, Open, InProgress, Blocked, InReview], Who::Maker),
    explained("reopen", &[Done], Who::Lead),
];

pub fn step_of(command: &str) -> &'static Move {
    MOVES.iter().find(|m| m.command == command).expect("a command of the table")
}

/// Whether the caller leads here: their right to change tasks covers this one by more than being named in it.
pub fn leads(record: &Record<Task>, ctx: &Ctx) -> bool {
    let reach = ctx.may("task.edit");
    let task = &record.body;
    match reach {
        Reach::All => true,
        Reach::Site => task.site.is_none_or(|s| ctx.actor().sites.has(&s)),
        Reach::Team => super::kept_by(&ctx.actor().roles, task.category),
        _ => false,
    }
}

/// Whether it may be this caller's command; members of teams are asked for later.
pub fn may(who: Who, record: &Record<Task>, ctx: &Ctx) -> bool {
    let (task, actor) = (&record.body, ctx.actor());
    let holds = task.is_held_by(&actor.user);
    let made = task.created_by == actor.user;
    let member = task.assignee.takes_in(actor);
    let system = actor.user.starts_with("system:");
    system
        || match who {
            Who::Member => member && task.assignee.kind != Kind::User,
            Who::Holder => holds,
            Who::HolderOrLead => holds || leads(record, ctx),
            Who::Addressed => holds || member || leads(record, ctx),
            Who::Reviewer => holds || member || made || leads(record, ctx),
            Who::Lead => leads(record, ctx),
            Who::Maker => made || leads(record, ctx),
            Who::Anybody => made || holds || leads(record, ctx),
        }
}

pub fn actions(record: &Record<Task>, ctx: &Ctx) -> Vec<&'static str> {
    let task = &record.body;
    let teams = |who| who == Who::Member && task.assignee.kind == Kind::Team && task.claimed_by.is_none();
    let own_review =
        |m: &Move| matches!(m.command, "confirm") && task.completed_by.as_ref() == Some(&ctx.actor().user);
    let free =
        |m: &Move| m.command != "claim" || (task.assignee.kind != Kind::User && task.claimed_by.is_none());
    let possible = |m: &&Move| {
        m.from.contains(&task.status)
            && (may(m.who, record, ctx) || teams(m.who))
            && free(m)
            && !own_review(m)
    };
    let seen = Task::within(record, ctx.may("task.view"), ctx.actor()) || teams(Who::Member);
    if seen { MOVES.iter().filter(possible).map(|m| m.command).collect() } else { vec![] }
}
