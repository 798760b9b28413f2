//! Budgets of a module's operations: `functions/<module>/budgets.txt`, a line for each route. What it states is the
//! most that any story needed; one more fails that story.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
};

/// What an operation may cost at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    pub trips: u64,
    pub read: f64,
    pub write: f64,
}

/// By `METHOD /path`; none for an operation that no story exercises.
pub type Budgets = BTreeMap<String, Option<Budget>>;

const HEAD: &str = "\
# What each operation costs the table at most, over all stories: waves of round trips, read units and write units
# (AWS's rounding, indexes and transactions included). `cargo xtask budgets --update` writes this file; a story that
# needs more fails, and so does a line that states more than is needed. `-`: no story exercises it yet.
";

/// The workspace's folder: this crate lies two below it.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).into()
}

fn path(module: &str) -> PathBuf {
    root().join("functions").join(module).join("budgets.txt")
}

/// Empty where there is no such file.
pub fn load(module: &str) -> Budgets {
    parse(&fs::read_to_string(path(module)).unwrap_or_default())
}

pub fn save(module: &str, budgets: &Budgets) -> std::io::Result<()> {
    fs::write(path(module), print(budgets))
}

/// Kept for the process: stories ask with every request.
pub(crate) fn stated(module: &str, operation: &str) -> Option<Budget> {
    static ALL: LazyLock<Mutex<HashMap<String, Budgets>>> = LazyLock::new(Mutex::default);
    let mut all = ALL.lock().expect("never poisoned");
    all.entry(module.into()).or_insert_with(|| load(module)).get(operation).copied().flatten()
}

pub fn parse(text: &str) -> Budgets {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [trips, read, write, method, path] = words[..] else { panic!("budgets: {line}") };
            let number = |word: &str| word.parse::<f64>().ok();
            let budget = (number(trips), number(read), number(write));
            let budget = match budget {
                (Some(trips), Some(read), Some(write)) => Some(Budget { trips: trips as u64, read, write }),
                _ => None,
            };
            (format!("{method} {path}"), budget)
        })
        .collect()
}

pub fn print(budgets: &Budgets) -> String {
    let mut sorted: Vec<(&str, &str, &Option<Budget>)> = budgets
        .iter()
        .filter_map(|(name, budget)| name.split_once(' ').map(|(method, path)| (path, method, budget)))
        .collect();
    sorted.sort_by_key(|(path, method, _)| (*path, *method));
    let mut out = format!("{HEAD}# {:>3} {:>6} {:>6}  operation\n", "trips", "read", "write");
    for (path, method, budget) in sorted {
        let [trips, read, write] = match budget {
            Some(Budget { trips, read, write }) => [trips.to_string(), read.to_string(), write.to_string()],
            None => ["-", "-", "-"].map(String::from),
        };
        out.push_str(&format!("{trips:>7} {read:>6} {write:>6}  {method:<6} {path}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let one = Budget { trips: 2, read: 1.5, write: 14.0 };
        let all = Budgets::from([("GET /v1/x/{id}".into(), Some(one)), ("POST /v1/x".into(), None)]);
        assert_eq!(parse(&print(&all)), all);
    }
}
