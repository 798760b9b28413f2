//! CloudFormation takes 500 resources in a file. We stop at 400, so that the day of the move to another file is
//! chosen and not met.

use super::raw::{File, Resource};

const MOST: usize = 400;

pub fn differences(files: &[File]) -> Vec<String> {
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
    fn four_hundred_is_too_many() {
        let queues = |n| (0..n).map(|i| format!("  Q{i}: {{Type: AWS::SQS::Queue}}\n")).collect::<String>();
        let found = |n| differences(&[file(&format!("Resources:\n{}", queues(n)))]);
        assert_eq!(found(399), Vec::<String>::new());
        assert!(found(400)[0].starts_with("t.yaml: 400 resources"));
    }
}
