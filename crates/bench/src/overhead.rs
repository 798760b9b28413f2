//! Our time over the table call, measured within the same request: from the call of the router to its answer, without
//! the time in which the SDK had a call under way. Beside it, in turns, the bare SDK call that reads the same item.

use crate::{
    hospital::{Desk, Hospital},
    sorted::Sorted,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use testkit::{Reply, meter};
use tokio::runtime::Handle;

#[derive(Default)]
struct Timed {
    ours: Vec<Duration>,
    calls: Vec<Duration>,
}

pub async fn measure(table: &Handle, repeats: usize) -> Value {
    let hospital = Hospital::open(table).await;
    let mut desk = hospital.desk(1).await;
    let mut all: BTreeMap<&str, Timed> = BTreeMap::new();
    let mut bare = vec![];
    // The first rounds warm connections and caches up.
    for round in 0..repeats + 10 {
        for (name, timed) in requests(&mut desk).await {
            if round >= 10 {
                let kept = all.entry(name).or_default();
                kept.ours.push(timed.0);
                kept.calls.push(timed.1);
            }
        }
        let took = one_item(&hospital).await;
        if round >= 10 {
            bare.push(took);
        }
    }
    let mut figures: Map<String, Value> = Map::new();
    for (name, Timed { ours, calls }) in all {
        let (ours, calls) = (Sorted::of(ours).json(), Sorted::of(calls).json());
        figures.insert(name.into(), json!({"ours_us": ours, "calls_us": calls}));
    }
    json!({"operations": figures, "bare_get_us": Sorted::of(bare).json()})
}

/// One of each, and how long ours and the calls took.
async fn requests(desk: &mut Desk) -> Vec<(&'static str, (Duration, Duration))> {
    let ((reply, person), register) = meter::timed(desk.registers()).await;
    let patient = reply.created()["id"].as_str().expect("an id").to_string();
    let mut all = vec![("register", register)];
    let mut add = |name, (reply, took): (Reply, _)| {
        assert!(reply.status < 300, "{name}: {} {:#}", reply.status, reply.body);
        all.push((name, took));
    };
    add("show", meter::timed(desk.shows(&patient)).await);
    add("list", meter::timed(desk.lists()).await);
    add("search", meter::timed(desk.searches(&person)).await);
    add("update", meter::timed(desk.updates(&patient)).await);
    add("book", meter::timed(desk.books(&patient)).await);
    add("check in", meter::timed(desk.checks_in(&patient)).await);
    all
}

/// The smallest thing that the SDK can be asked: an item that is there.
async fn one_item(hospital: &Hospital) -> Duration {
    let (sdk, table) = hospital.world.table();
    let begun = Instant::now();
    let get = sdk.get_item().table_name(table);
    let key = testkit::text(&format!("{}#fact#tenant#self", hospital.grace.id.prefix()));
    let answer = get.key("pk", key).key("sk", testkit::text(".")).send().await;
    let took = begun.elapsed();
    assert!(answer.is_ok_and(|answer| answer.item.is_some()), "the item is there");
    took
}
