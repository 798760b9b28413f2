//! What the stories of all modules cost: run here, or kept by a run before (`HARVEST`), and read.

use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde::Deserialize;
use std::{collections::BTreeMap, env, fs, path::Path, process::Command};
use testkit::meter::{
    budget::Budget,
    harvest::{FOLDER, RENEW},
};

/// One request of a story.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    module: String,
    operation: String,
    name: String,
    count: u64,
    pub trips: u64,
    pub items: u64,
    pub bytes: u64,
    /// As it is, and as it would be if every item were some bytes larger, and twice as many.
    pub read: [f64; 3],
    pub write: [f64; 3],
    /// The write units by what they went into (`testkit::meter::parts`).
    pub spent: BTreeMap<String, f64>,
    pub messages: u64,
    pub looks: u64,
}

/// All requests of one operation.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// `patient.show`, or an event's name.
    pub name: String,
    pub lines: Vec<Line>,
}

/// By module and `METHOD /path`, or `ON event`.
#[derive(Default)]
pub struct Harvest(pub BTreeMap<(String, String), Operation>);

impl Harvest {
    pub fn read(folder: &Path) -> Outcome<Harvest> {
        let mut harvest = Harvest::default();
        for entry in fs::read_dir(folder).whilst(format_args!("read {}", folder.display()))? {
            let path = entry.whilst("read the harvest")?.path();
            let text = fs::read_to_string(&path).whilst(format_args!("read {}", path.display()))?;
            for line in text.lines() {
                let line: Line =
                    serde_json::from_str(line).whilst(format_args!("read {}", path.display()))?;
                harvest.add(line);
            }
        }
        if harvest.0.is_empty() {
            return Err(trouble!("No story left anything in {}.", folder.display()));
        }
        Ok(harvest)
    }

    fn add(&mut self, line: Line) {
        let kept = self.0.entry((line.module.clone(), line.operation.clone())).or_default();
        kept.name.clone_from(&line.name);
        kept.lines.push(line);
    }

    pub fn of(&self, module: &str, operation: &str) -> Option<&Operation> {
        self.0.get(&(module.into(), operation.into()))
    }

    /// Runs the stories of every module, which fail where they cost more than is stated, and reads what they left.
    pub fn gather(root: &Path, folder: &Path, modules: &[&str], renew: bool) -> Outcome<Harvest> {
        let _ = fs::remove_dir_all(folder);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["test", "--quiet", "--test", "stories"]).current_dir(root);
        command.args(modules.iter().flat_map(|name| ["--package", name])).env(FOLDER, folder);
        if renew {
            command.env(RENEW, "1");
        }
        let done = command.status().whilst("run the stories")?;
        if !done.success() {
            return Err(trouble!("A story failed; budgets are compared when all of them hold."));
        }
        Harvest::read(folder)
    }
}

impl Operation {
    /// The most that any request needed, with so much for chance (0 to 2).
    pub fn most(&self, chance: usize) -> Budget {
        let most = |figure: fn(&Line, usize) -> f64| {
            self.lines.iter().map(|line| figure(line, chance)).fold(0.0, f64::max)
        };
        Budget {
            trips: self.lines.iter().map(|line| line.trips).max().unwrap_or_default(),
            read: most(|line, n| line.read[n]),
            write: most(|line, n| line.write[n]),
        }
    }

    /// The middle of a figure over all requests; of messages that came in batches, of one of them.
    pub fn middle(&self, figure: impl Fn(&Line) -> f64) -> f64 {
        let mut all: Vec<f64> =
            self.lines.iter().map(|line| figure(line) / line.count.max(1) as f64).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) fn sample(module: &str, operation: &str, trips: u64, write: [f64; 3]) -> Harvest {
    let mut harvest = Harvest::default();
    harvest.add(Line {
        module: module.into(),
        operation: operation.into(),
        name: "x".into(),
        count: 1,
        trips,
        items: 1,
        bytes: 100,
        read: [0.5; 3],
        write,
        spent: BTreeMap::from([("record".into(), write[0])]),
        messages: 0,
        looks: 0,
    });
    harvest
}
