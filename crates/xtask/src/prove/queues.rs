//! Every delivery of every story, handed over again as queues do it (`testkit`'s `simulation`).

use super::{
    Report, Section, Setting,
    stories::{self, Known},
};
use local::trouble::{Outcome, While};
use serde::Deserialize;

pub const SECTION: Section = Section {
    name: "queues",
    claim: "doubled, shuffled, poisoned, in parts, by dying workers: what a delivery makes is what it makes once and in order",
    run,
};

/// Seeds altogether, spread evenly over the deliveries that the stories make.
const QUICK: u64 = 10_000;
const FULL: u64 = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    /// How many deliveries the stories make, counted by the last run: so many share the seeds.
    deliveries: u64,
    known: Vec<Known>,
}

fn data() -> Outcome<Data> {
    serde_json::from_str(include_str!("../../data/queues.json")).whilst("read crates/xtask/data/queues.json")
}

fn run(setting: &Setting) -> Outcome<Report> {
    let data = data()?;
    let seeds = if setting.full() { FULL } else { QUICK };
    let runs = seeds.div_ceil(data.deliveries.max(1));
    let said = format!("{runs}:{}", setting.seed);
    let ledger = stories::run(setting, SECTION.name, ("SIMULATION", &said))?;
    let mut report = Report::default();
    let (deliveries, ran) = ledger.tried.values().fold((0, 0), |(d, r), t| (d + t.times, r + t.runs));
    report.count("deliveries", deliveries);
    report.count("seeds of each", runs);
    report.count("runs", ran);
    report.count("messages", ledger.tried.values().map(|t| t.messages).sum::<u64>());
    report.count("of them alike once waited for", ledger.tried.values().map(|t| t.later).sum::<u64>());
    report.plots.push(("Runs by module".into(), ledger.plot()));
    if ran < seeds {
        let what = format!("{ran} runs are fewer than {seeds}: the stories make {deliveries} deliveries");
        report.find(what, "say so in crates/xtask/data/queues.json: deliveries");
    }
    ledger.judge(&data.known, &format!("SIMULATION={said}"), &mut report);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_data_has_a_reason() {
        let data = data().unwrap_or_else(|e| panic!("{e}"));
        assert!(data.known.iter().all(|e| !e.why.is_empty() && !e.name.is_empty()));
    }
}
