//! A due row is rung, whatever comes between: seeded, with an index that lags and clocks that overlap.
//!
//! Time is made of ticks of ten seconds. Each tick the table's true view is kept, and every read of the index shows
//! one that is up to a minute old. Records with due rows are written, announced later (as the stream does) and
//! moved once they were rung. Two clocks are woken each minute; between any two of their steps ticks may pass.

use crate::raises;
use jiff::{SignedDuration, Timestamp};
use kernel::FollowUpId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use store::{Caller, Due, DueTenant, Entity, List, Record, Scope, Store};
use testkit::{Chance, Tenant, World};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Reminder {
    at: Timestamp,
}

impl Entity for Reminder {
    type Id = FollowUpId;
    const NOUN: &'static str = "reminder";
    const LISTS: &'static [List<Self>] = &[];
    fn due(r: &Record<Self>) -> Vec<Due> {
        vec![Due { at: r.body.at, what: "reminder" }]
    }
}

/// What the index shows at a tick.
#[derive(Clone, Default)]
struct View {
    tenants: Vec<DueTenant>,
    rows: BTreeMap<String, String>,
}

#[derive(Clone, Copy)]
enum Lean {
    Old,
    New,
}

/// A clock between its steps.
enum Step {
    Idle,
    Reads { tenant: DueTenant, now: Timestamp },
    Raises { tenant: DueTenant, next: Option<String> },
}

struct Sim {
    world: World,
    grace: Tenant,
    store: Store,
    platform: Store,
    chance: Chance,
    views: VecDeque<View>,
    live: BTreeMap<String, Record<Reminder>>,
    /// When each record's change reaches dispatch, and the due time it names.
    announcements: Vec<(u64, String)>,
    rung: Vec<String>,
    tick: u64,
}

const TICK: SignedDuration = SignedDuration::from_secs(10);
/// Ticks that the index may lag: a minute, half of what the store allows for.
const LAG: usize = 6;

impl Sim {
    async fn new(seed: u64) -> Self {
        let world = World::with(vec![]).await;
        let grace = world.hospital("grace").await;
        let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
        let (store, chance) = (grace.store().await, Chance::seeded(seed));
        let (views, live) = (VecDeque::from([View::default()]), BTreeMap::new());
        Self {
            world,
            grace,
            store,
            platform,
            chance,
            views,
            live,
            announcements: vec![],
            rung: vec![],
            tick: 0,
        }
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Time passes; what is announced by now reaches the platform.
    async fn tick(&mut self) {
        self.world.clock.advance(TICK);
        self.tick += 1;
        let (come, later) =
            std::mem::take(&mut self.announcements).into_iter().partition(|(at, _)| *at <= self.tick);
        self.announcements = later;
        let come: Vec<(u64, String)> = come;
        for (_, at) in come {
            self.platform.lower_next_due(self.grace.scope(), &at).await.unwrap();
        }
        let far = self.now() + SignedDuration::from_hours(1000);
        let tenants = self.platform.tenants_due(far, None).await.unwrap().data;
        let rows = self.store.due(far, None).await.unwrap().data;
        let rows = rows.into_iter().map(|row| (row.id, row.at)).collect();
        self.views.push_back(View { tenants, rows });
        if self.views.len() > LAG {
            self.views.pop_front();
        }
    }

    /// The index as some read finds it: `leaning` to the oldest view that is allowed, or to the newest.
    fn stale(&mut self, leaning: Lean) -> View {
        let last = self.views.len() - 1;
        let back = match (self.chance.below(4), leaning) {
            (0, _) => self.chance.below(self.views.len() as u64) as usize,
            (_, Lean::Old) => 0,
            (_, Lean::New) => last,
        };
        self.views[back].clone()
    }

    async fn write(&mut self, due_in: u64) {
        let at = self.now() + SignedDuration::from_secs(due_in as i64);
        let record = Record::new(self.now(), Reminder { at });
        self.store.commit().create(&record).run().await.unwrap();
        let most = [2, 8][self.chance.below(2) as usize];
        let delay = self.chance.below(most);
        self.announcements.push((self.tick + delay, store::stamp(at)));
        let kept = self.store.fresh(record.id).await.unwrap();
        self.live.insert(record.id.to_string(), kept);
    }

    /// The module moves what it hears of: here, it is done with it.
    async fn ring(&mut self, id: &str) {
        self.rung.push(id.into());
        let Some(old) = self.live.remove(id) else { return };
        let mut gone = old.next(self.now());
        gone.deleted_at = Some(self.now());
        self.store.commit().update("delete", &old, &gone).run().await.unwrap();
    }

    /// One step of a clock, as `Clock::tenant` takes them.
    async fn step(&mut self, step: Step) -> Step {
        match step {
            Step::Idle => {
                let now = self.now();
                let due = |t: &DueTenant| t.since.as_str() <= store::stamp(now).as_str();
                match self.stale(Lean::New).tenants.into_iter().find(due) {
                    Some(tenant) => Step::Reads { tenant, now },
                    None => Step::Idle,
                }
            }
            Step::Reads { tenant, now } => {
                let view = self.stale(Lean::New);
                let until = store::stamp(now);
                let due: Vec<String> =
                    view.rows.iter().filter(|(_, at)| **at <= until).map(|(id, _)| id.clone()).collect();
                for id in &due {
                    // Now and then the module has not come to it yet.
                    if self.chance.below(4) > 0 {
                        self.ring(id).await;
                    }
                }
                if !raises(due.len(), &tenant, now) {
                    return Step::Idle;
                }
                Step::Raises { tenant, next: self.stale(Lean::Old).rows.into_values().min() }
            }
            Step::Raises { tenant, next } => {
                self.platform.raise_next_due(&tenant, next.as_deref()).await.unwrap();
                Step::Idle
            }
        }
    }
}

/// One row falls due; around the time that it is rung another is written. Nothing else comes to the tenant's help.
async fn round(sim: &mut Sim, clocks: &mut [Step; 2], what: &str) {
    let (due, gap) = (30 + sim.chance.below(30), 3 + sim.chance.below(14));
    sim.write(due).await;
    for tick in 0..61 {
        sim.tick().await;
        if tick == gap {
            let due = 10 + sim.chance.below(120);
            sim.write(due).await;
        }
        for (n, clock) in clocks.iter_mut().enumerate() {
            let at_rest = matches!(clock, Step::Idle);
            // Woken each minute, the second clock now and then; a step taken may be followed by the next at once or
            // ticks later.
            let woken = if n == 0 { sim.tick.is_multiple_of(6) } else { sim.chance.below(30) == 0 };
            let go = if at_rest { woken } else { sim.chance.below(3) > 0 };
            if go {
                *clock = sim.step(std::mem::replace(clock, Step::Idle)).await;
            }
        }
    }
    assert!(sim.live.is_empty(), "{what}: never rung: {:?}", sim.live.keys());
    let left = sim.platform.tenants_due(sim.now(), None).await.unwrap().data;
    assert!(left.is_empty(), "{what}: a tenant without rows is read for ever");
}

async fn run(seed: u64) {
    let (mut sim, mut clocks) = (Sim::new(seed).await, [Step::Idle, Step::Idle]);
    for n in 0..10 {
        round(&mut sim, &mut clocks, &format!("seed {seed}, round {n}")).await;
    }
    assert!(sim.rung.len() >= 20, "seed {seed}");
}

#[tokio::test]
async fn no_order_of_writing_announcing_and_beating_leaves_a_row_unrung() {
    for seed in 0..8 {
        run(seed).await;
    }
}
