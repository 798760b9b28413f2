//! Events as the source declares, emits and knows them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn rust(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.extension() {
            _ if entry.is_dir() => rust(&entry, all),
            Some(ending) if ending == "rs" => all.push(entry),
            _ => {}
        }
    }
}

/// What stands under `src` in functions, or in crates other than that of the events.
pub fn source() -> String {
    let mut files = vec![];
    for folder in ["functions", "crates"] {
        for part in fs::read_dir(root().join(folder)).unwrap().map(|part| part.unwrap().path()) {
            if !part.ends_with("events") && part.join("src").is_dir() {
                rust(&part.join("src"), &mut files);
            }
        }
    }
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Names of events, and the variants that carry them.
pub fn declared() -> BTreeMap<String, String> {
    let mut files = vec![];
    rust(&root().join("crates/events/src"), &mut files);
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut lines = text.lines().map(str::trim);
    let mut all = BTreeMap::new();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("#[serde(rename = \"").and_then(|l| l.strip_suffix("\")]"));
        let Some(name) = name.filter(|name| name.contains('.')) else { continue };
        let variant = lines.find(|line| !line.starts_with("//")).unwrap();
        let end = variant.find(|c: char| !c.is_alphanumeric()).unwrap();
        all.insert(name.into(), variant[..end].into());
    }
    all
}

/// The module that emits it, now or once it is there.
pub fn owner_of(event: &str) -> Option<String> {
    let known = fs::read(root().join("functions/workflow/data/events.json")).unwrap();
    let known: serde_json::Value = serde_json::from_slice(&known).unwrap();
    known[event]["module"].as_str().map(String::from)
}
