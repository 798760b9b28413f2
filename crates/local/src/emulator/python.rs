//! A Python environment of our own with the emulator in it, made once.

use crate::{
    trouble,
    trouble::{Outcome, While},
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// What is installed, exactly; a change here installs anew.
const PACKAGES: [&str; 2] = ["ministack==1.5.33", "cryptography==50.0.2"];

/// The interpreter of an environment in `folder` that has the emulator. Tells `progress` what it is doing.
pub async fn ready(folder: &Path, progress: &dyn Fn(&str)) -> Outcome<PathBuf> {
    ready_with(folder, &[], progress).await
}

/// The same with `more` packages beside it.
pub async fn ready_with(folder: &Path, more: &[&str], progress: &dyn Fn(&str)) -> Outcome<PathBuf> {
    let (python, mark) = (folder.join("bin/python"), folder.join("installed"));
    let packages = [&PACKAGES, more].concat();
    let wanted = packages.join(" ");
    let is_ready = || python.exists() && std::fs::read_to_string(&mark).is_ok_and(|have| have == wanted);
    if is_ready() {
        return Ok(python);
    }
    let _alone = alone(folder).await?;
    if is_ready() {
        return Ok(python);
    }
    let base = find().await?;
    progress("making a Python environment for the emulator (once)");
    if let Err(cause) = std::fs::remove_dir_all(folder)
        && cause.kind() != std::io::ErrorKind::NotFound
    {
        return Err(trouble!("Could not clear {}: {cause}", folder.display()));
    }
    let pip = make(&base, folder, progress).await?;
    let mut install = Command::new(&python);
    install.args(pip).args(["install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]);
    run(install.args(packages), "install the emulator", &|line| {
        let known =
            ["Collecting ", "Downloading ", "Installing "].iter().any(|word| line.trim().starts_with(word));
        if known {
            progress(line.trim());
        }
    })
    .await?;
    std::fs::write(mark, wanted).whilst("note what is installed")?;
    Ok(python)
}

/// Held while the environment is made: two platforms that start at once make it once.
async fn alone(folder: &Path) -> Outcome<std::fs::File> {
    let beside = folder.with_extension("lock");
    let deed = format!("write {}", beside.display());
    if let Some(parent) = beside.parent() {
        std::fs::create_dir_all(parent).whilst(&deed)?;
    }
    let file = std::fs::File::create(&beside).whilst(&deed)?;
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    locked.whilst(&deed)?.whilst(&deed)
}

/// The first Python on the path that is new enough.
async fn find() -> Outcome<PathBuf> {
    for name in ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"] {
        let ask = "import sys; sys.exit(0 if sys.version_info >= (3, 10) else 1)";
        let asked =
            Command::new(name).args(["-c", ask]).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if asked.is_ok_and(|status| status.success()) {
            return Ok(name.into());
        }
    }
    Err(trouble!(
        "The local platform needs Python 3.10 or newer on the PATH (for Debian: apt install python3)."
    ))
}

/// Makes the environment; answers how to call pip in it. Debian's Python has no pip of its own to put there.
async fn make(base: &Path, folder: &Path, progress: &dyn Fn(&str)) -> Outcome<Vec<String>> {
    let whole = Command::new(base)
        .args(["-m", "venv"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    if whole.is_ok_and(|status| status.success()) {
        return Ok(vec!["-m".into(), "pip".into()]);
    }
    progress("this Python has no pip: fetching it");
    let bare = ["-m", "venv", "--clear", "--without-pip"];
    run(Command::new(base).args(bare).arg(folder), "make a Python environment", &|_| ()).await?;
    let script = folder.join("wheel.py");
    std::fs::write(&script, include_str!("wheel.py")).whilst("write into the Python environment")?;
    let fetched = Command::new(base).arg(&script).arg(folder).stderr(Stdio::piped()).output().await;
    let fetched = fetched.whilst("fetch pip")?;
    if !fetched.status.success() {
        let said = String::from_utf8_lossy(&fetched.stderr);
        return Err(trouble!("Could not fetch pip: {}", said.lines().last().unwrap_or("no reason given")));
    }
    let wheel = String::from_utf8_lossy(&fetched.stdout).trim().to_string();
    Ok(vec![format!("{wheel}/pip")])
}

/// Runs to the end, showing each line of output; a failure's last words become the sentence.
async fn run(command: &mut Command, deed: &str, show: &dyn Fn(&str)) -> Outcome<()> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.whilst(deed)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let complaints = tokio::spawn(async move {
        let mut last = String::new();
        if let Some(err) = err {
            let mut lines = BufReader::new(err).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if !line.trim().is_empty() {
                    last = line;
                }
            }
        }
        last
    });
    if let Some(out) = out {
        let mut lines = BufReader::new(out).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            show(&line);
        }
    }
    let status = child.wait().await.whilst(deed)?;
    let last = complaints.await.unwrap_or_default();
    if status.success() { Ok(()) } else { Err(trouble!("Could not {deed}: {}", last.trim())) }
}
