//! Scheduling and queue (SCH-1 to SCH-3): who works when, what can be booked, who waits and who is next.
//!
//! Self-booking, requests that wait for approval, the waiting list with its offers and the calendar feed are
//! SCH-4; the device feed of counter displays (`dbd`) comes with them. Their routes are not mounted yet.

mod appointment;
mod availability;
mod block;
mod due;
mod follow_up;
mod host;
mod kinds;
mod of_patient;
mod place;
mod practitioner;
mod queue;
mod reactions;
mod slot;
mod visit;

use web::Module;

/// The module: its routes, what it does on events, and what the clock brings it.
pub fn module() -> Module {
    let rooms = [
        practitioner::routes(),
        availability::routes(),
        block::routes(),
        slot::routes(),
        appointment::routes(),
        visit::routes(),
        queue::routes(),
        follow_up::routes(),
    ];
    let tasks = [appointment::tasks(), follow_up::tasks(), queue::tasks(), reactions::tasks()];
    Module::new("scheduling", rooms.into_iter().flatten().collect())
        .reacts(reactions::all())
        .does(tasks.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use store::reserved_fields;

    #[test]
    fn no_noun_has_a_field_of_the_tables_own() {
        let all = [
            reserved_fields::<crate::practitioner::Practitioner>(),
            reserved_fields::<crate::availability::Availability>(),
            reserved_fields::<crate::block::Block>(),
            reserved_fields::<crate::appointment::Appointment>(),
            reserved_fields::<crate::visit::Visit>(),
            reserved_fields::<crate::queue::Queue>(),
            reserved_fields::<crate::follow_up::FollowUp>(),
        ];
        assert!(all.iter().all(Vec::is_empty), "{all:?}");
    }
}
