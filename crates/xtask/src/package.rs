//! Release builds of the functions, as Lambda wants them: `target/lambda/<function>/bootstrap.zip`.
//!
//! By `cargo lambda`, which is what `sam build` uses too. It links against an old glibc by way of zig, so a
//! build made on a newer machine still starts on Lambda's.

use crate::workspace::Workspace;
use local::{
    trouble,
    trouble::{Outcome, While},
};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Both from PyPI, into `.venv`.
const TOOLS: [&str; 2] = ["cargo-lambda==1.9.2", "ziglang==0.17.0"];

/// Of the machine that builds; `sam build` builds the processor that the template names.
pub const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A packaged function.
pub struct Package {
    pub name: String,
    pub binary: PathBuf,
    pub zip: PathBuf,
}

impl Package {
    pub fn of(workspace: &Workspace, name: &str) -> Package {
        Package {
            name: name.into(),
            binary: workspace.target.join(TRIPLE).join("release").join(name),
            zip: workspace.target.join("lambda").join(name).join("bootstrap.zip"),
        }
    }

    /// Bytes of the binary and of the zip.
    pub fn sizes(&self) -> Outcome<(u64, u64)> {
        let size =
            |path: &Path| Ok(fs::metadata(path).whilst(format_args!("find {}", path.display()))?.len());
        Ok((size(&self.binary)?, size(&self.zip)?))
    }
}

/// Those functions, or all that have a binary.
pub fn all(root: &Path, only: &[&str]) -> Outcome<()> {
    let workspace = Workspace::read(root)?;
    let functions = chosen(&workspace, only)?;
    build(root, &functions)?;
    println!("{:<12} {:>10} {:>10}", "function", "binary MB", "zip MB");
    for name in &functions {
        let (binary, zip) = Package::of(&workspace, name).sizes()?;
        println!("{name:<12} {:>10} {:>10}", megabytes(binary), megabytes(zip));
    }
    Ok(())
}

/// Two decimals of 1,000,000 bytes.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e6)
}

fn chosen<'a>(workspace: &'a Workspace, only: &[&str]) -> Outcome<Vec<&'a str>> {
    let built = workspace.functions.iter().filter(|f| f.binaries.contains(&f.name));
    let built: Vec<&str> = built.map(|f| f.name.as_str()).collect();
    if let Some(unknown) = only.iter().find(|name| !built.contains(name)) {
        return Err(trouble!("{unknown} is no function with a binary; there are {}.", built.join(", ")));
    }
    Ok(built.into_iter().filter(|name| only.is_empty() || only.contains(name)).collect())
}

/// One build of all, so that what they share is compiled once and with the same features.
fn build(root: &Path, functions: &[&str]) -> Outcome<()> {
    let venv = tools(root)?;
    let mut command = Command::new(venv.join("bin/cargo-lambda"));
    command.args([
        "lambda",
        "build",
        "--release",
        "--x86-64",
        "--skip-target-check",
        "--locked",
        "--output-format",
        "zip",
    ]);
    command.args(functions.iter().flat_map(|name| ["--package", name]));
    let done = command.env("PATH", path(&venv)).current_dir(root).status().whilst("start cargo lambda")?;
    if done.success() { Ok(()) } else { Err(trouble!("cargo lambda build failed.")) }
}

/// With zig before everything else.
fn path(venv: &Path) -> OsString {
    let mut path = venv.join("bin").into_os_string();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    path
}

/// The folder of the tools, which are installed once.
fn tools(root: &Path) -> Outcome<PathBuf> {
    let venv = root.join(".venv");
    let (kept, wanted) = (venv.join(".package"), TOOLS.join(" "));
    if fs::read_to_string(&kept).is_ok_and(|kept| kept == wanted) {
        return Ok(venv);
    }
    println!("Installing {} into .venv …", TOOLS.join(" and "));
    if !venv.join("bin/pip").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    run(Command::new(venv.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(TOOLS))?;
    fs::write(&kept, wanted).whilst("write into .venv")?;
    Ok(venv)
}

fn run(command: &mut Command) -> Outcome<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.status().whilst(format_args!("start {name}"))?;
    if done.success() { Ok(()) } else { Err(trouble!("{name} failed.")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Function;

    #[test]
    fn all_functions_with_a_binary_or_those_named() {
        let function = |name: &str, binaries: &[&str]| Function {
            name: name.into(),
            binaries: binaries.iter().map(|b| b.to_string()).collect(),
        };
        let functions =
            vec![function("beds", &["beds"]), function("lib", &[]), function("rooms", &["rooms"])];
        let workspace = Workspace { functions, target: "/t".into() };
        assert_eq!(chosen(&workspace, &[]).unwrap(), ["beds", "rooms"]);
        assert_eq!(chosen(&workspace, &["rooms"]).unwrap(), ["rooms"]);
        assert!(chosen(&workspace, &["lib"]).unwrap_err().0.contains("beds, rooms"));
        assert_eq!(Package::of(&workspace, "beds").zip, Path::new("/t/lambda/beds/bootstrap.zip"));
    }
}
