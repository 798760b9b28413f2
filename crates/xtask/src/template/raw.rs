//! The template files as they are written, before anything is resolved.

use local::trouble::{Outcome, While};
use serde_yaml_ng::Value;
use std::{collections::BTreeMap, fs, path::Path};

/// A template file.
pub struct File {
    /// From the workspace's root: `infra/data.yaml`.
    pub name: String,
    pub resources: Vec<Resource>,
}

pub struct Resource {
    pub id: String,
    pub kind: String,
    /// Everything that is written about it.
    pub value: Value,
}

impl Resource {
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.value.get("Properties")?.get(name)
    }
}

/// `template.yaml` and every file of `infra/`.
pub fn files(root: &Path) -> Outcome<Vec<File>> {
    let mut names = vec!["template.yaml".to_string()];
    for entry in fs::read_dir(root.join("infra")).whilst("read infra/")? {
        let name = entry.whilst("read infra/")?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") {
            names.push(format!("infra/{name}"));
        }
    }
    names.sort();
    names.into_iter().map(|name| file(root, name)).collect()
}

fn file(root: &Path, name: String) -> Outcome<File> {
    let text = fs::read_to_string(root.join(&name)).whilst(format_args!("read {name}"))?;
    Ok(File { resources: resources(&text).whilst(format_args!("read {name}"))?, name })
}

pub(crate) fn resources(text: &str) -> Result<Vec<Resource>, serde_yaml_ng::Error> {
    let value: Value = serde_yaml_ng::from_str(text)?;
    let all = value.get("Resources").and_then(Value::as_mapping).into_iter().flatten();
    Ok(all
        .map(|(id, value)| Resource {
            id: word(Some(id)),
            kind: word(value.get("Type")),
            value: value.clone(),
        })
        .collect())
}

fn word(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().into()
}

/// The binary that each function of the root is built from, by the function's logical name.
pub fn binaries(files: &[File]) -> BTreeMap<String, String> {
    let functions =
        files.iter().flat_map(|file| &file.resources).filter(|r| r.kind == "AWS::Serverless::Function");
    let binary =
        |r: &Resource| word(r.value.get("Metadata").and_then(|m| m.get("BuildProperties")?.get("Binary")));
    functions.map(|r| (r.id.clone(), binary(r))).collect()
}
