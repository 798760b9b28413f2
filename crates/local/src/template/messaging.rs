//! Queues with their dead letters, the bus's rules, and which events fit a rule.

use super::document::{Resource, entries, plain};
use serde_json::Value;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// The logical name: `PatientsQueue`.
    pub id: String,
    /// `lumina-patients`
    pub name: String,
    /// How long a message that was received stays out of sight.
    pub visibility: Duration,
    pub retention: Duration,
    /// Logical name of the queue for what was received too often, and how often that is.
    pub dead_letters: Option<(String, u32)>,
}

impl Queue {
    pub fn of(resource: &Resource) -> Queue {
        let properties = &resource.properties;
        let seconds =
            |name: &str, default| Duration::from_secs(plain(&properties[name]).parse().unwrap_or(default));
        let redrive = &properties["RedrivePolicy"];
        let times = plain(&redrive["maxReceiveCount"]).parse().ok();
        let target = plain(&redrive["deadLetterTargetArn"]).trim_end_matches(".Arn").to_string();
        let name = plain(&properties["QueueName"]);
        Queue {
            id: resource.id.clone(),
            name: if name.is_empty() { resource.id.clone() } else { name },
            visibility: seconds("VisibilityTimeout", 30),
            retention: seconds("MessageRetentionPeriod", 345_600),
            dead_letters: times.map(|times| (target, times)),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: String,
    pub pattern: Value,
    /// Logical names of queues.
    pub targets: Vec<String>,
}

impl Rule {
    pub fn of(resource: &Resource) -> Rule {
        let targets = resource.properties["Targets"].as_array().into_iter().flatten();
        Rule {
            id: resource.id.clone(),
            pattern: resource.properties["EventPattern"].clone(),
            targets: targets.map(|t| plain(&t["Arn"]).trim_end_matches(".Arn").to_string()).collect(),
        }
    }
}

/// Whether an event fits an EventBridge pattern (also a filter of a stream): every field that the pattern names
/// has one of the listed values.
pub fn fits(pattern: &Value, event: &Value) -> bool {
    entries(pattern).all(|(name, wanted)| match wanted {
        Value::Object(_) => event.get(name).is_some_and(|inner| fits(wanted, inner)),
        Value::Array(choices) => {
            let value = event.get(name);
            match value {
                Some(Value::Array(many)) => {
                    many.iter().any(|one| choices.iter().any(|c| meets(c, Some(one))))
                }
                _ => choices.iter().any(|choice| meets(choice, value)),
            }
        }
        other => event.get(name) == Some(other),
    })
}

fn meets(choice: &Value, value: Option<&Value>) -> bool {
    let text = value.and_then(Value::as_str);
    match choice.as_object().and_then(|map| map.iter().next()) {
        None => value == Some(choice),
        Some((word, bound)) => match (word.as_str(), bound) {
            ("prefix", Value::String(start)) => text.is_some_and(|text| text.starts_with(start)),
            ("suffix", Value::String(end)) => text.is_some_and(|text| text.ends_with(end)),
            ("exists", Value::Bool(wanted)) => value.is_some() == *wanted,
            ("anything-but", Value::Array(not)) => value.is_some_and(|value| !not.contains(value)),
            ("anything-but", Value::Object(_)) => value.is_some() && !meets(bound, value),
            ("anything-but", not) => value.is_some_and(|value| value != not),
            ("equals-ignore-case", Value::String(other)) => {
                text.is_some_and(|text| text.eq_ignore_ascii_case(other))
            }
            // What is not known here must not deliver by accident.
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_fits_by_name_by_prefix_and_by_detail() {
        let rule = json!({"source": ["lumina"], "detail-type": ["patient.merged", {"prefix": "user."}]});
        let event =
            |kind: &str| json!({"source": "lumina", "detail-type": kind, "detail": {"site": "sit_1"}});
        assert!(fits(&rule, &event("patient.merged")));
        assert!(fits(&rule, &event("user.disabled")));
        assert!(!fits(&rule, &event("patient.registered")));
        assert!(!fits(&json!({"source": ["other"]}), &event("patient.merged")));
        assert!(fits(
            &json!({"detail": {"site": [{"exists": true}], "gone": [{"exists": false}]}}),
            &event("x")
        ));
        assert!(fits(&json!({"detail": {"site": [{"anything-but": ["sit_2"]}]}}), &event("x")));
        assert!(!fits(&json!({"detail": {"site": [{"numeric": ["=", 1]}]}}), &event("x")));
    }

    #[test]
    fn a_streams_filter_is_the_same_language() {
        let filter =
            json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "v#"}]}}}});
        let record = |name: &str, sk: &str| json!({"eventName": name, "dynamodb": {"Keys": {"pk": {"S": "t#chg"}, "sk": {"S": sk}}}});
        assert!(fits(&filter, &record("INSERT", "v#0000000001")));
        assert!(!fits(&filter, &record("MODIFY", "v#0000000001")));
        assert!(!fits(&filter, &record("INSERT", ".")));
    }

    #[test]
    fn a_queue_knows_its_dead_letters() {
        let properties = json!({
            "QueueName": "lumina-patients", "VisibilityTimeout": 150,
            "RedrivePolicy": {"deadLetterTargetArn": "PatientsDeadLetters.Arn", "maxReceiveCount": 5},
        });
        let queue = Queue::of(&Resource { id: "PatientsQueue".into(), kind: String::new(), properties });
        assert_eq!(queue.dead_letters, Some(("PatientsDeadLetters".into(), 5)));
        assert_eq!((queue.name.as_str(), queue.visibility.as_secs()), ("lumina-patients", 150));
    }
}
