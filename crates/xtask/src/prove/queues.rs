//! Every delivery of every story, handed over again as queues do it (`testkit`'s `simulation`).

use super::{
    Report, Section, Setting,
    stories::{self, Known},
};
use local::trouble::{Outcome, While};

pub const SECTION: Section = Section {
    name: "queues",
    claim: "doubled, shuffled, poisoned, in parts, by dying workers: what a delivery makes is what it makes once and in order",
    run,
};

/// Runs of each delivery, each by its own seed. The stories have some hundreds of deliveries.
const QUICK: u64 = 40;
const FULL: u64 = 4_000;

fn known() -> Outcome<Vec<Known>> {
    serde_json::from_str(include_str!("../../data/queues.json")).whilst("read crates/xtask/data/queues.json")
}

fn run(setting: &Setting) -> Outcome<Report> {
    let runs = if setting.full() { FULL } else { QUICK };
    let said = format!("{runs}:{}", setting.seed);
    let ledger = stories::run(setting, SECTION.name, ("SIMULATION", &said))?;
    let mut report = Report::default();
    report.count("deliveries", ledger.tried.values().map(|t| t.times).sum::<u64>());
    report.count("runs", ledger.tried.values().map(|t| t.runs).sum::<u64>());
    report.count("messages", ledger.tried.values().map(|t| t.messages).sum::<u64>());
    ledger.judge(&known()?, &format!("SIMULATION={said}"), &mut report);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_data_has_a_reason() {
        let known = known().unwrap_or_else(|e| panic!("{e}"));
        assert!(known.iter().all(|e| !e.why.is_empty() && !e.name.is_empty()));
    }
}
