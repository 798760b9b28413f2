//! Which operation a request was, and whether it kept to its budget.

use super::{
    Tally, budget,
    harvest::{self, Sample},
};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use web::{Module, Route};

pub(crate) struct Ledger {
    routes: Vec<(&'static str, Route)>,
    /// In a world that contends or stops, costs are not what operations cost.
    quiet: AtomicBool,
}

impl Ledger {
    pub fn of(modules: &[Module], quiet: bool) -> Self {
        let routes = modules.iter().flat_map(|m| m.routes.iter().map(|r| (m.name, r.clone()))).collect();
        Self { routes, quiet: AtomicBool::new(quiet) }
    }
    /// From now on nothing is counted.
    pub fn rest(&self) {
        self.quiet.store(true, SeqCst);
    }
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(SeqCst)
    }

    /// Keeps what an answered request has cost; panics if that is more than its budget.
    pub fn judge(&self, method: &str, path: &str, status: u16, tally: &Tally) {
        // A command that waits for a second person has been kept, and is answered so.
        let refused = status >= 400 && status != 428;
        if tally.disturbed || refused {
            return;
        }
        let Some((module, route)) = self.find(method, path) else { return };
        let operation = format!("{method} {}", route.path);
        harvest::keep(Sample { module, operation: &operation, name: &route.operation, count: 1, tally });
        if !harvest::holding() {
            return;
        }
        if let Some(budget) = budget::stated(module, &operation) {
            let [read, write] = [tally.units.read[0], tally.units.write[0]];
            // What an environment keeps (the gate, keys) is counted apart. But requests that leave together are one wave only
            // if they overlap, and a time with fewer digits can make an item cross a kilobyte: one wave and a tenth more
            // is chance here, and `cargo xtask budgets` compares exactly, over all stories.
            let near = |units: f64, stated: f64| units <= stated * 1.1 + 1.0;
            let kept =
                tally.trips <= budget.trips + 1 && near(read, budget.read) && near(write, budget.write);
            assert!(kept, "{budget:?} is stated of {} ({operation}): {tally:?}", route.operation);
        }
    }

    /// What a message has cost the module that took it.
    pub fn message(&self, module: &str, kind: &str, count: usize, tally: &Tally) {
        if self.is_quiet() || tally.disturbed || (tally.calls == 0 && tally.messages == 0) {
            return;
        }
        harvest::keep(Sample { module, operation: &format!("ON {kind}"), name: kind, count, tally });
    }

    /// Whether the table has such a route: ids and numbers stand for parameters of it, words for themselves.
    pub fn declares(&self, method: &str, path: &str) -> bool {
        let named = |(own, word): (&str, &str)| own == word || stands_for_a_parameter(word);
        self.find(method, path)
            .is_some_and(|(_, route)| route.path.split('/').zip(path.split('/')).all(named))
    }
    /// Whether it takes parameters.
    pub fn asks(&self, method: &str, path: &str) -> bool {
        self.find(method, path).is_some_and(|(_, route)| route.query.is_some())
    }

    /// The route of a path, the most literal one if several fit.
    fn find(&self, method: &str, path: &str) -> Option<&(&'static str, Route)> {
        let path = path.split('?').next().unwrap_or_default().trim_start_matches("/partner");
        let words: Vec<&str> = path.split('/').collect();
        let literal = |route: &Route| route.path.split('/').filter(|w| !w.starts_with('{')).count();
        let fits = |route: &Route| {
            let own: Vec<&str> = route.path.split('/').collect();
            let one = |(own, word): (&&str, &&str)| own.starts_with('{') || own == word;
            route.method == method && own.len() == words.len() && own.iter().zip(&words).all(one)
        };
        self.routes.iter().filter(|(_, route)| fits(route)).max_by_key(|(_, route)| literal(route))
    }
}

/// `pat_01ARZ3NDEKTSV4RRFFQ69G5FAV`, `7`
fn stands_for_a_parameter(word: &str) -> bool {
    let id = |(kind, rest): (&str, &str)| kind.len() == 3 && rest.len() == 26;
    word.split_once('_').is_some_and(id) || word.bytes().all(|b| b.is_ascii_digit())
}
