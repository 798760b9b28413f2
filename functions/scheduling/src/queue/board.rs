//! What a counter shows: tokens and rooms, never a name. The feed for displays with a device key comes with
//! the displays (`dbd`).

use super::{Queue, Status, page::Page};
use crate::visit::Visit;
use kernel::QueueId;
use schemars::JsonSchema;
use serde::Serialize;
use store::Record;

#[derive(Serialize, JsonSchema)]
pub struct Board {
    queue: QueueId,
    paused: bool,
    closed: bool,
    room: Option<String>,
    /// Called or with the practitioner, the last one first.
    serving: Vec<Served>,
    next: Vec<String>,
    waiting: usize,
}

#[derive(Serialize, JsonSchema)]
struct Served {
    token: String,
    room: Option<String>,
}

/// Tokens that are announced ahead.
const NEXT: usize = 3;

impl Board {
    pub fn of(queue: &Record<Queue>, page: &Page) -> Self {
        let room = |v: &Visit| v.called_to.clone().or(queue.body.room.clone());
        let served = |v: &Record<Visit>| Served { token: v.body.label.clone(), room: room(&v.body) };
        let mut serving: Vec<&Record<Visit>> = page.called.iter().chain(&page.inside).collect();
        serving.sort_by_key(|v| std::cmp::Reverse(v.body.called_at));
        Self {
            queue: queue.id,
            paused: queue.body.status == Status::Paused,
            closed: queue.body.status == Status::Closed,
            room: queue.body.room.clone(),
            serving: serving.into_iter().map(served).collect(),
            next: page.waiting.iter().take(NEXT).map(|v| v.body.label.clone()).collect(),
            waiting: page.waiting.len(),
        }
    }
}
