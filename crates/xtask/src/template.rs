//! `template.yaml` and `infra/*.yaml` against the code: what is declared twice must be the same twice.

mod count;
mod environment;
mod functions;
pub(crate) mod raw;
mod routes;
mod rules;
mod schema;

use crate::{modules, workspace::Workspace};
use local::{
    template::{Template, document::Document},
    trouble,
    trouble::Outcome,
};
use serde_json::json;
use std::path::Path;

/// As it is deployed, and not as the local platform runs it: with the second wall, and with a sender.
pub fn deployed(root: &Path) -> Outcome<Template> {
    let given = [("Stage", "prod"), ("IsolateByCredentials", "true"), ("Sender", "no-reply@example.org")];
    let given = given.into_iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
    Template::of(&Document::load(&root.join("template.yaml"), &given)?.resources()?)
}

/// What differs, by subject, each in one sentence.
pub fn differences(root: &Path) -> Outcome<Vec<(&'static str, Vec<String>)>> {
    let (template, modules, workspace) = (deployed(root)?, modules::all(), Workspace::read(root)?);
    let files = raw::files(root)?;
    Ok(vec![
        ("routes", routes::differences(&template.api.methods, &modules)),
        (
            "functions",
            functions::differences(&template.functions, &raw::binaries(&files), &workspace.functions),
        ),
        ("rules", rules::differences(&template.functions, &template.rules, &modules)),
        ("environment", environment::differences(&template.functions, &modules)),
        ("table", schema::differences(&template.table)),
        ("size", count::differences(&files)),
    ])
}

pub fn check(root: &Path) -> Outcome<()> {
    let found = differences(root)?;
    for (subject, differences) in &found {
        println!("{subject}: {}", if differences.is_empty() { "as in the code" } else { "different" });
    }
    let all: Vec<String> = found.into_iter().flat_map(|(_, differences)| differences).collect();
    if all.is_empty() {
        return Ok(());
    }
    Err(trouble!("The templates and the code differ:\n  {}", all.join("\n  ")))
}
