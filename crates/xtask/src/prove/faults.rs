//! Every write, with the table failing at each of its calls in each of the ways there are (`testkit`'s `proving`). A
//! route that writes and that no story uses is found, and so is a message that a module hears and no story hands over. A
//! request that is kept for a second person is something done too, and is tried apart from what it asks for.

use super::{
    Report, Section, Setting,
    stories::{self, Known, Ledger},
};
use crate::modules;
use local::trouble::{Outcome, While};
use serde::Deserialize;
use std::collections::BTreeSet;
use testkit::WAITS;
use web::Module;

pub const SECTION: Section = Section {
    name: "faults",
    claim: "whatever fails at whichever call, a retry finds every write done once, whole, and answered alike",
    run,
};

/// What no story tries, and what does not hold yet: each with its reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    untried: Vec<Untried>,
    /// Operations that, interrupted, leave work to a queue or a due row, or a mark of having been taken up.
    taken_up: Vec<Untried>,
    known: Vec<Known>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Untried {
    name: String,
    why: String,
}

fn data() -> Outcome<Data> {
    serde_json::from_str(include_str!("../../data/faults.json")).whilst("read crates/xtask/data/faults.json")
}

fn run(setting: &Setting) -> Outcome<Report> {
    let (data, form) = (data()?, if setting.full() { "every" } else { "quick" });
    let ledger = stories::run(setting, SECTION.name, ("FAULTS", form))?;
    let mut report = Report::default();
    let names = |of: fn(&str) -> bool| ledger.tried.keys().filter(|name| of(name)).count();
    report.count("operations tried", names(|name| !name.contains(" <- ")));
    report.count("consumed messages tried", names(|name| name.contains(" <- ")));
    report.count("faults", ledger.tried.values().map(|t| t.runs).sum::<u64>());
    report.count("of them alike once waited for", ledger.tried.values().map(|t| t.later).sum::<u64>());
    report.plots.push(("Faults by module".into(), ledger.plot()));
    taken_up(&ledger, &data.taken_up, &mut report);
    ledger.judge(&data.known, &format!("FAULTS={form}"), &mut report);
    let tried: BTreeSet<&str> = ledger.tried.keys().map(|name| name.trim_end_matches(WAITS)).collect();
    untried(&wanted(&modules::all()), &tried, &data.untried, &mut report);
    Ok(report)
}

/// A message comes again until it is done, so its work may go on later. Of an operation that has to be meant.
fn taken_up(ledger: &Ledger, meant: &[Untried], report: &mut Report) {
    let operations = ledger.later.iter().filter(|(name, _)| !name.contains(" <- "));
    for (name, finding) in operations.clone().filter(|(name, _)| meant.iter().all(|m| m.name != *name)) {
        report.find(format!("{name} is alike only later: {}", finding.what), finding.again.clone());
    }
    for meant in meant.iter().filter(|m| operations.clone().all(|(name, _)| m.name != *name)) {
        let what = format!("{} goes on later ({}), and did not this time", meant.name, meant.why);
        report.know(what, "if it stays so, strike it from taken_up in crates/xtask/data/faults.json");
    }
}

/// Everything that writes: routes, and messages that modules hear by name.
fn wanted(modules: &[Module]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for module in modules {
        let routes = module.routes.iter().filter(|r| r.method != "GET");
        all.extend(routes.map(|r| format!("{} {}", r.method, r.path)));
        let events = module.reactions.iter().map(|r| r.event).filter(|event| *event != web::Reaction::ALL);
        let names = events.chain(module.tasks.iter().map(|t| t.name));
        all.extend(names.map(|name| format!("{} <- {name}", module.name)));
    }
    all
}

/// Holds what was tried against what there is, in both directions.
fn untried(wanted: &BTreeSet<String>, tried: &BTreeSet<&str>, exempt: &[Untried], report: &mut Report) {
    let strike = "strike it from crates/xtask/data/faults.json";
    for name in wanted.iter().filter(|name| !tried.contains(name.as_str())) {
        match exempt.iter().find(|e| e.name == **name) {
            Some(exempt) => report.know(format!("{name} is not tried – {}", exempt.why), ""),
            None => report.find(
                format!("{name}: no story does this with success, so it is never tried"),
                "write the story; World::with, not World::contended, and nothing that calms it before",
            ),
        }
    }
    for exempt in exempt {
        if !wanted.contains(&exempt.name) {
            report.find(format!("{} is exempt and does not exist", exempt.name), strike);
        } else if tried.contains(exempt.name.as_str()) {
            report.find(format!("{} is exempt and is tried", exempt.name), strike);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_tries_is_found_and_the_list_of_exemptions_only_shrinks() {
        let wanted = ["POST /a", "POST /b", "POST /c"].map(String::from).into();
        let exempt = |name: &str| Untried { name: name.into(), why: "it waits".into() };
        let mut report = Report::default();
        let exempt = [exempt("POST /b"), exempt("POST /c"), exempt("POST /gone")];
        untried(&wanted, &["POST /c"].into(), &exempt, &mut report);
        let found: Vec<&str> = report.findings.iter().map(|f| f.what.as_str()).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("POST /a: no story"), "{found:?}");
        assert!(found[1].starts_with("POST /c is exempt and is tried"), "{found:?}");
        assert!(found[2].starts_with("POST /gone is exempt and does not exist"), "{found:?}");
        assert_eq!(report.known.len(), 1);
    }

    #[test]
    fn every_entry_of_the_data_has_a_reason() {
        let data = data().unwrap_or_else(|e| panic!("{e}"));
        assert!(data.untried.iter().chain(&data.taken_up).all(|e| !e.why.is_empty()));
        assert!(data.known.iter().all(|e| !e.why.is_empty() && !e.name.is_empty()));
    }

    #[test]
    fn routes_that_only_read_are_not_wanted() {
        let wanted = wanted(&modules::all());
        assert!(wanted.contains("POST /v1/patients"), "{wanted:?}");
        assert!(wanted.iter().all(|name| !name.starts_with("GET ")));
    }
}
