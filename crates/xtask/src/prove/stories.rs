//! The stories of every package, run with something in their way, and what their test kit has written down.

use super::{Finding, Report, Setting};
use crate::bench::plots;
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
    time::Instant,
};

/// One package's test binary, built.
pub(super) struct Tests {
    pub package: String,
    folder: PathBuf,
    binary: PathBuf,
}

/// What was tried, by name, and what was found.
#[derive(Default)]
pub(super) struct Ledger {
    pub tried: BTreeMap<String, Tried>,
    /// Runs by package.
    pub of_package: BTreeMap<String, u64>,
    /// With the name of what was tried.
    pub found: Vec<(String, Finding)>,
    /// What was different at first, and alike once it was waited for; with the name of what was tried.
    pub later: Vec<(String, Finding)>,
    /// Stories that failed, with the name of their package.
    pub failed: Vec<(String, String)>,
}

#[derive(Default)]
pub(super) struct Tried {
    pub times: u64,
    pub runs: u64,
    /// Of these runs, so many were alike only once they were waited for.
    pub later: u64,
    pub messages: u64,
}

/// Test binaries that run at the same time. The stories of each run one after the other, in the order of their names, so
/// that it is always the same one that does a thing first.
const AT_ONCE: usize = 2;

/// Builds the stories and runs all of them with one variable set.
pub(super) fn run(setting: &Setting, section: &str, variable: (&str, &str)) -> Outcome<Ledger> {
    let folder = setting.folder(section)?;
    let mut ledger = Ledger::default();
    let mut all = tests(setting, "stories")?;
    // Whatever takes long begins first; how many stories there are says enough of that.
    all.sort_by_cached_key(|stories| Reverse(stories.many()));
    let waiting = Mutex::new(all.into_iter());
    let next = || waiting.lock().ok()?.next();
    let work = || -> Outcome<Vec<(String, String)>> {
        let mut failed = vec![];
        while let Some(stories) = next() {
            let begun = Instant::now();
            let ends = told(&stories, &folder, variable)?;
            println!("  {}: {:.0} s", stories.package, begun.elapsed().as_secs_f64());
            failed.extend(ends);
        }
        Ok(failed)
    };
    let ends: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for end in ends {
        ledger.failed.extend(end.map_err(|_| trouble!("a worker has panicked"))??);
    }
    ledger.failed.sort();
    read(&folder, &mut ledger)?;
    Ok(ledger)
}

/// Runs the stories of one package; those that failed.
fn told(stories: &Tests, folder: &Path, variable: (&str, &str)) -> Outcome<Vec<(String, String)>> {
    let mut command = stories.command();
    command.arg("--test-threads=1").env("PROVE_LEDGER", folder).env(variable.0, variable.1);
    let output = command.output();
    let output = output.whilst(format_args!("run the stories of {}", stories.package))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let log = folder.join(format!("{}.log", stories.package));
    fs::write(&log, &*said).whilst(format_args!("write {}", log.display()))?;
    if !said.contains("test result:") {
        return Err(trouble!("the stories of {} did not end: see {}.", stories.package, log.display()));
    }
    let failed = said.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    Ok(failed.map(|story| (stories.package.clone(), story.to_string())).collect())
}

impl Tests {
    /// How many tests there are.
    fn many(&self) -> usize {
        let listed = self.command().arg("--list").output().map(|output| output.stdout).unwrap_or_default();
        listed.iter().filter(|byte| **byte == b'\n').count()
    }
    /// Runs them as cargo would.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(&self.folder)
            .env("CARGO_PKG_NAME", &self.package)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("RUST_BACKTRACE", "0")
            .env_remove("CHAOS");
        command
    }
}

/// What cargo builds of a test target of this name, in the order of the packages' names.
pub(super) fn tests(setting: &Setting, target: &str) -> Outcome<Vec<Tests>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "test",
            "--workspace",
            "--test",
            target,
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(&setting.root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .whilst("build the tests")?;
    if !output.status.success() {
        return Err(trouble!("The tests do not compile."));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let artifacts = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut all: Vec<Tests> = artifacts.filter_map(|artifact| built(&artifact, target)).collect();
    all.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(all)
}

fn built(artifact: &Value, target: &str) -> Option<Tests> {
    (artifact["target"]["name"] == target).then_some(())?;
    let manifest = Path::new(artifact["manifest_path"].as_str()?);
    let folder = manifest.parent()?.to_path_buf();
    let package = folder.file_name()?.to_str()?.to_string();
    Some(Tests { package, folder, binary: artifact["executable"].as_str()?.into() })
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
            tried.later += number("later");
            tried.messages += number("messages");
            *self.of_package.entry(text("package")).or_default() += number("runs");
        } else if let Some(what) = line["later"].as_str() {
            let what = format!("{}: {what} ({})", text("name"), text("story"));
            self.later.push((text("name"), Finding { what, again: text("again") }));
        } else {
            let what = format!("{}: {} ({})", text("name"), text("what"), text("story"));
            self.found.push((text("name"), Finding { what, again: text("again") }));
        }
    }
    /// A bar for each package: what was run of it.
    pub fn plot(&self) -> String {
        let all: Vec<(String, f64)> =
            self.of_package.iter().map(|(name, n)| (name.clone(), *n as f64)).collect();
        plots::bars(&all, None, "")
    }

    /// Findings, those that stand in data apart, and entries of the data that nothing was found for.
    pub fn judge(&self, known: &[Known], variable: &str, report: &mut Report) {
        let mut met = vec![false; known.len()];
        for (name, finding) in &self.found {
            let entry = known.iter().position(|k| k.name == *name && finding.what.contains(&k.says));
            match entry {
                Some(at) => {
                    met[at] = true;
                    report.know(format!("{} – {}", finding.what, known[at].why), &*finding.again);
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
                    report.know(format!("{story} fails – {}", known[at].why), again);
                }
                None => report.find(format!("{package}: the story {story} fails"), again),
            }
        }
        // Said and no failure: what steps do side by side is not the same each time.
        for (entry, _) in known.iter().zip(met).filter(|(_, met)| !met) {
            let what = format!("{} is known to fail ({}) and did not this time", entry.name, entry.says);
            report.know(what, "if it stays so, strike it from crates/xtask/data");
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
