//! What of the templates the emulator takes as it is, and what is left out or put differently, each for a reason.
//!
//! The list is data (`adaptations.json`); a resource of a type that is not in it stops the rehearsal, so nothing is
//! left out by accident. `docs/rehearsal.md` repeats the list, and a test holds the two together.

mod api;

use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    Kept,
    Dropped,
    Replaced,
    Adapted,
}

/// One line of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(rename = "type")]
    pub kind: String,
    /// Only resources that have this property; they are looked for first.
    pub with: Option<String>,
    pub stands: Stands,
    /// What the emulator makes of it, where that is less than AWS does.
    pub note: Option<String>,
    /// Why it is not kept.
    pub because: Option<String>,
}

/// A resource that does not stand as the template has it, or stands as less than AWS would make of it.
#[derive(Debug)]
pub struct Change {
    pub file: String,
    pub id: String,
    pub rule: Rule,
}

impl Change {
    pub fn is_kept(&self) -> bool {
        self.rule.stands == Stands::Kept
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { kind, stands, note, because, .. } = &self.rule;
        let said = because.as_ref().or(note.as_ref()).map_or("no reason given", String::as_str);
        let stands = match stands {
            // The same of each of its kind.
            Stands::Kept => return write!(f, "kept {kind}: {said}"),
            Stands::Dropped => "dropped",
            Stands::Replaced => "replaced",
            Stands::Adapted => "adapted",
        };
        write!(f, "{stands} {} {} ({kind}): {said}", self.file, self.id)
    }
}

pub fn rules() -> Outcome<Vec<Rule>> {
    serde_json::from_str(include_str!("adaptations.json")).whilst("read adaptations.json")
}

/// Makes a template one that the emulator takes; answers what was changed.
pub fn adapt(rules: &[Rule], file: &str, template: &mut Value) -> Outcome<Vec<Change>> {
    let mut changes = vec![];
    let resources = template["Resources"].as_object().cloned().unwrap_or_default();
    for (id, resource) in resources {
        let rule = rule_for(rules, &resource).ok_or_else(|| {
            let kind = &resource["Type"];
            trouble!(
                "{file}: {id} is a {kind}, which adaptations.json does not know: try it, then list it there."
            )
        })?;
        let all = &mut template["Resources"];
        match rule.stands {
            Stands::Kept if rule.note.is_none() => continue,
            Stands::Kept => (),
            Stands::Dropped => drop(all.as_object_mut().and_then(|all| all.remove(&id))),
            Stands::Replaced => replace(&rule.kind, &mut all[&id])?,
            Stands::Adapted if rule.kind == "AWS::ApiGatewayV2::Stage" => deploy_by_itself(&mut all[&id]),
            Stands::Adapted => api::adapt(&id, all)?,
        }
        changes.push(Change { file: file.into(), id, rule: rule.clone() });
    }
    nothing_hangs(file, template, &changes)?;
    Ok(changes)
}

fn rule_for<'a>(rules: &'a [Rule], resource: &Value) -> Option<&'a Rule> {
    let fits = |rule: &&Rule| {
        let has = |name: &String| !resource["Properties"][name].is_null();
        resource["Type"] == rule.kind.as_str() && rule.with.as_ref().is_none_or(has)
    };
    let mut fitting: Vec<&Rule> = rules.iter().filter(fits).collect();
    fitting.sort_by_key(|rule| rule.with.is_none());
    fitting.first().copied()
}

/// A stage of a WebSocket API without the deployment that it names.
fn deploy_by_itself(stage: &mut Value) {
    if let Some(properties) = stage["Properties"].as_object_mut() {
        properties.remove("DeploymentId");
        properties.insert("AutoDeploy".into(), json!(true));
    }
}

/// A policy of one role, in the older type that names several.
fn replace(kind: &str, resource: &mut Value) -> Outcome<()> {
    if kind != "AWS::IAM::RolePolicy" {
        return Err(trouble!("adaptations.json has {kind} replaced, and nobody says by what."));
    }
    resource["Type"] = json!("AWS::IAM::Policy");
    if let Some(properties) = resource["Properties"].as_object_mut() {
        let role = properties.remove("RoleName").unwrap_or_default();
        properties.insert("Roles".into(), json!([role]));
    }
    Ok(())
}

/// A resource that was dropped must not be referred to.
fn nothing_hangs(file: &str, template: &Value, changes: &[Change]) -> Outcome<()> {
    let dropped = changes.iter().filter(|c| c.rule.stands == Stands::Dropped).map(|c| c.id.as_str());
    let dropped: BTreeSet<&str> = dropped.collect();
    match dropped.iter().find(|id| refers(template, id)) {
        Some(id) => Err(trouble!("{file}: {id} is dropped for the emulator, but something refers to it.")),
        None => Ok(()),
    }
}

fn refers(value: &Value, id: &str) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|one| refers(one, id)),
        Value::Object(map) => map.iter().any(|(name, body)| match name.as_str() {
            "Ref" | "DependsOn" => {
                body == id || body.as_array().is_some_and(|all| all.iter().any(|b| b == id))
            }
            "Fn::GetAtt" => body[0] == id || body.as_str().is_some_and(|b| b.split('.').next() == Some(id)),
            _ => refers(body, id),
        }),
        Value::String(text) => text.contains(&format!("${{{id}}}")) || text.contains(&format!("${{{id}.")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn template(resources: Value) -> Value {
        json!({ "Resources": resources })
    }

    #[test]
    fn an_unknown_type_stops_the_rehearsal() {
        let mut one = template(json!({"Lake": {"Type": "AWS::LakeFormation::Resource", "Properties": {}}}));
        let trouble = adapt(&rules().unwrap(), "infra/lake.yaml", &mut one).unwrap_err();
        assert!(
            trouble.0.contains("infra/lake.yaml: Lake is a \"AWS::LakeFormation::Resource\""),
            "{trouble}"
        );
    }

    #[test]
    fn the_rule_for_a_property_goes_before_the_rule_for_the_type() {
        let alarm = |property: &str| json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {property: [1]}});
        let mut one = template(json!({"Sum": alarm("Metrics"), "Single": alarm("MetricName")}));
        let changes = adapt(&rules().unwrap(), "t", &mut one).unwrap();
        let changes: Vec<_> = changes.into_iter().filter(|change| !change.is_kept()).collect();
        assert_eq!(changes.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["Sum"]);
        assert!(one["Resources"]["Sum"].is_null() && one["Resources"]["Single"].is_object());
        assert!(changes[0].to_string().starts_with("dropped t Sum (AWS::CloudWatch::Alarm): the emulator"));
    }

    #[test]
    fn what_others_refer_to_is_never_dropped() {
        for by in [
            json!({"Ref": "Style"}),
            json!({"Fn::GetAtt": ["Style", "Id"]}),
            json!({"Fn::Sub": "x${Style.Id}"}),
        ] {
            let style = json!({"Type": "AWS::Cognito::ManagedLoginBranding", "Properties": {}});
            let queue = json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": by}});
            let mut one = template(json!({"Style": style, "Queue": queue}));
            assert!(
                adapt(&rules().unwrap(), "t", &mut one).unwrap_err().0.contains("something refers to it")
            );
        }
    }

    #[test]
    fn a_roles_policy_becomes_a_policy_with_that_role() {
        let policy =
            json!({"Type": "AWS::IAM::RolePolicy", "Properties": {"RoleName": "r", "PolicyName": "p"}});
        let mut one = template(json!({"P": policy}));
        adapt(&rules().unwrap(), "t", &mut one).unwrap();
        let want = json!({"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["r"], "PolicyName": "p"}});
        assert_eq!(one["Resources"]["P"], want);
    }

    #[test]
    fn a_stage_whose_deployment_is_dropped_deploys_by_itself() {
        let stage =
            json!({"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"DeploymentId": {"Ref": "Deployed"}}});
        let deployed = json!({"Type": "AWS::ApiGatewayV2::Deployment", "Properties": {}});
        let mut one = template(json!({"Stage": stage, "Deployed": deployed}));
        adapt(&rules().unwrap(), "t", &mut one).unwrap();
        assert_eq!(one["Resources"]["Stage"]["Properties"], json!({"AutoDeploy": true}));
        assert!(one["Resources"]["Deployed"].is_null());
    }

    #[test]
    fn whatever_is_not_kept_has_a_reason_and_everything_is_in_the_document() {
        let text = std::fs::read_to_string(workspace::root().join("docs/rehearsal.md")).unwrap();
        for rule in rules().unwrap() {
            assert_eq!(rule.stands != Stands::Kept, rule.because.is_some(), "{}", rule.kind);
            for said in [Some(&rule.kind), rule.note.as_ref(), rule.because.as_ref()].into_iter().flatten() {
                assert!(text.contains(said.as_str()), "docs/rehearsal.md does not say: {said}");
            }
        }
    }
}
