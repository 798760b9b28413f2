//! Whether rules lead back to themselves: event → rule → the events that follow from what it does.

use super::{Action, Rule, catalogue};
use std::collections::BTreeSet;

/// Events that follow from an action.
fn follow(action: &Action) -> Vec<String> {
    let all = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
    match action {
        // Tasks that rules make are hidden from rules.
        Action::Task { .. } | Action::Notify { .. } | Action::Webhook { .. } => vec![],
        Action::SetField { field, .. } => {
            catalogue::field(field).map(|f| f.events.clone()).unwrap_or_default()
        }
        Action::StartSequence { .. } => all(&["sequence.started", "sequence.requested"]),
    }
}

/// The way from a rule back to itself, by codes and events, if there is one.
pub fn cycle<'a>(rule: &'a Rule, others: &'a [Rule]) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut way = vec![];
    walk(rule, rule, others, &mut seen, &mut way).then_some(way)
}

fn walk<'a>(
    from: &'a Rule,
    target: &'a Rule,
    others: &'a [Rule],
    seen: &mut BTreeSet<&'a str>,
    way: &mut Vec<String>,
) -> bool {
    if !seen.insert(&from.code) {
        return false;
    }
    way.push(from.code.clone());
    for event in from.then.iter().flat_map(follow) {
        way.push(event.clone());
        if target.on.contains(&event) {
            way.push(target.code.clone());
            return true;
        }
        let next = others.iter().filter(|r| r.code != from.code && r.on.contains(&event));
        for rule in next {
            if walk(rule, target, others, seen, way) {
                return true;
            }
        }
        way.pop();
    }
    way.pop();
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(code: &str, on: &str, then: serde_json::Value) -> Rule {
        let all = json!({"code": code, "name": code, "on": [on], "when": "true", "then": [then]});
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn a_way_back_is_found_and_named() {
        let set = json!({"kind": "set_field", "field": "patient.custom.a", "value": 1});
        let tell = json!({"kind": "notify", "recipients": [{"kind": "actor"}], "text": "x"});
        let itself = rule("a", "patient.updated", set.clone());
        assert_eq!(cycle(&itself, &[]).unwrap(), ["a", "patient.updated", "a"]);
        assert_eq!(cycle(&rule("b", "patient.updated", tell), &[]), None);
        let starts = json!({"kind": "start_sequence", "sequence": "sqt_01ARZ3NDEKTSV4RRFFQ69G5FAV", "subject": "=event.record"});
        let (one, two) = (rule("one", "patient.updated", starts), rule("two", "sequence.started", set));
        assert_eq!(
            cycle(&one, std::slice::from_ref(&two)).unwrap(),
            ["one", "sequence.started", "two", "patient.updated", "one"]
        );
        assert_eq!(cycle(&one, &[]), None);
    }
}
