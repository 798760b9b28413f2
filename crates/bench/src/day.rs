//! A mixed day: so many desks at once, each of which registers somebody, searches, books, checks in, lists, shows and
//! updates, one after the other.

use crate::{
    cpu::Spent,
    hospital::{Desk, Hospital},
    sorted::Sorted,
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use testkit::Reply;
use tokio::runtime::Handle;

#[derive(Default)]
struct Done {
    took: Vec<Duration>,
    /// What was not answered as it should, by what was asked and how it was answered.
    odd: BTreeMap<String, u64>,
}

pub async fn measure(table: &Handle, clients: &[u64], day: Duration) -> Value {
    let mut figures = vec![];
    for count in clients {
        let hospital = Hospital::open(table).await;
        let mut desks = vec![];
        for seed in 0..*count {
            desks.push(hospital.desk(seed).await);
        }
        let (begun, before) = (Instant::now(), Spent::now());
        let until = begun + day;
        let all = join_all(desks.iter_mut().map(|desk| work(desk, until))).await;
        let (elapsed, spent) = (begun.elapsed().as_secs_f64(), Spent::now().since(before));
        let mut sum = Done::default();
        for done in all {
            sum.took.extend(done.took);
            done.odd.into_iter().for_each(|(what, n)| *sum.odd.entry(what).or_default() += n);
        }
        let (requests, ours, engine) =
            (sum.took.len() as f64, spent.ours.as_secs_f64(), spent.table.as_secs_f64());
        figures.push(json!({
            "clients": count, "requests": requests, "seconds": elapsed, "cpu_seconds_ours": ours,
            "cpu_seconds_table_engine": engine, "requests_per_cpu_second_ours": requests / ours,
            "requests_per_second": requests / elapsed, "took_us": Sorted::of(sum.took).json(), "odd": sum.odd,
        }));
    }
    Value::Array(figures)
}

async fn work(desk: &mut Desk, until: Instant) -> Done {
    let mut done = Done::default();
    while Instant::now() < until {
        let begun = Instant::now();
        let (reply, person) = desk.registers().await;
        let patient = reply.body["id"].as_str().unwrap_or_default().to_string();
        if !done.note("register", begun, &reply) {
            continue;
        }
        let begun = Instant::now();
        done.note("search", begun, &desk.searches(&person).await);
        let begun = Instant::now();
        done.note("book", begun, &desk.books(&patient).await);
        let begun = Instant::now();
        done.note("check in", begun, &desk.checks_in(&patient).await);
        let begun = Instant::now();
        done.note("list", begun, &desk.lists().await);
        let begun = Instant::now();
        done.note("show", begun, &desk.shows(&patient).await);
        let begun = Instant::now();
        done.note("update", begun, &desk.updates(&patient).await);
    }
    done
}

impl Done {
    fn note(&mut self, what: &str, begun: Instant, reply: &Reply) -> bool {
        self.took.push(begun.elapsed());
        let fine = reply.status < 300;
        if !fine {
            *self.odd.entry(format!("{what}: {} {}", reply.status, reply.code())).or_default() += 1;
        }
        fine
    }
}
