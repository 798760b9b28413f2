//! A CloudFormation file with its intrinsic functions worked out, nested templates included.
//!
//! A reference to a resource becomes its logical id (`PatientsQueue`), an attribute of it the id with the
//! attribute (`PatientsQueue.Arn`), whether it was named in this file or came through a nested template's
//! output. That is all a local reader needs: there are no ARNs here.

use crate::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::{Map, Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

#[derive(Clone, Debug)]
pub struct Resource {
    pub id: String,
    pub kind: String,
    pub properties: Value,
}

/// One template file with the parameters it is deployed with.
pub struct Document {
    raw: Value,
    path: PathBuf,
    parameters: BTreeMap<String, Value>,
    nested: RefCell<BTreeMap<String, Rc<Document>>>,
}

impl Document {
    /// Reads a file; parameters that are not given take the template's defaults.
    pub fn load(path: &Path, given: &BTreeMap<String, Value>) -> Outcome<Document> {
        Ok(Document::of(read(path)?, path, given))
    }

    fn of(raw: Value, path: &Path, given: &BTreeMap<String, Value>) -> Document {
        let mut parameters = BTreeMap::new();
        for (name, declared) in entries(&raw["Parameters"]) {
            let default = declared.get("Default").cloned().unwrap_or_else(|| json!(""));
            parameters.insert(name.clone(), given.get(name).cloned().unwrap_or(default));
        }
        Document { raw, path: path.into(), parameters, nested: RefCell::default() }
    }

    /// Every resource of this file and of the nested ones whose condition holds.
    pub fn resources(&self) -> Outcome<Vec<Resource>> {
        let mut found = Vec::new();
        for (id, resource) in entries(&self.raw["Resources"]) {
            if resource.get("Condition").and_then(Value::as_str).is_some_and(|name| !self.holds(name)) {
                continue;
            }
            let kind = resource["Type"].as_str().unwrap_or_default();
            if is_nested(kind) {
                found.extend(self.child(id)?.resources()?);
            } else {
                let properties = self.resolve(&self.with_globals(kind, &resource["Properties"]));
                found.push(Resource { id: id.clone(), kind: kind.into(), properties });
            }
        }
        Ok(found)
    }

    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name)
    }

    /// SAM's `Globals` are the functions' and the API's defaults; maps are merged, all else is replaced.
    fn with_globals(&self, kind: &str, own: &Value) -> Value {
        let section = match kind {
            "AWS::Serverless::Function" => "Function",
            "AWS::Serverless::Api" => "Api",
            _ => return own.clone(),
        };
        let mut whole = self.raw["Globals"][section].clone();
        merge(&mut whole, own);
        whole
    }

    fn child(&self, id: &str) -> Outcome<Rc<Document>> {
        if let Some(known) = self.nested.borrow().get(id) {
            return Ok(known.clone());
        }
        let properties = self.resolve(&self.raw["Resources"][id]["Properties"]);
        let place = properties["TemplateURL"].as_str().or(properties["Location"].as_str());
        let place = place.ok_or_else(|| trouble!("{id} of {} names no template", self.path.display()))?;
        let given = entries(&properties["Parameters"]).map(|(k, v)| (k.clone(), v.clone())).collect();
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let child = Rc::new(Document::load(&folder.join(place), &given)?);
        self.nested.borrow_mut().insert(id.into(), child.clone());
        Ok(child)
    }

    pub fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(list) => {
                list.iter().map(|v| self.resolve(v)).filter(|v| !is_no_value(v)).collect::<Vec<_>>().into()
            }
            Value::Object(map) => match map.iter().next() {
                Some((name, body)) if map.len() == 1 && (name == "Ref" || name.starts_with("Fn::")) => {
                    self.call(name, body)
                }
                _ => {
                    let kept = map.iter().map(|(k, v)| (k.clone(), self.resolve(v)));
                    Value::Object(kept.filter(|(_, v)| !is_no_value(v)).collect())
                }
            },
            other => other.clone(),
        }
    }

    fn call(&self, name: &str, body: &Value) -> Value {
        match name {
            "Ref" => self.reference(text(body)),
            "Fn::GetAtt" => self.attribute(body),
            "Fn::Sub" => self.substitute(body),
            "Fn::Join" => {
                let words = self.resolve(&body[1]);
                let words: Vec<String> = words.as_array().into_iter().flatten().map(plain).collect();
                json!(words.join(text(&body[0])))
            }
            "Fn::If" => self.resolve(&body[if self.holds(text(&body[0])) { 1 } else { 2 }]),
            "Fn::FindInMap" => {
                let [map, row, column] = [0, 1, 2].map(|n| plain(&self.resolve(&body[n])));
                self.resolve(&self.raw["Mappings"][map][row][column])
            }
            "Fn::Select" => {
                let list = self.resolve(&body[1]);
                let n = plain(&self.resolve(&body[0])).parse::<usize>().unwrap_or(0);
                list.get(n).cloned().unwrap_or(Value::Null)
            }
            "Fn::Split" => {
                let whole = plain(&self.resolve(&body[1]));
                json!(whole.split(text(&body[0])).collect::<Vec<_>>())
            }
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => json!(self.truth(&json!({ name: body }))),
            _ => json!({ name: self.resolve(body) }),
        }
    }

    fn reference(&self, name: &str) -> Value {
        let pseudo = match name {
            "AWS::Region" => super::REGION,
            "AWS::AccountId" => "000000000000",
            "AWS::Partition" => "aws",
            "AWS::StackName" => "lumina",
            "AWS::URLSuffix" => "amazonaws.com",
            _ => return self.parameters.get(name).cloned().unwrap_or_else(|| json!(name)),
        };
        json!(pseudo)
    }

    fn attribute(&self, body: &Value) -> Value {
        let (id, attribute) = match body {
            Value::Array(parts) => (plain(&parts[0]), plain(&self.resolve(&parts[1]))),
            whole => {
                let (id, attribute) = text(whole).split_once('.').unwrap_or((text(whole), ""));
                (id.into(), attribute.into())
            }
        };
        let Some(output) = attribute.strip_prefix("Outputs.") else {
            return json!(format!("{id}.{attribute}"));
        };
        match self.child(&id) {
            Ok(child) => child.resolve(&child.raw["Outputs"][output]["Value"]),
            Err(_) => json!(format!("{id}.{attribute}")),
        }
    }

    fn substitute(&self, body: &Value) -> Value {
        let (pattern, own) = match body {
            Value::Array(parts) => (text(&parts[0]), parts.get(1).cloned().unwrap_or_default()),
            whole => (text(whole), Value::Null),
        };
        let mut made = String::new();
        let mut rest = pattern;
        while let Some(start) = rest.find("${") {
            made.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else { break };
            let name = &rest[start + 2..start + length];
            made.push_str(&match (name.strip_prefix('!'), own.get(name)) {
                (Some(literal), _) => format!("${{{literal}}}"),
                (_, Some(value)) => plain(&self.resolve(value)),
                _ if name.contains('.') => plain(&self.attribute(&json!(name))),
                _ => plain(&self.reference(name)),
            });
            rest = &rest[start + length + 1..];
        }
        made.push_str(rest);
        json!(made)
    }

    fn holds(&self, condition: &str) -> bool {
        self.truth(&self.raw["Conditions"][condition])
    }

    fn truth(&self, value: &Value) -> bool {
        let Some((name, body)) = value.as_object().and_then(|map| map.iter().next()) else {
            return value.as_bool().unwrap_or(false);
        };
        let mut parts = body.as_array().into_iter().flatten();
        match name.as_str() {
            "Condition" => self.holds(text(body)),
            "Fn::Equals" => plain(&self.resolve(&body[0])) == plain(&self.resolve(&body[1])),
            "Fn::Not" => !parts.all(|part| self.truth(part)),
            "Fn::And" => parts.all(|part| self.truth(part)),
            "Fn::Or" => parts.any(|part| self.truth(part)),
            _ => false,
        }
    }
}

pub fn is_nested(kind: &str) -> bool {
    matches!(kind, "AWS::CloudFormation::Stack" | "AWS::Serverless::Application")
}

/// The members of an object; none for anything else.
pub fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A scalar as text: CloudFormation does not tell `60` from `"60"`.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_no_value(value: &Value) -> bool {
    value.as_str() == Some("AWS::NoValue")
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from.clone(),
    }
}

/// A template file as it is written, with the long form of its functions: `{"Fn::Sub": "x"}`.
pub fn read(path: &Path) -> Outcome<Value> {
    let text = std::fs::read_to_string(path).whilst(format_args!("read {}", path.display()))?;
    let yaml = serde_yaml_ng::from_str(&text).whilst(format_args!("parse {}", path.display()))?;
    Ok(untag(yaml))
}

/// `!Sub x` is `{"Fn::Sub": x}`; only `Ref` and `Condition` carry no prefix.
fn untag(value: serde_yaml_ng::Value) -> Value {
    use serde_yaml_ng::Value as Yaml;
    match value {
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = match name.trim_start_matches('!') {
                bare @ ("Ref" | "Condition") => bare.into(),
                other => format!("Fn::{other}"),
            };
            json!({ name: untag(tagged.value) })
        }
        Yaml::Sequence(list) => list.into_iter().map(untag).collect::<Vec<_>>().into(),
        Yaml::Mapping(map) => {
            let named = |key: Yaml| match key {
                Yaml::String(text) => text,
                other => plain(&untag(other)),
            };
            Value::Object(map.into_iter().map(|(k, v)| (named(k), untag(v))).collect::<Map<_, _>>())
        }
        plain => serde_json::to_value(plain).unwrap_or(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(yaml: &str) -> Document {
        Document::of(untag(serde_yaml_ng::from_str(yaml).unwrap()), Path::new("t.yaml"), &BTreeMap::new())
    }

    const SMALL: &str = r#"
Parameters: { Stage: { Type: String, Default: local }, Backup: { Type: String, Default: "" } }
Conditions:
  HasBackup: !Not [!Equals [!Ref Backup, ""]]
  Both: !And [!Condition HasBackup, !Equals [a, a]]
Mappings: { Plans: { basic: { Rate: 5 } } }
Globals: { Function: { Timeout: 29, Environment: { Variables: { STAGE: !Ref Stage } } } }
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "lumina-${Stage}-patients" } }
  Replica: { Type: AWS::S3::Bucket, Condition: Both, Properties: {} }
  Patients:
    Type: AWS::Serverless::Function
    Properties:
      Environment: { Variables: { QUEUE: !Ref Queue, ARN: !GetAtt Queue.Arn } }
      Rate: !FindInMap [Plans, basic, Rate]
      Role: !If [HasBackup, a, !Ref AWS::NoValue]
      Path: !Join ["/", [a, !Ref Stage]]
      Literal: !Sub ["${!Raw} ${X}", { X: !Ref Stage }]
"#;

    #[test]
    fn intrinsic_functions_become_logical_names() {
        let resources = document(SMALL).resources().unwrap();
        assert_eq!(resources.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["Patients", "Queue"]);
        assert_eq!(resources[1].properties["QueueName"], "lumina-local-patients");
        assert_eq!(
            resources[0].properties,
            json!({
                "Timeout": 29, "Rate": 5, "Path": "a/local", "Literal": "${Raw} local",
                "Environment": {"Variables": {"STAGE": "local", "QUEUE": "Queue", "ARN": "Queue.Arn"}},
            })
        );
    }

    #[test]
    fn a_nested_template_hands_its_outputs_up() {
        let folder = std::env::temp_dir().join(format!("lumina-document-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("infra")).unwrap();
        std::fs::write(folder.join("infra/m.yaml"), "Parameters: {Name: {Type: String}}\nResources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}}\nOutputs: {Q: {Value: !GetAtt Q.Arn}}").unwrap();
        let root = folder.join("template.yaml");
        std::fs::write(&root, "Resources:\n  M: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: infra/m.yaml, Parameters: {Name: visits}}}\n  F: {Type: X, Properties: {Q: !GetAtt M.Outputs.Q}}").unwrap();
        let resources = Document::load(&root, &BTreeMap::new()).unwrap().resources().unwrap();
        let find = |id: &str| resources.iter().find(|r| r.id == id).unwrap().properties.clone();
        assert_eq!(find("F")["Q"], "Q.Arn");
        assert_eq!(find("Q")["QueueName"], "visits");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
