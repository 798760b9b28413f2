//! Tests as stories told by actors, against the real table engine.
//!
//! ```ignore
//! let world = World::with(vec![patients::module()]).await;
//! let grace = world.hospital("grace").await;
//! let desk = grace.staff("receptionist");
//! desk.post("/v1/patients", json!({...})).await.created();
//! ```

mod actor;
mod chance;
mod doubles;
pub mod meter;
mod proof;
mod reply;
mod round;
mod table;
mod tenant;
mod world;

pub use actor::{Actor, Call};
pub use chance::Chance;
pub use doubles::{Cabinet, Judge, Letterbox, Queues, Session, queues};
pub use proof::{Back, Keeps, WAITS};
pub use reply::Reply;
pub use round::Round;
pub use table::contention;
pub use tenant::{SHARDS, Tenant};
pub use world::World;

/// Text as the table holds it, for asking it directly.
pub fn text(value: &str) -> store::sdk::types::AttributeValue {
    store::sdk::types::AttributeValue::S(value.into())
}
/// Slugs of the built-in roles.
pub fn roles() -> impl Iterator<Item = &'static str> {
    authz::ROLES.iter().map(|role| role.slug)
}
/// A row of the matrix.
pub use authz::rule;
