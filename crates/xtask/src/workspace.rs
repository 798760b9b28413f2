//! Where things are, and which functions there are.

use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the workspace's manifest: this crate lies two below it.
pub fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).ancestors().nth(2).unwrap_or(Path::new(".")).into()
}

/// A package under `functions/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Of the package and of its folder.
    pub name: String,
    pub binaries: Vec<String>,
}

pub struct Workspace {
    pub functions: Vec<Function>,
    pub target: PathBuf,
}

impl Workspace {
    /// As cargo sees it; needs no network.
    pub fn read(root: &Path) -> Outcome<Workspace> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let asked = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .output()
            .whilst("ask cargo for the workspace")?;
        if !asked.status.success() {
            return Err(trouble!("cargo metadata failed: {}", String::from_utf8_lossy(&asked.stderr)));
        }
        let metadata = serde_json::from_slice(&asked.stdout).whilst("read cargo's metadata")?;
        Ok(Workspace::of(&metadata, root))
    }

    fn of(metadata: &Value, root: &Path) -> Workspace {
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let folder = root.join("functions");
        let ours = packages.filter(|package| {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
            manifest.parent().and_then(Path::parent) == Some(&folder)
        });
        let target = metadata["target_directory"].as_str().unwrap_or("target");
        Workspace { functions: ours.map(function).collect(), target: target.into() }
    }
}

fn function(package: &Value) -> Function {
    let targets = package["targets"].as_array().into_iter().flatten();
    let binaries =
        targets.filter(|t| t["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == "bin")));
    Function { name: text(&package["name"]), binaries: binaries.map(|t| text(&t["name"])).collect() }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn this_workspace_has_functions_with_binaries() {
        let read = Workspace::read(&root()).unwrap_or_else(|e| panic!("{e}"));
        assert!(
            read.functions.iter().any(|f| f.name == "dispatch" && f.binaries == ["dispatch"]),
            "{:?}",
            read.functions
        );
    }

    #[test]
    fn functions_are_the_packages_of_their_folder() {
        let package = |path: &str, kinds: &[&str]| {
            let targets: Vec<_> = kinds.iter().map(|k| json!({"name": "x", "kind": [k]})).collect();
            json!({"name": "x", "manifest_path": path, "targets": targets})
        };
        let packages = [
            package("/w/functions/x/Cargo.toml", &["lib", "bin", "test"]),
            package("/w/crates/x/Cargo.toml", &["bin"]),
        ];
        let read = Workspace::of(&json!({"packages": packages, "target_directory": "/t"}), Path::new("/w"));
        assert_eq!(read.functions, [Function { name: "x".into(), binaries: vec!["x".into()] }]);
        assert_eq!(read.target, Path::new("/t"));
    }
}
