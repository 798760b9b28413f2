//! A rule names the events that its module reacts to: no more, or messages are paid for and thrown away; no
//! fewer, or a reaction never runs.

use local::template::{
    function::{Function, Source},
    messaging::{Rule, fits},
};
use serde_json::{Value, json};
use web::Module;

pub fn differences(functions: &[Function], rules: &[Rule], modules: &[Module]) -> Vec<String> {
    let mut found = vec![];
    for module in modules {
        let queues = queues(functions, module.name);
        let listens = !module.reactions.is_empty() || !module.tasks.is_empty();
        if listens && queues.is_empty() {
            found.push(format!("{}: reacts to messages and has no queue", module.name));
        }
        let own: Vec<&Rule> =
            rules.iter().filter(|r| r.targets.iter().any(|t| queues.contains(&t.as_str()))).collect();
        found.extend(unheard(module, &own));
        found.extend(own.iter().flat_map(|rule| superfluous(module, rule)));
    }
    found.extend(
        rules
            .iter()
            .filter(|rule| !reaches_a_module(rule, functions, modules))
            .map(|rule| format!("{}: its target is the queue of no module", rule.id)),
    );
    found
}

fn queues<'a>(functions: &'a [Function], name: &str) -> Vec<&'a str> {
    let sources = functions.iter().filter(|f| f.name == name).flat_map(|f| &f.sources);
    sources
        .filter_map(|s| if let Source::Queue { queue, .. } = s { Some(queue.as_str()) } else { None })
        .collect()
}

fn reaches_a_module(rule: &Rule, functions: &[Function], modules: &[Module]) -> bool {
    modules.iter().any(|m| rule.targets.iter().any(|t| queues(functions, m.name).contains(&t.as_str())))
}

/// Reactions to events that no rule sends.
fn unheard(module: &Module, rules: &[&Rule]) -> Vec<String> {
    let sent = |event: &str| {
        let event = json!({"source": "lumina", "detail-type": event, "detail": {}});
        rules.iter().any(|rule| fits(&rule.pattern, &event))
    };
    let missing = module.reactions.iter().filter(|reaction| !sent(reaction.event));
    missing
        .map(|reaction| format!("{}: reacts to {}, and no rule sends it there", module.name, reaction.event))
        .collect()
}

/// Names in the rule that nothing in the module reacts to.
fn superfluous(module: &Module, rule: &Rule) -> Vec<String> {
    // What AWS itself tells (a file has arrived) comes as a message of the module's own, not as an event of ours.
    if rule.pattern["source"] != serde_json::json!(["lumina"]) {
        return vec![];
    }
    let choices = rule.pattern["detail-type"].as_array().into_iter().flatten();
    let heard = |choice: &Value| {
        let pattern = json!({ "detail-type": [choice] });
        module.reactions.iter().any(|r| fits(&pattern, &json!({"detail-type": r.event})))
    };
    let spare = choices.filter(|choice| !heard(choice));
    spare
        .map(|choice| format!("{}: sends {choice}, and {} does not react to it", rule.id, module.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, time::Duration};
    use web::Reaction;

    fn rooms(events: &[&'static str]) -> Vec<Module> {
        let reactions = events.iter().map(|event| Reaction::on(event, |_, _| async { Ok(()) })).collect();
        vec![Module::new("rooms", vec![]).reacts(reactions)]
    }

    fn function(sources: Vec<Source>) -> Vec<Function> {
        vec![Function {
            name: "rooms".into(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(1),
            sources,
        }]
    }

    fn found(events: &[&'static str], kinds: Value) -> Vec<String> {
        let pattern = json!({"source": ["lumina"], "detail-type": kinds});
        let rule = Rule { id: "RoomsRule".into(), pattern, targets: vec!["RoomsQueue".into()] };
        differences(
            &function(vec![Source::Queue { queue: "RoomsQueue".into(), batch: 10 }]),
            &[rule],
            &rooms(events),
        )
    }

    #[test]
    fn rule_and_reactions_name_the_same_events() {
        assert_eq!(
            found(&["user.disabled", "site.closed"], json!(["site.closed", {"prefix": "user."}])),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_reaction_that_never_runs_is_named() {
        assert_eq!(
            found(&["site.closed", "site.opened"], json!(["site.closed"])),
            ["rooms: reacts to site.opened, and no rule sends it there"]
        );
    }

    #[test]
    fn an_event_that_nobody_wants_is_named() {
        let found = found(&["site.closed"], json!(["site.closed", "user.disabled", {"prefix": "patient."}]));
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("user.disabled") && found[1].contains("prefix"), "{found:?}");
    }

    #[test]
    fn messages_need_a_queue_and_a_rule_needs_a_reader() {
        let rule = Rule { id: "BedsRule".into(), pattern: json!({}), targets: vec!["BedsQueue".into()] };
        let found = differences(&function(vec![]), &[rule], &rooms(&["site.closed"]));
        assert!(found.iter().any(|f| f.contains("has no queue")), "{found:?}");
        assert!(found.iter().any(|f| f.starts_with("BedsRule: its target")), "{found:?}");
    }
}
