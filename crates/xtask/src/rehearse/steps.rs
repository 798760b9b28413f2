//! The rehearsal's steps: one line each, and the end of the functions' logs when one fails.

use super::{aws::Aws, stack::NAME};
use local::trouble::{Outcome, Trouble};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Lines of a function's log that a failure shows.
const TAIL: usize = 25;

pub struct Steps {
    pub aws: Aws,
    /// The emulator's own log; it tells of every call that a policy refused.
    pub log: PathBuf,
}

impl Steps {
    /// One step, answered with its line's words. `functions`: whose logs are shown when it fails.
    pub async fn take<T>(
        &self,
        name: &str,
        functions: &[&str],
        step: impl Future<Output = Outcome<(T, String)>>,
    ) -> Outcome<T> {
        let begun = Instant::now();
        match step.await {
            Ok((found, said)) => {
                println!("ok {name} ({:.1} s): {said}", begun.elapsed().as_secs_f64());
                Ok(found)
            }
            Err(trouble) => {
                println!("FAILED {name} ({:.1} s): {trouble}", begun.elapsed().as_secs_f64());
                self.show(functions).await;
                Err(Trouble(format!("The rehearsal failed at {name}.")))
            }
        }
    }

    async fn show(&self, functions: &[&str]) {
        // Logs are written when an invocation ends.
        tokio::time::sleep(Duration::from_millis(500)).await;
        for function in functions {
            println!("--- the end of the log of {NAME}-{function}");
            match self.lines(function).await {
                Ok(lines) => lines.iter().rev().take(TAIL).rev().for_each(|line| println!("    {line}")),
                Err(trouble) => println!("    {trouble}"),
            }
        }
        for refused in self.refusals() {
            println!("--- {refused}");
        }
    }

    /// What a function has written, oldest first.
    pub async fn lines(&self, function: &str) -> Outcome<Vec<String>> {
        let ask = json!({"logGroupName": format!("/aws/lambda/{NAME}-{function}"), "limit": 10_000});
        let told = self.aws.json("logs", "Logs_20140328.FilterLogEvents", &ask).await?;
        let events = told["events"].as_array().into_iter().flatten();
        let text = |event: &Value| event["message"].as_str().unwrap_or_default().trim_end().to_string();
        Ok(events.map(text).filter(|line| !line.is_empty()).collect())
    }

    /// Calls that a policy refused, each once, with how often.
    pub fn refusals(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let mut found: Vec<(String, usize)> = vec![];
        // The probe is there to be refused.
        let counts = |line: &&str| line.starts_with("REFUSED ") && !line.contains("/lumina-probe ");
        for line in log.lines().filter(counts) {
            match found.iter_mut().find(|(known, _)| known == line) {
                Some((_, count)) => *count += 1,
                None => found.push((line.into(), 1)),
            }
        }
        found.into_iter().map(|(line, count)| format!("{line} (×{count})")).collect()
    }
}
