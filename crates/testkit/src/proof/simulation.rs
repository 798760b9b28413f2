//! Whatever a story hands to the modules' queues is handed over again as queues do: twice, in any order, in batches of
//! any size, with poison between, to workers that die. `SIMULATION=<runs>` runs every delivery so often, each by a seed
//! of its own; `SIMULATION=1:<seed>` is one of them.
//!
//! What the story's own delivery made of the table (each message once, in order) is what has to come of every other
//! one. Time is the story's clock, and the table the real engine's.

use crate::{
    Chance, Queues, World, chance,
    doubles::queues::{self, Received},
    proof::{
        ledger, likeness,
        proving::{AtRest, Moment, Proving},
        state::{self, State},
        whole,
    },
    table::layer::{Fault, Kind},
};
use events::Envelope;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ops::Range,
    sync::LazyLock,
};

/// Seeds, said once per process.
static SEEDS: LazyLock<Option<Range<u64>>> = LazyLock::new(|| {
    let said = env::var("SIMULATION").ok()?;
    let (runs, first) = said.split_once(':').unwrap_or((&said, "1"));
    let number = |text: &str| text.parse::<u64>().expect("SIMULATION is <runs> or <runs>:<first seed>");
    Some(number(first)..number(first) + number(runs))
});

pub(crate) fn is_on() -> bool {
    SEEDS.is_some()
}

/// Of a hundred messages, so many come twice.
const DOUBLED: u64 = 30;
/// Of a hundred batches, so many end with their worker.
const DYING: u64 = 15;
/// Of a hundred runs, so many have poison in a queue.
const POISONED: u64 = 50;
/// A run that takes more batches than this never ends.
const MOST: usize = 2_000;

/// A delivery as the story made it.
pub(crate) struct Delivery<'a> {
    pub world: &'a World,
    pub proving: &'a Proving,
    /// Which of the story's writes and deliveries it is.
    pub begun: usize,
    /// Messages that are no events.
    pub bodies: Vec<Value>,
    /// Events that are written meanwhile are delivered too.
    pub follow: bool,
    /// Names of events that were delivered before.
    pub delivered: BTreeSet<String>,
    pub before: Moment,
    pub after: Moment,
}

impl Delivery<'_> {
    /// Every seed's run; then the table is where the story's own delivery has left it.
    pub async fn simulate(self) {
        let Some(seeds) = SEEDS.clone() else { return };
        if self.after.table.changed(&self.before.table).is_empty() && self.bodies.is_empty() {
            return;
        }
        let wanted = likeness::of_change(&self.before.table, &self.after.table);
        let at_rest = AtRest::of(self.proving, &self.before.table, &self.after);
        let (mut messages, mut later) = (0, 0);
        for seed in seeds.clone() {
            self.proving.back_to(&self.before);
            chance::ids_of(&format!("{} seed {seed}", self.begun));
            let mut run = Run::new(&self, seed);
            run.settle().await;
            messages += run.messages;
            let found = run.judge(&wanted);
            if found.is_empty() {
                continue;
            }
            let different = match run.gave_up().is_empty() {
                true => at_rest.difference().await,
                false => Some(String::new()),
            };
            later += u64::from(different.is_none());
            let (name, environment) = (self.names(), format!("SIMULATION=1:{seed}"));
            for what in found.iter().map(|what| format!("seed {seed}: {what}")) {
                match &different {
                    None => ledger::later("queues", &name, &what, &environment),
                    Some(still) => ledger::found("queues", &name, &format!("{what}{still}"), &environment),
                }
            }
        }
        self.proving.back_to(&self.after);
        chance::ids_of(&format!("after {}", self.begun));
        ledger::simulated(&self.names(), seeds.end - seeds.start, later, messages);
    }

    fn names(&self) -> String {
        let modules: Vec<&str> = self.world.modules.iter().map(|m| m.name).collect();
        let first = self.bodies.first().and_then(|b| b["type"].as_str()).unwrap_or("events");
        format!("{} <- {first}", modules.join("+"))
    }
}

struct Run<'a> {
    delivery: &'a Delivery<'a>,
    chance: Chance,
    queues: Queues,
    delivered: BTreeSet<String>,
    /// Poison sent, by queue.
    poison: BTreeMap<&'static str, usize>,
    messages: u64,
    stuck: bool,
    /// What lay there before the delivery was looked through.
    begun: bool,
}

impl<'a> Run<'a> {
    fn new(delivery: &'a Delivery<'a>, seed: u64) -> Self {
        let mut chance = Chance::seeded(seed);
        let queues = Queues::new(chance.below(u64::MAX), DOUBLED);
        let delivered = delivery.delivered.clone();
        let mut run = Self {
            delivery,
            chance,
            queues,
            delivered,
            poison: BTreeMap::new(),
            messages: 0,
            stuck: false,
            begun: false,
        };
        for body in &delivery.bodies {
            run.send(body["type"].as_str().unwrap_or_default(), body);
        }
        run
    }

    fn names(&self) -> Vec<&'static str> {
        self.delivery.world.modules.iter().map(|m| m.name).collect()
    }

    /// To the queue of every module that hears it.
    fn send(&mut self, name: &str, body: &Value) {
        for module in self.delivery.world.modules.iter().filter(|m| m.hears(name)) {
            self.queues.send(module.name, &body.to_string());
            self.messages += 1;
        }
    }

    /// What the stream brings: every event once to the bus, and from it once or twice to each queue.
    fn follow(&mut self) {
        if !self.delivery.follow {
            return;
        }
        let now = self.delivery.proving.table();
        let since = std::mem::replace(&mut self.begun, true).then_some(&self.delivery.before.table);
        for event in events(&now, since) {
            if self.delivered.insert(format!("{}|{}", event.tenant, event.id)) {
                let body = json!({"source": "lumina", "detail-type": event.kind, "detail": event});
                self.send(&event.kind, &body);
            }
        }
    }

    fn poison(&mut self) {
        let waiting = self.waiting();
        if !waiting.is_empty() && self.chance.percent(POISONED) {
            let queue = waiting[self.chance.below(waiting.len() as u64) as usize];
            let body =
                json!({"source": "lumina", "detail-type": "nothing.known", "detail": {"poison": true}});
            self.queues.send_once(queue, &body.to_string());
            *self.poison.entry(queue).or_default() += 1;
        }
    }

    fn waiting(&self) -> Vec<&'static str> {
        self.names().into_iter().filter(|name| self.queues.waiting(name) > 0).collect()
    }

    async fn settle(&mut self) {
        self.follow();
        self.poison();
        for _ in 0..MOST {
            let waiting = self.waiting();
            if waiting.is_empty() {
                return;
            }
            let queue = waiting[self.chance.below(waiting.len() as u64) as usize];
            let most = 1 + self.chance.below(10) as usize;
            let taken = self.queues.receive(queue, most);
            if !taken.is_empty() {
                let answer = self.work(queue, &taken).await;
                self.queues.settle(queue, taken, answer.as_ref());
            }
            self.follow();
        }
        self.stuck = true;
    }

    /// One batch; no answer if its worker has died of one of its calls to the table. Nobody dies so often that a
    /// message is given up for it.
    async fn work(&mut self, queue: &str, taken: &[Received]) -> Option<Value> {
        let Delivery { world, proving, .. } = self.delivery;
        let module = world.modules.iter().find(|m| m.name == queue)?;
        let batch = queues::batch(taken);
        let fresh = taken.iter().all(|message| message.times() < web::dead::RECEIVES - 2);
        if !fresh || !self.chance.percent(DYING) {
            return Some(web::batch(module, &world.app, &batch).await);
        }
        let kind = if self.chance.percent(50) { Kind::StopAfter } else { Kind::StopBefore };
        let fault = Fault { kind, at: 1 + self.chance.below(6) as usize };
        proving.under(fault, web::batch(module, &world.app, &batch)).await.0
    }

    /// Messages that are no poison and were received too often.
    fn gave_up(&self) -> Vec<String> {
        let dead =
            self.names().into_iter().flat_map(|name| self.queues.dead(name).iter().map(move |b| (name, b)));
        let own = dead.filter(|(_, body)| !body.contains("nothing.known"));
        own.map(|(name, body)| format!("{name} gave up {}", likeness::masked(body))).collect()
    }

    fn judge(&self, wanted: &[String]) -> Vec<String> {
        let mut found = self.gave_up();
        if self.stuck {
            found.push(format!("messages wait after {MOST} batches"));
        }
        for name in self.names() {
            let (dead, poison) = (self.queues.dead(name), self.poison.get(name).copied().unwrap_or_default());
            let own = dead.iter().filter(|body| !body.contains("nothing.known")).count();
            if dead.len() - own != poison {
                let lie = dead.len() - own;
                found.push(format!("of {poison} poisoned messages {lie} lie in {name}'s dead letters"));
            }
        }
        let before = &self.delivery.before.table;
        let now = self.delivery.proving.table();
        let difference = likeness::difference(wanted, &likeness::of_change(before, &now));
        if !difference.is_empty() {
            found.push(format!("leaves another table: {}", difference.join("; ")));
        }
        found.extend(whole::broken_since(before, &now));
        found
    }
}

/// Every event in the table, or of what was written since then, in the order of time.
pub(crate) fn events(state: &State, since: Option<&State>) -> Vec<Envelope> {
    let tells = |pk: &str, item: &dynoxide::Item| pk.contains("#chg#") && item.contains_key("event");
    let read = |pk: &str, item: &dynoxide::Item| Envelope::from_change(pk, &state::plain(item));
    let mut all: Vec<Envelope> = match since {
        None => state.places().filter(|p| tells(p.0, p.2)).filter_map(|p| read(p.0, p.2)).collect(),
        Some(since) => {
            let changed = state.changed(since);
            let items = changed.iter().filter_map(|(pk, sk)| Some((pk, state.get(pk, sk)?)));
            items.filter(|(pk, item)| tells(pk, item)).filter_map(|(pk, item)| read(pk, item)).collect()
        }
    };
    all.sort_by(|a, b| (&a.at, &a.id, &a.tenant).cmp(&(&b.at, &b.id, &b.tenant)));
    all
}
