//! What runs while the platform runs, in two rooms: what lets new work in, and what works on what was let in. They are
//! closed in this order, so that a stop hands on what was accepted.

use crate::{
    functions::{Functions, Surroundings},
    handler::Handler,
    sources::{self, Pump, Stop},
    template::function::Source,
    trouble::Outcome,
};
use std::time::Duration;
use tokio::{sync::watch, task::JoinSet};

/// Tasks that end when they are told to.
pub(crate) struct Rooms {
    stop: watch::Sender<bool>,
    pub(crate) running: JoinSet<()>,
}

impl Rooms {
    pub(crate) fn open() -> Self {
        Self { stop: watch::channel(false).0, running: JoinSet::new() }
    }
    pub(crate) fn stopped(&self) -> Stop {
        self.stop.subscribe()
    }
    /// Whether all ended by themselves.
    pub(crate) async fn close(&mut self, patience: Duration) -> bool {
        let _ = self.stop.send(true);
        let rest = async { while self.running.join_next().await.is_some() {} };
        tokio::time::timeout(patience, rest).await.is_ok()
    }
}

/// Resolves when the stream is read to its end and no message is in hand.
pub(crate) async fn settled(around: &Surroundings) -> Outcome<()> {
    let read = around.template.functions.iter().flat_map(|f| &f.sources);
    let read: Vec<&String> = read
        .filter_map(|source| match source {
            Source::Queue { queue, .. } => Some(queue),
            _ => None,
        })
        .collect();
    loop {
        // Nothing was written between the two looks at the stream, so no message came from there after the look at
        // the queues.
        let end = around.queues.place(sources::READER)?;
        let at_its_end =
            async || Ok::<_, crate::trouble::Trouble>(around.table.records(end, 1).await?.is_empty());
        if at_its_end().await? {
            let mut in_hand = false;
            for queue in &read {
                in_hand |= around.queues.in_hand(queue)?;
            }
            if !in_hand && at_its_end().await? {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts what wakes the functions, as the template says.
pub(crate) fn wake(around: &Surroundings, functions: &Functions, doors: &mut Rooms, works: &mut Rooms) {
    let stopped = doors.stopped();
    doors.running.spawn(sources::sweep(around.table.clone(), stopped));
    for declared in &around.template.functions {
        let Some(handler) = functions.handlers.get(&declared.name) else { continue };
        for source in &declared.sources {
            let rooms = if matches!(source, Source::Schedule { .. }) { &mut *doors } else { &mut *works };
            wake_by(source, handler.clone(), around, rooms);
        }
    }
}

fn wake_by(source: &Source, function: Handler, around: &Surroundings, rooms: &mut Rooms) {
    let (stop, running) = (rooms.stopped(), &mut rooms.running);
    match source {
        Source::Queue { queue, batch } => {
            // Two at a time: deployed, a queue's function runs many times at once too.
            for _ in 0..2 {
                let queues = around.queues.clone();
                running.spawn(sources::drain(queues, queue.clone(), *batch, function.clone(), stop.clone()));
            }
        }
        Source::Stream { batch, patterns } => {
            let pump = Pump {
                table: around.table.clone(),
                queues: around.queues.clone(),
                function,
                batch: *batch,
                patterns: patterns.clone(),
                dead_letters: "DispatchDeadLetters".into(),
            };
            running.spawn(pump.run(stop));
        }
        Source::Schedule { schedule, input, .. } => {
            let clock = around.clock.clone();
            running.spawn(sources::beat(schedule.clone(), input.clone(), function, clock, stop));
        }
    }
}
