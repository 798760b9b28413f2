//! 10,000 events through dispatch, bus, queues and workers: a third comes twice, nothing keeps its order, workers die,
//! the bus is busy now and then, and one in a hundred is poison. Effects are made exactly once, poison lies in the
//! dead letters with its reason, nothing else is lost.

use crate::support::{Memory, Thing, busy, record, stream};
use dispatch::dispatch;
use events::Envelope;
use futures::future::join_all;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use store::{Key, Record};
use testkit::{Chance, Queues, Tenant, World, queues};
use web::{Ctx, Module, Queue, Reaction, dead::DeadLetter};

/// Of 10,000 events, those of records with many versions…
const RECORDS: u64 = 100;
const VERSIONS: u64 = 20;
/// … and those of records with one.
const SINGLE: u64 = 8_000;
/// Beside them, records of the stream that cannot be read.
const BROKEN: usize = 40;

/// What goes wrong at the first delivery, by event.
#[derive(Default)]
struct Trouble(Mutex<(HashSet<String>, Option<Chance>)>);

impl Trouble {
    fn seeded(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new((HashSet::new(), Some(Chance::seeded(seed))))))
    }
    fn strikes(&self, event: &Envelope, what: &str, percent: u64) -> bool {
        let (met, chance) = &mut *self.0.lock().unwrap();
        met.insert(format!("{what} {}", event.id)) && chance.as_mut().is_some_and(|c| c.percent(percent))
    }
}

/// Books every event once. Fails now and then before its effect, now and then after it, and on poison always.
async fn book(ctx: Ctx, event: Envelope, trouble: Arc<Trouble>) -> Result<()> {
    if event.data["poison"] == true {
        return Err(Error::internal(format!("{} cannot be booked", event.id)));
    }
    if trouble.strikes(&event, "before", 4) {
        return Err(Error::internal("died before its effect"));
    }
    let key = Key::item("booked", &event.record, format!("{:04}", event.version));
    ctx.once_for(ctx.commit().add(&key, "times", 1), "ledger", &event.id).run().await?;
    if trouble.strikes(&event, "after", 4) {
        return Err(Error::internal("died after its effect"));
    }
    Ok(())
}

/// Keeps the newest of what is named.
async fn mirror(ctx: Ctx, event: Envelope) -> Result<()> {
    let key = Key::item("mirror", &event.record, ".");
    ctx.commit().put_newer(&key, event.version, &json!({"step": event.data["step"]})).run().await
}

#[derive(Default, Serialize, Deserialize)]
struct Page {
    #[serde(default, skip_serializing)]
    version: u64,
    steps: Vec<u64>,
}

/// Needs every step, in order, whichever event it hears of first.
async fn diary(ctx: Ctx, event: Envelope) -> Result<()> {
    let key = Key::item("diary", &event.record, ".");
    let mut page: Page = ctx.store().read(&key).await?.unwrap_or_default();
    for step in ctx.steps(&event, page.version).await? {
        page.steps.push(step.data["step"].as_u64().unwrap_or_default());
    }
    ctx.commit().put_newer(&key, event.version, &page).run().await
}

fn modules(seed: u64) -> Vec<Module> {
    let trouble = Trouble::seeded(seed);
    let books = Reaction::on(Reaction::ALL, move |ctx, event| book(ctx, event, trouble.clone()));
    vec![
        Module::new("ledger", vec![]).reacts(vec![books]),
        Module::new("mirror", vec![]).reacts(vec![Reaction::on("thing.named", mirror)]),
        Module::new("diary", vec![]).reacts(vec![Reaction::on("thing.named", diary)]),
    ]
}

/// Which queues the bus's rules send an event to.
fn rules(kind: &str) -> &'static [&'static str] {
    if kind == "thing.named" { &["ledger", "mirror", "diary"] } else { &["ledger"] }
}

/// Every version of every record, in the table; the ids of the events that are poison.
async fn write(grace: &Tenant, chance: &mut Chance) -> BTreeSet<String> {
    let (store, mut poison) = (grace.store().await, BTreeSet::new());
    let now = grace.world.clock.now();
    let mut things: Vec<Record<Thing>> =
        (0..RECORDS).map(|_| Record::new(now, Thing { step: 1, due: None })).collect();
    for version in 1..=VERSIONS {
        let mut event = |id: &str| {
            let bad = chance.percent(1) && version % 10 != 0;
            if bad {
                poison.insert(format!("flw#{id}#{version}"));
            }
            let kind = if version % 10 == 0 { "thing.named" } else { "thing.moved" };
            json!({"type": kind, "data": {"step": version, "poison": bad}})
        };
        for some in things.chunks_mut(40) {
            let mut commit = store.commit();
            for thing in some.iter() {
                commit = match version {
                    1 => commit.create(thing),
                    _ => {
                        let mut new = thing.next(now);
                        new.body.step = version;
                        commit.update("move", thing, &new)
                    }
                };
                commit = commit.emit(event(&thing.id.to_string()));
            }
            commit.run().await.unwrap();
            let ids: Vec<_> = some.iter().map(|thing| thing.id).collect();
            for kept in store.get_many::<Thing>(&ids).await.unwrap() {
                let thing = some.iter_mut().find(|thing| thing.id == kept.id).unwrap();
                *thing = kept;
            }
        }
    }
    poison
}

/// Images like a given one, of records with one version; the ids of those that are poison.
fn singles(like: &Value, chance: &mut Chance) -> (Vec<Value>, BTreeSet<String>) {
    let (mut images, mut poison) = (vec![], BTreeSet::new());
    let tenant = like["pk"]["S"].as_str().unwrap().split('#').next().unwrap();
    for n in 0..SINGLE {
        let (id, bad) = (format!("flw_single_{n}"), chance.percent(1));
        let mut image = like.clone();
        image["pk"]["S"] = format!("{tenant}#chg#flw#{id}").into();
        image["event"]["M"]["data"]["M"]["poison"] = json!({"BOOL": bad});
        if bad {
            poison.insert(format!("flw#{id}#1"));
        }
        images.push(image);
    }
    (images, poison)
}

/// The stream: in order for each item, otherwise mixed; some of its records broken. And the poison of the singles.
async fn mixed(grace: &Tenant, chance: &mut Chance) -> (Vec<Value>, BTreeSet<String>) {
    let mut by_item: BTreeMap<String, VecDeque<Value>> = BTreeMap::new();
    let written = stream(&grace.world).await;
    let first = written.iter().map(|r| &r["dynamodb"]["NewImage"]).find(|i| i["version"]["N"] == "1");
    let (images, poison) = singles(first.expect("a first version"), chance);
    for record in written.into_iter().chain(images.into_iter().map(|image| record("", image))) {
        let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_string();
        by_item.entry(pk).or_default().push_back(record);
    }
    for n in 0..BROKEN {
        let pk = format!("{}#chg#flw#broken_{n}", grace.id.prefix());
        let image =
            json!({"pk": {"S": pk}, "sk": {"S": "v#0000000001"}, "event": {"M": {"data": {"N": "1"}}}});
        by_item.entry(pk).or_default().push_back(record("", image));
    }
    let mut items: Vec<VecDeque<Value>> = by_item.into_values().collect();
    let mut out = vec![];
    while !items.is_empty() {
        let at = chance.below(items.len() as u64) as usize;
        let mut record = items[at].pop_front().unwrap();
        record["dynamodb"]["SequenceNumber"] = format!("{:08}", out.len()).into();
        out.push(record);
        if items[at].is_empty() {
            items.swap_remove(at);
        }
    }
    (out, poison)
}

/// Hands the stream over as Lambda does: what an answer names comes again with all behind it.
async fn pump(world: &World, stream: &[Value], queues: &mut Queues, chance: Chance) {
    let chance = Mutex::new(chance);
    let bus = Memory::saying(move |_, _| if chance.lock().unwrap().percent(1) { busy() } else { None });
    let mut from = 0;
    while from < stream.len() {
        let batch = &stream[from..stream.len().min(from + 100)];
        let answer = dispatch(&world.app, &bus, &json!({"Records": batch})).await;
        let stuck = &answer["batchItemFailures"][0]["itemIdentifier"];
        let first = batch.iter().position(|r| r["dynamodb"]["SequenceNumber"] == *stuck);
        from += first.unwrap_or(batch.len());
        for event in bus.taken.lock().unwrap().drain(..) {
            let body = json!({"source": "lumina", "detail-type": event.kind, "detail": event}).to_string();
            rules(&event.kind).iter().for_each(|queue| queues.send(queue, &body));
        }
    }
}

/// Workers until nothing waits any more. Some die in the middle of a batch, after some of its effects.
async fn drain(world: &World, queues: &mut Queues, chance: &mut Chance) {
    let names: Vec<&str> = world.modules.iter().map(|m| m.name).collect();
    while names.iter().any(|name| queues.waiting(name) > 0) {
        let mut hands = vec![];
        for at in [0, 0, 0, 0, 0, 0, 1, 2] {
            let taken = queues.receive(names[at], 10);
            let life = if chance.percent(3) { chance.below(150) } else { u64::MAX };
            hands.push((at, queues::batch(&taken), taken, life));
        }
        let work = hands.iter().map(|(at, event, _, life)| {
            let (world, at, event, life) = (world.clone(), *at, event.clone(), *life);
            let worker = async move { web::batch(&world.modules[at], &world.app, &event).await };
            tokio::spawn(Mortal { worker: Box::pin(worker), life })
        });
        let answers = join_all(work).await;
        for ((at, _, taken, _), answer) in hands.into_iter().zip(answers) {
            queues.settle(names[at], taken, answer.unwrap().as_ref());
        }
    }
}

/// A worker that dies when it has been woken so often: at any await, with requests on their way.
struct Mortal<F> {
    worker: Pin<Box<F>>,
    life: u64,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.life == 0 {
            return Poll::Ready(None);
        }
        self.life -= 1;
        self.worker.as_mut().poll(context).map(Some)
    }
}

async fn run(seed: u64) {
    let mut chance = Chance::seeded(seed);
    let world = World::with(modules(seed)).await;
    let grace = world.hospital("grace").await;
    let mut poison = write(&grace, &mut chance).await;
    let (stream, more) = mixed(&grace, &mut chance).await;
    poison.extend(more);
    assert_eq!(stream.len() as u64, RECORDS * VERSIONS + SINGLE + BROKEN as u64);
    let mut queues = Queues::new(seed, 30);
    pump(&world, &stream, &mut queues, chance.clone()).await;
    drain(&world, &mut queues, &mut chance).await;
    assert!((50..200).contains(&poison.len()), "seed {seed}");
    effects(&world, &poison, seed).await;
    dead(&world, &queues, &poison, seed).await;
}

/// Every event has its effect, once.
async fn effects(world: &World, poison: &BTreeSet<String>, seed: u64) {
    let (mut booked, mut mirrored, mut written) = (0, 0, 0);
    for item in world.scan().await {
        let words: Vec<&str> = item["pk"].as_str().unwrap().split('#').collect();
        let sk = item["sk"].as_str().unwrap();
        match words[1] {
            "booked" => {
                let event = format!("flw#{}#{}", words[2], sk.trim_start_matches('0'));
                assert_eq!(item["times"], 1, "seed {seed}: {event} has its effect {} times", item["times"]);
                assert!(!poison.contains(&event), "seed {seed}");
                booked += 1;
            }
            "mirror" => {
                assert_eq!(
                    (&item["version"], &item["step"]),
                    (&json!(VERSIONS), &json!(VERSIONS)),
                    "seed {seed}"
                );
                mirrored += 1;
            }
            "diary" => {
                assert_eq!(item["steps"], json!((1..=VERSIONS).collect::<Vec<_>>()), "seed {seed}");
                written += 1;
            }
            _ => {}
        }
    }
    let wanted = RECORDS * VERSIONS + SINGLE - poison.len() as u64;
    assert_eq!((booked, mirrored, written), (wanted, RECORDS, RECORDS), "seed {seed}: lost");
}

/// Poison, all of it and nothing else, with its reason.
async fn dead(world: &World, queues: &Queues, poison: &BTreeSet<String>, seed: u64) {
    let event = |body: &String| {
        let body: Value = serde_json::from_str(body).unwrap();
        body["detail"]["id"].as_str().unwrap().to_string()
    };
    let given_up: BTreeSet<String> = queues.dead("ledger").iter().map(event).collect();
    assert_eq!(given_up, *poison, "seed {seed}");
    assert!(queues.dead("mirror").is_empty() && queues.dead("diary").is_empty(), "seed {seed}");
    let platform = world.app.vault().open(store::Scope::Platform, store::Caller::default()).await.unwrap();
    let notes = DeadLetter::latest(&platform, "ledger", "", 1000).await.unwrap();
    let told: BTreeSet<String> = notes.iter().filter_map(|note| note.subject.clone()).collect();
    assert_eq!(told, *poison, "seed {seed}: a dead letter without its note");
    // Whose last receipt was cut short by another's death says that; all others say why themselves.
    let silent = notes.iter().filter(|n| n.reason.0 == "the function ended before it was handled").count();
    for note in notes.iter().filter(|n| n.reason.0 != "the function ended before it was handled") {
        let subject = note.subject.as_deref().unwrap_or_default();
        assert_eq!(note.reason.0, format!("{subject} cannot be booked"), "seed {seed}");
    }
    assert!(silent < poison.len() / 5, "seed {seed}: {silent} without the cause");
    let broken = world.letters.take(Queue::DispatchDead);
    let ids: BTreeSet<&str> = broken.iter().filter_map(|b| b["id"].as_str()).collect();
    assert_eq!(ids.len(), BROKEN, "seed {seed}");
    assert!(broken.iter().all(|b| b["reason"] == "its event cannot be read"), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_events_have_their_effects_exactly_once_whatever_comes_twice_or_dies() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
    run(seed).await;
}
