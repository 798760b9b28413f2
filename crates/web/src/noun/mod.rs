//! What every noun can do, from its declaration: create, show, list, amend, remove, restore, history, and one
//! route per step of its life cycle.

mod handlers;
mod listing;
mod merged;
mod routes;
mod shown;

pub use handlers::{
    Hooks, Written, amend, between, change, command, commit_of, create, diff, diff_of, history, list, remove,
    replace, restore, show, version, version_of,
};
pub use listing::{list_shape, wanted};
pub use merged::{merged, spread};
pub use routes::{Because, Paged, Paths, crud, reading, steps, versions};
pub use shown::{Between, Difference, Differences, History, Pages, Seen, Shown, Stood, View};

use crate::{Actor, Ctx, Reach};
use kernel::{Fault, Lifecycle, Step};
use store::{Entity, Record};

/// A noun of the API.
pub trait Noun: Entity {
    /// Whether a caller whose permission reaches this far may know of this record.
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let _ = (record, actor);
        reach == Reach::All
    }
    /// Whether something beside the record brings it within reach: a care list, a link to the person. Asked only
    /// where `within` says no.
    fn proven(ctx: &Ctx, record: &Record<Self>) -> impl Future<Output = kernel::Result<bool>> + Send {
        let _ = (ctx, record);
        async { Ok(false) }
    }
    /// The record that a broken glass opens: the patient's, for what is about a patient.
    fn subject(record: &Record<Self>) -> String {
        record.id.to_string()
    }
    /// Days after its deletion on which it can be brought back.
    const RESTORABLE_DAYS: i64 = 90;
    /// Whether clinical staff may break the glass.
    const BREAK_GLASS: bool = false;
    /// Rules across fields; what one field may hold is in its schema.
    fn check(&self) -> Vec<Fault> {
        vec![]
    }
    /// The commands this caller may give in this state.
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let _ = (record, ctx);
        vec![]
    }
}

/// Commands of a noun with a life cycle, for [`Noun::actions`].
pub fn possible<E: Noun + Lifecycle>(record: &Record<E>, ctx: &Ctx) -> Vec<&'static str> {
    let possible =
        |s: &&Step<E>| s.from.contains(&record.body.state()) && ctx.may(s.permission) > Reach::None;
    E::STEPS.iter().filter(possible).map(|s| s.command).collect()
}
