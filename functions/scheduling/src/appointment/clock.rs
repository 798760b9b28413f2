//! What the clock brings: reminders, the look whether anybody came, and the end of holds. Each looks at the
//! record again; what is not due any more is left alone, so a second ring changes nothing.

use super::{Appointment, NO_SHOW_AFTER, Status};
use crate::due::MODULE;
use events::SchedulingEvent;
use store::{Commit, Record};
use web::{Ctx, Task};

pub fn tasks() -> Vec<Task> {
    vec![
        Task::due("due.apt.reminder", MODULE, remind),
        Task::due("due.apt.no_show", MODULE, no_show),
        Task::due("due.apt.hold", MODULE, expire),
    ]
}

fn remind(ctx: &Ctx, old: &Record<Appointment>) -> Option<Commit> {
    let due = old.body.reminders.first().is_some_and(|at| *at <= ctx.now());
    if !due || !old.body.is_upcoming() {
        return None;
    }
    let mut new = old.next(ctx.now());
    // Several at once after a pause of the organisation are one reminder.
    new.body.reminders.retain(|at| *at > ctx.now());
    let commit = ctx.commit().update("remind", old, &new);
    // Nobody is reminded of what is over.
    let late = new.body.start <= ctx.now();
    Some(if late { commit } else { commit.emit(SchedulingEvent::ReminderDue(new.body.slot(new.id))) })
}

fn no_show(ctx: &Ctx, old: &Record<Appointment>) -> Option<Commit> {
    if !old.body.is_upcoming() || old.body.end() + NO_SHOW_AFTER > ctx.now() {
        return None;
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::NoShow;
    let event = SchedulingEvent::NoShow(new.body.slot(new.id));
    Some(ctx.commit().update("no_show", old, &new).emit(event))
}

fn expire(ctx: &Ctx, old: &Record<Appointment>) -> Option<Commit> {
    if old.body.status != Status::Held || old.body.held_until.is_some_and(|until| until > ctx.now()) {
        return None;
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Expired;
    // Its claims and its place have ended by themselves, and may be somebody else's already.
    Some(ctx.commit().update("expire", old, &new))
}
