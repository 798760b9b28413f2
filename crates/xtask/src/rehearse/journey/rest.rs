//! After the people: the schedules have rung, the queues are empty, nothing was given up, nobody was refused.

use super::{Scene, doors::invoke};
use local::{trouble, trouble::Outcome};
use serde_json::{Value, json};
use std::time::Duration;

/// The minute's beat by hand, and the one that the schedule rings.
pub async fn clock(scene: &Scene<'_>) -> Outcome<((), String)> {
    let answer = invoke(scene, "clock", &json!({"beat": "minute"})).await?;
    if !answer["errorMessage"].is_null() {
        return Err(trouble!("The clock answered {answer}"));
    }
    for _ in 0..150 {
        let lines = scene.steps.lines("clock").await?;
        if lines.iter().filter(|line| line.starts_with("START ")).count() > 1 {
            return Ok((
                (),
                format!("the minute's beat answered {answer}, and the schedule has rung by itself"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(trouble!("The schedule has not rung within 75 seconds."))
}

/// Every message has been taken, and none was given up.
pub async fn queues(scene: &Scene<'_>) -> Outcome<((), String)> {
    let all = scene.steps.aws.json("sqs", "AmazonSQS.ListQueues", &json!({})).await?;
    let all: Vec<&str> =
        all["QueueUrls"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let sources =
        scene.steps.aws.rest("lambda", reqwest::Method::GET, "/2015-03-31/event-source-mappings/", vec![]);
    let sources = sources.await?;
    let mut waiting = vec![];
    for _ in 0..60 {
        waiting.clear();
        for url in &all {
            let name = url.rsplit('/').next().unwrap_or_default();
            let held = held(scene, url).await?;
            if held > 0 && name.ends_with("-dead") {
                return Err(trouble!("{held} messages were given up to {name}."));
            }
            // A queue that nobody reads yet keeps what it has.
            if held > 0 && sources.contains(&format!(":{name}\"")) {
                waiting.push(format!("{name} {held}"));
            }
        }
        if waiting.is_empty() {
            return Ok((
                (),
                format!("{} queues: all that is read is empty, nothing was given up", all.len()),
            ));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(trouble!("Messages still wait after 30 seconds: {}", waiting.join(", ")))
}

/// Messages of a queue, those in work included.
async fn held(scene: &Scene<'_>, url: &str) -> Outcome<u64> {
    let ask = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let told = scene.steps.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &ask).await?;
    let number =
        |name: &str| told["Attributes"][name].as_str().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    Ok(number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible"))
}

/// No call of a function was refused by its role.
pub async fn policies(scene: &Scene<'_>) -> Outcome<((), String)> {
    let refusals = scene.steps.refusals();
    match refusals.is_empty() {
        true => Ok(((), "every call of every function was allowed by its role".into())),
        false => Err(trouble!("Roles lack rights that their functions use:\n  {}", refusals.join("\n  "))),
    }
}
