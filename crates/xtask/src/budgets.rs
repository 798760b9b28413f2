//! `functions/<module>/budgets.txt` against the route tables and against what the stories cost.

use crate::{harvest::Harvest, modules, workspace::Workspace};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use std::path::Path;
use testkit::meter::budget::{self, Budget, Budgets};
use web::{Module, Route, UNSTATED};

/// Operations that no story exercises yet. This number may only go down.
pub const UNEXERCISED: usize = 0;

/// Harvests (or reads what a run of the tests has left in `folder`), then compares, or writes anew.
pub fn run(root: &Path, kept: Option<&Path>, update: bool) -> Outcome<()> {
    let all = modules::all();
    let names: Vec<&str> = all.iter().map(|m| m.name).collect();
    let harvest = match kept {
        Some(folder) => Harvest::read(folder)?,
        None => Harvest::gather(root, &Workspace::read(root)?.target.join("harvest"), &names, update)?,
    };
    let mut found = vec![];
    for module in &all {
        if update {
            let budgets = measured(module, &harvest);
            budget::save(module.name, &budgets)
                .whilst(format_args!("write the budgets of {}", module.name))?;
        }
        found.extend(compared(module, &budget::load(module.name), &harvest));
    }
    found.extend(stated(&all));
    if found.is_empty() {
        println!("Every operation keeps to its budget; {} are not exercised yet.", unexercised(&all));
        return Ok(());
    }
    Err(trouble!("{}\n`cargo xtask budgets --update` writes what is measured.", found.join("\n")))
}

fn key(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// What is declared, without running anything: every route states its trips, every operation has its line, and no
/// line is of an operation that does not exist.
pub fn stated(all: &[Module]) -> Vec<String> {
    let mut found = vec![];
    for module in all {
        let mut lines = budget::load(module.name);
        for route in &module.routes {
            let (operation, line) = (key(route), lines.remove(&key(route)));
            if route.trips == UNSTATED {
                found.push(format!("{operation} ({}) states no trips", route.operation));
            }
            if line.is_none() {
                found.push(format!("{operation} ({}) has no budget", route.operation));
            }
        }
        found.extend(
            lines.keys().map(|gone| format!("{}: a budget of {gone}, which is no route", module.name)),
        );
    }
    let count = unexercised(all);
    if count > UNEXERCISED {
        found.push(format!("{count} operations are exercised by no story; there were {UNEXERCISED}"));
    }
    found
}

pub fn unexercised(all: &[Module]) -> usize {
    all.iter().map(|m| budget::load(m.name).values().filter(|line| line.is_none()).count()).sum()
}

fn measured(module: &Module, harvest: &Harvest) -> Budgets {
    let line = |route: &Route| (key(route), harvest.of(module.name, &key(route)).map(|o| o.most(1)));
    module.routes.iter().map(line).collect()
}

fn compared(module: &Module, stated: &Budgets, harvest: &Harvest) -> Vec<String> {
    let difference = |route: &Route| {
        let operation = key(route);
        let line = stated.get(&operation)?;
        let measured = harvest.of(module.name, &operation);
        match (line, measured) {
            (None, Some(_)) => Some(format!("{operation} is exercised now, and its budget can be stated")),
            (Some(_), None) => Some(format!("{operation} states a budget that no story shows any more")),
            (Some(budget), Some(measured)) => {
                let (least, most) = (measured.most(0), measured.most(2));
                let (ordinary, trips) = (measured.middle(|l| l.trips as f64), f64::from(route.trips));
                if exceeds(&least, budget) {
                    Some(format!("{operation} needs {least:?}; it states {budget:?}"))
                } else if exceeds(budget, &most) {
                    Some(format!("{operation} states {budget:?}, but needs {most:?}"))
                } else if ordinary > trips {
                    Some(format!("{operation} states trips({trips}), and {ordinary} are ordinary"))
                } else {
                    None
                }
            }
            (None, None) => None,
        }
    };
    module.routes.iter().filter_map(difference).collect()
}

fn exceeds(one: &Budget, other: &Budget) -> bool {
    one.trips > other.trips || one.read > other.read || one.write > other.write
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harvest::sample;
    use axum::{http::Method, routing::get};

    fn module() -> Module {
        let room = web::route(Method::GET, "/v1/rooms", "room.view", "room.list", get(async || ""));
        Module::new("rooms", vec![room.trips(1)])
    }
    fn found(stated: Option<Budget>, trips: u64, write: [f64; 3]) -> Vec<String> {
        let stated = Budgets::from([("GET /v1/rooms".into(), stated)]);
        compared(&module(), &stated, &sample("rooms", "GET /v1/rooms", trips, write))
    }
    const STATED: Option<Budget> = Some(Budget { trips: 1, read: 0.5, write: 4.0 });

    #[test]
    fn one_more_fails_and_one_less_has_to_be_stated() {
        assert_eq!(found(STATED, 1, [4.0; 3]), [""; 0]);
        assert!(found(STATED, 2, [4.0; 3])[0].contains("needs"));
        assert!(found(STATED, 1, [6.0; 3])[0].contains("needs"));
        assert!(found(STATED, 1, [2.0; 3])[0].contains("but needs"));
        assert!(found(None, 1, [4.0; 3])[0].contains("is exercised now"));
    }

    #[test]
    fn what_chance_adds_to_an_item_is_no_difference() {
        assert_eq!(found(STATED, 1, [2.0, 4.0, 4.0]), [""; 0]);
        assert_eq!(found(STATED, 1, [4.0, 4.0, 6.0]), [""; 0]);
    }

    #[test]
    fn a_route_without_a_word_about_its_cost_is_named() {
        let mut silent = module();
        silent.routes[0].trips = UNSTATED;
        let found = stated(&[silent]);
        assert!(found[0].contains("states no trips") && found[1].contains("has no budget"), "{found:?}");
    }
}
