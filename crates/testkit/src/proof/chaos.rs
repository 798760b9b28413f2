//! The world stops. With `CHAOS=<seed>` in the environment every POST of every story, and every message that a
//! module consumes, is first begun and stopped dead before or after one of its calls to the table, as when a
//! process is killed; then it is done again as a client or a queue would, and the story goes on. Its own
//! expectations say whether anything was lost or done twice.
//!
//! One request at a time, so races are for the runs without chaos.

use crate::table::trips::{Stop, Trips};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
};
use web::App;

#[derive(Clone)]
pub(crate) struct Chaos {
    trips: Trips,
    /// What died with a process: its caches.
    app: App,
    dice: Arc<Mutex<StdRng>>,
    /// Whoever holds it is alone in this world.
    turn: Arc<tokio::sync::Mutex<()>>,
    ended: Arc<AtomicBool>,
}

/// Most requests make fewer calls than this; those that finish before their stop were simply done.
const CALLS: u64 = 4;

impl Chaos {
    /// If the environment asks for it.
    pub fn of(trips: &Trips, app: &App) -> Option<Self> {
        let seed: u64 = std::env::var("CHAOS").ok()?.parse().expect("CHAOS is a number");
        let dice = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        Some(Self {
            trips: trips.clone(),
            app: app.clone(),
            dice,
            turn: Arc::default(),
            ended: Arc::default(),
        })
    }

    /// From now on this world turns without stopping.
    pub fn end(&self) {
        self.ended.store(true, SeqCst);
    }

    pub fn ended(&self) -> bool {
        self.ended.load(SeqCst)
    }

    fn stop(&self) -> Stop {
        let mut dice = self.dice.lock().expect("never poisoned");
        Stop { call: dice.random_range(1..=CALLS), after: dice.random_bool(0.5) }
    }

    /// Nothing to wait for once chaos has ended.
    async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if self.ended() { None } else { Some(self.turn.lock().await) }
    }

    /// Waits for one's turn and does it once.
    pub async fn once<T>(&self, work: impl Future<Output = T>) -> T {
        let _turn = self.turn().await;
        work.await
    }

    /// Begins the work and stops the world somewhere in it; if that left anything undone (or nobody knows), the
    /// work is done again. `work` has to be what a client would send again, byte for byte.
    pub async fn twice<T, F: Future<Output = T>>(&self, mut work: impl FnMut() -> F) -> T {
        let Some(_turn) = self.turn().await else { return work().await };
        let stop = self.stop();
        self.trips.stop_at(Some(stop));
        let begun = {
            let mut work = pin!(work());
            std::future::poll_fn(|context| match work.as_mut().poll(context) {
                // The answer of a stopped process reaches nobody.
                _ if self.trips.stopped() => Poll::Ready(None),
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => Poll::Pending,
            })
            .await
        };
        self.trips.stop_at(None);
        match begun {
            Some(done) => done,
            None => {
                self.app.gates().forget_all();
                work().await
            }
        }
    }
}
