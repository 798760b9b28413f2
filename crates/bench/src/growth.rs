//! The same requests in a tenant that grows: round trips and units must stay equal, and the time they take should.

use crate::{
    hospital::{Desk, Hospital},
    sorted::Sorted,
};
use futures::future::join_all;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use testkit::{
    Reply,
    meter::{self, Tally},
};
use tokio::runtime::Handle;

/// Desks that register side by side.
const DESKS: u64 = 8;

#[derive(Default)]
struct Seen {
    trips: Vec<u64>,
    read: Vec<f64>,
    write: Vec<f64>,
    took: Vec<Duration>,
}

pub async fn measure(table: &Handle, sizes: &[usize], repeats: usize) -> Value {
    let hospital = Hospital::open(table).await;
    let mut desks = vec![];
    for seed in 0..DESKS {
        desks.push(hospital.desk(1000 + seed).await);
    }
    let (mut there, mut figures) = (0, vec![]);
    for size in sizes {
        let begun = Instant::now();
        grow(&mut desks, size.saturating_sub(there)).await;
        there = *size;
        eprintln!(
            "{size} patients are registered, the last of them in {:.0} s",
            begun.elapsed().as_secs_f64()
        );
        // A doctor of whom nobody is waiting yet: who checks in is told their place in that queue.
        // Its own seed: people whom another desk has registered would be refused.
        let mut at_work = hospital.desk(u64::MAX - *size as u64).await;
        let mut seen: BTreeMap<&'static str, Seen> = BTreeMap::new();
        for _ in 0..repeats {
            requests(&mut at_work, &mut seen).await;
        }
        let operations: Map<String, Value> =
            seen.into_iter().map(|(name, seen)| (name.to_string(), seen.json())).collect();
        figures.push(json!({"patients": size, "operations": operations}));
    }
    Value::Array(figures)
}

/// Registers so many more.
async fn grow(desks: &mut [Desk], more: usize) {
    let each = more.div_ceil(desks.len());
    join_all(desks.iter_mut().map(|desk| async move {
        for _ in 0..each {
            // Who resembles somebody by chance is sent away; one patient less is no matter.
            let (reply, _) = desk.registers().await;
            assert!(matches!(reply.status, 201 | 409), "{} {:#}", reply.status, reply.body);
        }
    }))
    .await;
}

async fn requests(desk: &mut Desk, seen: &mut BTreeMap<&'static str, Seen>) {
    let begun = Instant::now();
    let ((reply, person), tally) = meter::of(desk.registers()).await;
    if reply.status == 409 {
        return;
    }
    seen.entry("register").or_default().add(&tally, begun.elapsed());
    let patient = reply.created()["id"].as_str().expect("an id").to_string();
    let mut add = |name, began: Instant, (reply, tally): (Reply, Tally)| {
        assert!(reply.status < 300, "{name}: {} {:#}", reply.status, reply.body);
        seen.entry(name).or_default().add(&tally, began.elapsed());
    };
    add("show", Instant::now(), meter::of(desk.shows(&patient)).await);
    add("list", Instant::now(), meter::of(desk.lists()).await);
    add("search", Instant::now(), meter::of(desk.searches(&person)).await);
    add("update", Instant::now(), meter::of(desk.updates(&patient)).await);
    add("book", Instant::now(), meter::of(desk.books(&patient)).await);
    add("check in", Instant::now(), meter::of(desk.checks_in(&patient)).await);
}

impl Seen {
    fn add(&mut self, tally: &Tally, took: Duration) {
        self.trips.push(tally.trips);
        self.read.push(tally.units.read[0]);
        self.write.push(tally.units.write[0]);
        self.took.push(took);
    }

    /// Medians: a queue's first number of the day costs once what the others do not.
    fn json(mut self) -> Value {
        self.trips.sort_unstable();
        self.read.sort_by(f64::total_cmp);
        self.write.sort_by(f64::total_cmp);
        let middle = self.trips.len() / 2;
        json!({
            "trips": self.trips[middle], "read": self.read[middle], "write": self.write[middle],
            "took_us": Sorted::of(self.took).json(),
        })
    }
}
