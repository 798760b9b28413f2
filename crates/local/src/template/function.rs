//! The functions, their environment and what wakes them.

use super::{
    STACK,
    document::{Resource, entries, plain},
    schedule::Schedule,
};
use crate::{trouble, trouble::Outcome};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug)]
pub struct Function {
    /// `patients`: the binary's and the folder's name.
    pub name: String,
    pub environment: BTreeMap<String, String>,
    pub timeout: Duration,
    pub sources: Vec<Source>,
}

/// What hands a function its events.
#[derive(Debug, PartialEq)]
pub enum Source {
    /// A queue by its logical name, so many messages at once.
    Queue {
        queue: String,
        batch: usize,
    },
    /// The table's stream, records that fit one of the patterns only.
    Stream {
        batch: usize,
        patterns: Vec<Value>,
    },
    Schedule {
        name: String,
        schedule: Schedule,
        input: Value,
    },
}

impl Function {
    pub fn of(resource: &Resource) -> Outcome<Function> {
        let properties = &resource.properties;
        let name = plain(&properties["FunctionName"]);
        let name = name.strip_prefix(&format!("{STACK}-")).unwrap_or(&name).to_string();
        let environment = entries(&properties["Environment"]["Variables"]);
        let events = entries(&properties["Events"]);
        Ok(Function {
            name,
            environment: environment.map(|(k, v)| (k.clone(), plain(v))).collect(),
            timeout: Duration::from_secs(plain(&properties["Timeout"]).parse().unwrap_or(3)),
            sources: events
                .map(|(id, event)| source(id, event))
                .collect::<Outcome<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect(),
        })
    }
}

fn source(id: &str, event: &Value) -> Outcome<Option<Source>> {
    let properties = &event["Properties"];
    let batch = plain(&properties["BatchSize"]).parse().unwrap_or(10);
    Ok(match plain(&event["Type"]).as_str() {
        "SQS" => {
            let queue = plain(&properties["Queue"]);
            Some(Source::Queue { queue: queue.trim_end_matches(".Arn").into(), batch })
        }
        "DynamoDB" => {
            let filters = properties["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
            let patterns = filters.map(|filter| serde_json::from_str(&plain(&filter["Pattern"])));
            let patterns = patterns.collect::<Result<_, _>>();
            let patterns = patterns.map_err(|cause| trouble!("The filter of {id} is not JSON: {cause}."))?;
            Some(Source::Stream { batch, patterns })
        }
        "Schedule" | "ScheduleV2" => {
            let expression =
                plain(&properties["ScheduleExpression"]).to_string() + &plain(&properties["Schedule"]);
            let input = serde_json::from_str(&plain(&properties["Input"])).unwrap_or_default();
            let schedule = Schedule::parse(&expression)
                .ok_or_else(|| trouble!("{id} has a schedule that is not understood: {expression}."))?;
            Some(Source::Schedule { name: id.into(), schedule, input })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_function_knows_its_environment_and_what_wakes_it() {
        let properties = json!({
            "FunctionName": "lumina-dispatch", "Timeout": 60,
            "Environment": {"Variables": {"TABLE": "lumina", "ISOLATE": false}},
            "Events": {
                "Beat": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 minute)", "Input": "{\"beat\":\"minute\"}"}},
                "Queue": {"Type": "SQS", "Properties": {"Queue": "PatientsQueue.Arn", "BatchSize": 5}},
                "Stream": {"Type": "DynamoDB", "Properties": {"BatchSize": 100, "FilterCriteria": {"Filters": [{"Pattern": "{\"eventName\":[\"INSERT\"]}"}]}}},
            },
        });
        let function = Function::of(&Resource { id: "D".into(), kind: String::new(), properties }).unwrap();
        assert_eq!((function.name.as_str(), function.timeout.as_secs()), ("dispatch", 60));
        assert_eq!(function.environment["ISOLATE"], "false");
        assert_eq!(function.sources[1], Source::Queue { queue: "PatientsQueue".into(), batch: 5 });
        assert_eq!(
            function.sources[2],
            Source::Stream { batch: 100, patterns: vec![json!({"eventName": ["INSERT"]})] }
        );
        assert!(matches!(&function.sources[0], Source::Schedule { input, .. } if input["beat"] == "minute"));
    }
}
