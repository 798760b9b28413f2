//! What a deployment costs in a month in which nobody uses it, counted from the templates' resources.

use super::prices::Prices;
use crate::template::raw::{File, Resource};
use serde_json::{Value, json};

/// Minutes of an average month.
const MINUTES: f64 = 365.25 * 24.0 * 60.0 / 12.0;
/// Lambda polls a standard queue with five long polls of 20 seconds.
/// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (2026-11)
const POLLS: f64 = 15.0;
/// Bytes of log that a beat leaves, and milliseconds that it takes.
const BEAT: (f64, f64) = (700.0, 60.0);
/// Read units of a beat that finds nothing.
const BEAT_READS: f64 = 3.0;

/// One line of the bill.
pub struct Line {
    pub what: String,
    pub count: f64,
    pub each: f64,
}

impl Line {
    pub fn sum(&self) -> f64 {
        self.count * self.each
    }
}

pub fn lines(files: &[File], prices: &Prices) -> Vec<Line> {
    // Of the backup Region; its own stack, only where there is one.
    let main = files.iter().filter(|file| file.name != "infra/backup.yaml");
    let all: Vec<&Resource> = main.flat_map(|file| &file.resources).collect();
    let of = |kind: &'static str| all.iter().filter(move |r| r.kind == kind);
    let list = |r: &Resource, name: &str| {
        r.property(name).and_then(|v| v.as_sequence().cloned()).unwrap_or_default()
    };
    let rules: usize = of("AWS::WAFv2::WebACL").map(|acl| list(acl, "Rules").len()).sum();
    let metrics: usize = of("AWS::CloudWatch::Alarm").map(|alarm| metrics(&list(alarm, "Metrics"))).sum();
    let sources = |kind: &str| -> usize {
        of("AWS::Serverless::Function").map(|function| sources(function, kind)).sum()
    };
    let beats = every_minute(&all);
    let (month, million) = (&prices.per_month, &prices.per_million);
    let line = |what: String, count: f64, each: f64| Line { what, count, each };
    vec![
        line("firewall: web ACLs".into(), of("AWS::WAFv2::WebACL").count() as f64, month.firewall_acl),
        line("firewall: rules and managed groups".into(), rules as f64, month.firewall_rule),
        line("dashboards".into(), of("AWS::CloudWatch::Dashboard").count() as f64, month.dashboard),
        line("metrics that alarms look at".into(), metrics as f64, month.alarm_metric),
        line("keys".into(), of("AWS::KMS::Key").count() as f64, month.key),
        line(
            format!("requests to {} polled queues, in millions", sources("SQS")),
            sources("SQS") as f64 * POLLS * MINUTES / 1e6,
            million.queue_request,
        ),
        line(format!("beats of {beats} clock, in millions"), beats as f64 * MINUTES / 1e6, beat(prices)),
    ]
}

/// A million beats: the schedule, the function, its reads, its trace and its log.
fn beat(prices: &Prices) -> f64 {
    let million = &prices.per_million;
    let (bytes, milliseconds) = BEAT;
    let seconds = milliseconds / 1000.0 * 0.25 * prices.function_gb_second_arm64 * 1e6;
    let log = bytes * 1e6 / 1e9 * prices.log_gb;
    million.schedule_invocation
        + million.function_request
        + seconds
        + BEAT_READS * million.table_read_unit
        + million.trace
        + log
}

/// A plain alarm looks at one metric; one over an expression is billed by each that the expression names.
fn metrics(named: &[serde_yaml_ng::Value]) -> usize {
    named.iter().filter(|one| one.get("MetricStat").is_some()).count().max(1)
}

fn sources(function: &Resource, kind: &str) -> usize {
    let events = function.property("Events").and_then(|events| events.as_mapping());
    let kinds = events.into_iter().flatten().filter_map(|(_, event)| event.get("Type")?.as_str());
    kinds.filter(|k| *k == kind).count()
}

fn every_minute(all: &[&Resource]) -> usize {
    let events = all.iter().filter_map(|r| r.property("Events")?.as_mapping()).flatten();
    let expressions = events.filter_map(|(_, e)| e.get("Properties")?.get("ScheduleExpression")?.as_str());
    expressions.filter(|e| *e == "rate(1 minute)").count()
}

pub fn json(lines: &[Line]) -> Value {
    let line = |l: &Line| json!({"what": l.what, "count": l.count, "each": l.each, "sum": l.sum()});
    json!({"lines": lines.iter().map(line).collect::<Vec<_>>(), "sum": lines.iter().map(Line::sum).sum::<f64>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::raw::resources;

    #[test]
    fn what_is_billed_by_the_month_is_counted_from_the_template() {
        let text = "
Resources:
  Acl: {Type: AWS::WAFv2::WebACL, Properties: {Rules: [{Name: a}, {Name: b}]}}
  K: {Type: AWS::KMS::Key}
  One: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: x}}
  Sum: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [{Expression: SUM}, {MetricStat: {}}, {MetricStat: {}}]}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Queue: {Type: SQS}
        Beat: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}";
        let file = File { name: "t.yaml".into(), resources: resources(text).unwrap() };
        let backup = File { name: "infra/backup.yaml".into(), resources: resources(text).unwrap() };
        let lines = lines(&[file, backup], &Prices::of("us-east-1").unwrap());
        let counts: Vec<f64> = lines.iter().take(5).map(|l| l.count).collect();
        assert_eq!(counts, [1.0, 2.0, 0.0, 3.0, 1.0]);
        assert!((lines[5].sum() - 0.263).abs() < 0.001, "{}", lines[5].sum());
        assert!(lines[6].sum() > 0.2 && lines[6].sum() < 0.5, "{}", lines[6].sum());
    }
}
