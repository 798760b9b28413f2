//! `docs/openapi.json`: what the API promises, golden.

use crate::modules;
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn path(root: &Path) -> PathBuf {
    root.join("docs/openapi.json")
}

/// Of all modules' routes.
pub fn document() -> Value {
    web::openapi::document("Lumina", env!("CARGO_PKG_VERSION"), &modules::all())
}

fn text(document: &Value) -> Outcome<String> {
    Ok(serde_json::to_string_pretty(document).whilst("write the document")? + "\n")
}

pub fn write(root: &Path) -> Outcome<()> {
    let (path, document) = (path(root), document());
    fs::write(&path, text(&document)?).whilst(format_args!("write {}", path.display()))?;
    println!("docs/openapi.json: {}.", counted(&document));
    Ok(())
}

/// An error names what differs.
pub fn check(root: &Path) -> Outcome<()> {
    let (path, document) = (path(root), document());
    let kept = fs::read_to_string(&path).whilst(format_args!("read {}", path.display()))?;
    if kept == text(&document)? {
        println!("docs/openapi.json is the code's: {}.", counted(&document));
        return Ok(());
    }
    let kept: Value = serde_json::from_str(&kept).whilst("read docs/openapi.json")?;
    Err(trouble!(
        "docs/openapi.json is not what the routes say:\n{}\nIf that is meant, run `cargo xtask openapi` and commit it.",
        differences(&kept, &document).join("\n")
    ))
}

fn counted(document: &Value) -> String {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations: usize =
        paths.clone().map(|(_, path)| path.as_object().map_or(0, |verbs| verbs.len())).sum();
    format!("{operations} operations at {} addresses", paths.count())
}

/// At most this many are told.
const TOLD: usize = 20;

/// What was added, taken away and changed, each as a JSON pointer.
fn differences(kept: &Value, made: &Value) -> Vec<String> {
    use json_patch::PatchOperation::{Add, Remove};
    let patch = json_patch::diff(kept, made);
    let mut told: Vec<String> = patch
        .iter()
        .map(|operation| match operation {
            Add(add) => format!("  + {}", add.path),
            Remove(gone) => format!("  - {}", gone.path),
            other => format!("  ~ {}", other.path()),
        })
        .collect();
    told.sort_by(|a, b| a[4..].cmp(&b[4..]));
    if told.is_empty() {
        told.push("  ~ its layout or the order of its members".into());
    }
    if told.len() > TOLD {
        let more = told.len() - TOLD;
        told.truncate(TOLD);
        told.push(format!("  … and {more} more"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_named_by_its_place() {
        let kept = json!({"paths": {"/v1/a": {"get": {"summary": "old"}}, "/v1/b": {}}});
        let made = json!({"paths": {"/v1/a": {"get": {"summary": "new"}}, "/v1/c": {}}});
        let told = differences(&kept, &made);
        assert_eq!(told, ["  ~ /paths/~1v1~1a/get/summary", "  - /paths/~1v1~1b", "  + /paths/~1v1~1c"]);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let made: serde_json::Map<_, _> = (0..30).map(|n| (n.to_string(), json!(n))).collect();
        let told = differences(&json!({}), &made.into());
        assert_eq!((told.len(), told[20].as_str()), (21, "  … and 10 more"));
    }

    #[test]
    fn another_order_is_a_difference_too() {
        assert_eq!(differences(&json!({}), &json!({})), ["  ~ its layout or the order of its members"]);
    }
}
