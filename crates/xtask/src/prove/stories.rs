//! The stories of every package, run with something in their way, and what their test kit has written down.

use super::{Finding, Report, Setting};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One package's stories, built.
struct Stories {
    package: String,
    folder: PathBuf,
    binary: PathBuf,
}

/// What was tried, by name, and what was found.
#[derive(Default)]
pub(super) struct Ledger {
    pub tried: BTreeMap<String, Tried>,
    /// With the name of what was tried.
    pub found: Vec<(String, Finding)>,
    /// Stories that failed, with the name of their package.
    pub failed: Vec<(String, String)>,
}

#[derive(Default)]
pub(super) struct Tried {
    pub times: u64,
    pub runs: u64,
    pub messages: u64,
}

/// Builds the stories and runs all of them with one variable set.
pub(super) fn run(setting: &Setting, section: &str, variable: (&str, &str)) -> Outcome<Ledger> {
    let folder = setting.folder(section)?;
    let mut ledger = Ledger::default();
    for stories in built(setting)? {
        println!("  {} …", stories.package);
        let output = Command::new(&stories.binary)
            .current_dir(&stories.folder)
            .env("CARGO_PKG_NAME", &stories.package)
            .env("CARGO_MANIFEST_DIR", &stories.folder)
            .env("PROVE_LEDGER", &folder)
            .env("RUST_BACKTRACE", "0")
            .env_remove("CHAOS")
            .env(variable.0, variable.1)
            .output()
            .whilst(format_args!("run the stories of {}", stories.package))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let log = folder.join(format!("{}.log", stories.package));
        fs::write(&log, &*said).whilst(format_args!("write {}", log.display()))?;
        let failed = said.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
        ledger.failed.extend(failed.map(|story| (stories.package.clone(), story.to_string())));
        if !said.contains("test result:") {
            return Err(trouble!("the stories of {} did not end: see {}.", stories.package, log.display()));
        }
    }
    read(&folder, &mut ledger)?;
    Ok(ledger)
}

/// What cargo builds of a test target named `stories`, in the order of the packages' names.
fn built(setting: &Setting) -> Outcome<Vec<Stories>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "test",
            "--workspace",
            "--test",
            "stories",
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(&setting.root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .whilst("build the stories")?;
    if !output.status.success() {
        return Err(trouble!("The stories do not compile."));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let artifacts = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut all: Vec<Stories> = artifacts.filter_map(|artifact| stories(&artifact)).collect();
    all.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(all)
}

fn stories(artifact: &Value) -> Option<Stories> {
    (artifact["target"]["name"] == "stories").then_some(())?;
    let manifest = Path::new(artifact["manifest_path"].as_str()?);
    let folder = manifest.parent()?.to_path_buf();
    let package = folder.file_name()?.to_str()?.to_string();
    Some(Stories { package, folder, binary: artifact["executable"].as_str()?.into() })
}

fn read(folder: &Path, ledger: &mut Ledger) -> Outcome<()> {
    let files = fs::read_dir(folder).whilst(format_args!("read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = files.flatten().map(|f| f.path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "ndjson")) {
        let text = fs::read_to_string(file).whilst(format_args!("read {}", file.display()))?;
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            ledger.take(&line);
        }
    }
    ledger.found.sort();
    ledger.found.dedup();
    Ok(())
}

impl Ledger {
    fn take(&mut self, line: &Value) {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_string();
        let number = |name: &str| line[name].as_u64().unwrap_or_default();
        if let Some(name) = line["tried"].as_str() {
            let tried = self.tried.entry(name.into()).or_default();
            tried.times += 1;
            tried.runs += number("runs");
            tried.messages += number("messages");
        } else {
            let what = format!("{}: {} ({})", text("name"), text("what"), text("story"));
            self.found.push((text("name"), Finding { what, again: text("again") }));
        }
    }

    /// Findings, those that stand in data apart, and entries of the data that nothing was found for.
    pub fn judge(&self, known: &[Known], variable: &str, report: &mut Report) {
        let mut met = vec![false; known.len()];
        for (name, finding) in &self.found {
            let entry = known.iter().position(|k| k.name == *name && finding.what.contains(&k.says));
            match entry {
                Some(at) => {
                    met[at] = true;
                    report.known.push(Finding {
                        what: format!("{} – {}", finding.what, known[at].why),
                        ..finding.clone()
                    });
                }
                None => report.findings.push(finding.clone()),
            }
        }
        for (package, story) in &self.failed {
            let again = format!("{variable} cargo test -p {package} --test stories {story} -- --exact");
            let entry = known.iter().position(|k| k.name == format!("{package}::{story}"));
            match entry {
                Some(at) => {
                    met[at] = true;
                    report
                        .known
                        .push(Finding { what: format!("{story} fails – {}", known[at].why), again });
                }
                None => report.find(format!("{package}: the story {story} fails"), again),
            }
        }
        for (entry, _) in known.iter().zip(met).filter(|(_, met)| !met) {
            let what = format!("{} is known to fail ({}) and does not any more", entry.name, entry.says);
            report.find(what, "strike it from crates/xtask/data");
        }
    }
}

/// Something that is known not to hold, with its reason. The list may only become shorter.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// An operation, a consumed message, or `package::story`.
    pub name: String,
    /// Words of the finding.
    #[serde(default)]
    pub says: String,
    pub why: String,
}
