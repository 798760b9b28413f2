//! CloudFormation takes 500 resources in a file. We stop at 400, so that the day of the move to another file is
//! chosen and not met.

use super::raw::{File, Resource};

const MOST: usize = 400;

/// Metrics that CloudWatch lets one alarm look at; a hard limit, which cfn-lint does not know.
/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html (2026-11)
const METRICS: usize = 10;

pub fn differences(files: &[File]) -> Vec<String> {
    let mut found = full(files);
    for (file, resource) in files.iter().flat_map(|file| file.resources.iter().map(move |r| (file, r))) {
        let metrics = resource.property("Metrics").and_then(|metrics| metrics.as_sequence());
        let looked_at = metrics.into_iter().flatten().filter(|one| one.get("MetricStat").is_some()).count();
        if resource.kind == "AWS::CloudWatch::Alarm" && looked_at > METRICS {
            found.push(format!(
                "{}: {} looks at {looked_at} metrics; CloudWatch takes {METRICS} in an alarm",
                file.name, resource.id
            ));
        }
    }
    found
}

fn full(files: &[File]) -> Vec<String> {
    let counted = files.iter().map(|file| (&file.name, file.resources.iter().map(becomes).sum::<usize>()));
    let full = counted.filter(|(_, count)| *count >= MOST);
    full.map(|(name, count)| {
        format!(
            "{name}: {count} resources after SAM's transformation; move some to another file before {MOST}"
        )
    })
    .collect()
}

/// How many resources SAM's transformation makes of one; never fewer than it really does.
fn becomes(resource: &Resource) -> usize {
    let has = |name: &str| resource.property(name).is_some();
    match resource.kind.as_str() {
        "AWS::Serverless::Function" => {
            let role = usize::from(!has("Role"));
            let alias = if has("AutoPublishAlias") { 2 } else { 0 };
            let url = if has("FunctionUrlConfig") { 2 } else { 0 };
            let events = resource.property("Events").and_then(|events| events.as_mapping());
            1 + role
                + alias
                + url
                + events.into_iter().flatten().map(|(_, event)| source(event)).sum::<usize>()
        }
        // The API, its deployment, its stage; with a domain its name, mapping and record.
        "AWS::Serverless::Api" => {
            if has("Domain") {
                6
            } else {
                3
            }
        }
        kind if kind.starts_with("AWS::Serverless::") => 5,
        _ => 1,
    }
}

/// A mapping, or a schedule with its role.
fn source(event: &serde_yaml_ng::Value) -> usize {
    let own_role = event.get("Properties").is_some_and(|p| p.get("RoleArn").is_some());
    match event.get("Type").and_then(|kind| kind.as_str()) {
        Some("SQS" | "DynamoDB" | "Kinesis" | "Api") => 1,
        Some("ScheduleV2") if own_role => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::raw::resources, *};

    fn file(text: &str) -> File {
        File { name: "t.yaml".into(), resources: resources(text).unwrap() }
    }

    #[test]
    fn what_sam_adds_is_counted() {
        let text = "
Resources:
  Api: {Type: AWS::Serverless::Api}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt P.Outputs.R
      Events:
        Queue: {Type: SQS}
        Beat: {Type: ScheduleV2, Properties: {RoleArn: !Ref X}}
        Bare: {Type: ScheduleV2, Properties: {}}
  G: {Type: AWS::Serverless::Function, Properties: {AutoPublishAlias: live}}
  Q: {Type: AWS::SQS::Queue}";
        let counts: Vec<_> = file(text).resources.iter().map(becomes).collect();
        assert_eq!(counts, [3, 5, 4, 1]);
    }

    #[test]
    fn an_alarm_over_eleven_metrics_is_refused() {
        let alarm = |n| {
            let one = "        - {Id: m, MetricStat: {Stat: Maximum}}\n";
            let sum = "        - {Id: all, Expression: SUM(METRICS())}\n";
            format!(
                "Resources:\n  Dead:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Metrics:\n{sum}{}",
                one.repeat(n)
            )
        };
        assert_eq!(differences(&[file(&alarm(10))]), Vec::<String>::new());
        let found = differences(&[file(&alarm(11))]);
        assert_eq!(found, ["t.yaml: Dead looks at 11 metrics; CloudWatch takes 10 in an alarm"]);
    }

    #[test]
    fn four_hundred_is_too_many() {
        let queues = |n| (0..n).map(|i| format!("  Q{i}: {{Type: AWS::SQS::Queue}}\n")).collect::<String>();
        let found = |n| differences(&[file(&format!("Resources:\n{}", queues(n)))]);
        assert_eq!(found(399), Vec::<String>::new());
        assert!(found(400)[0].starts_with("t.yaml: 400 resources"));
    }
}
