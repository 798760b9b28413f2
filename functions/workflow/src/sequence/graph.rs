//! What has to be done before what: steps that exist, in no circle.

use super::template::{From, Step};
use kernel::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Steps that a step waits for.
fn before(step: &Step) -> Vec<&str> {
    let from = match &step.from {
        From::Step(key) => Some(key.as_str()),
        _ => None,
    };
    step.depends_on.iter().map(String::as_str).chain(from).collect()
}

pub fn sound(steps: &[Step]) -> Result<()> {
    let mut known = BTreeMap::new();
    for step in steps {
        if known.insert(step.key.as_str(), step).is_some() {
            return Err(Error::field("sequence-cycle", "/steps", format!("{} stands there twice", step.key)));
        }
    }
    for step in steps {
        if let Some(unknown) = before(step).into_iter().find(|key| !known.contains_key(key)) {
            let detail = format!("{} waits for {unknown}, which is no step", step.key);
            return Err(Error::field("sequence-cycle", "/steps", detail));
        }
    }
    for step in steps {
        if let Some(path) = circle(&step.key, &known) {
            let detail = format!("these wait for one another: {}", path.join(" → "));
            return Err(Error::field("sequence-cycle", "/steps", detail).with("path", path));
        }
    }
    Ok(())
}

/// The way from a step back to itself.
fn circle<'a>(start: &'a str, known: &BTreeMap<&'a str, &'a Step>) -> Option<Vec<String>> {
    fn walk<'a>(
        at: &'a str,
        start: &'a str,
        known: &BTreeMap<&'a str, &'a Step>,
        seen: &mut BTreeSet<&'a str>,
        way: &mut Vec<String>,
    ) -> bool {
        way.push(at.into());
        for next in before(known[at]) {
            if next == start {
                way.push(next.into());
                return true;
            }
            if seen.insert(next) && walk(next, start, known, seen, way) {
                return true;
            }
        }
        way.pop();
        false
    }
    let mut way = vec![];
    walk(start, start, known, &mut BTreeSet::new(), &mut way).then_some(way)
}

/// Everything that a step waits for.
pub fn needed(step: &Step) -> BTreeSet<&str> {
    before(step).into_iter().collect()
}
