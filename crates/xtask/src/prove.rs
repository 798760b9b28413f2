//! `cargo xtask prove`: what must hold whatever happens, tried on this machine. Sections are values; each is one file
//! in `prove/` and one line in [`SECTIONS`]. What they counted and found lies in `target/prove/` afterwards, as JSON and
//! as a page to read. The quick form is CI's, of minutes; `--full` is for nights.

mod faults;
mod options;
mod page;
mod queues;
mod stories;
mod suites;

pub use options::Options;

use crate::workspace::Workspace;
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// One thing to prove.
pub struct Section {
    /// A word: `faults`. Names its file of the result, and it on the command line.
    pub name: &'static str,
    /// The sentence that holds if nothing is found.
    pub claim: &'static str,
    /// Tries it. What does not hold is a finding; an error says that it could not be tried.
    pub run: fn(&Setting) -> Outcome<Report>,
}

/// All of them, in the order in which they run.
pub const SECTIONS: &[Section] = &[
    faults::SECTION,
    queues::SECTION,
    suites::ISOLATION,
    suites::PARSERS,
    suites::RESTORE,
    suites::REQUESTS,
];

/// How thoroughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CI's: minutes.
    Quick,
    /// Hours.
    Full,
}

/// Where and how a section runs.
pub struct Setting {
    pub root: PathBuf,
    pub target: PathBuf,
    pub form: Form,
    /// What chance is begun with. The same seed, the same run.
    pub seed: u64,
}

impl Setting {
    pub fn full(&self) -> bool {
        self.form == Form::Full
    }
    /// A folder of the section's own for what it leaves, emptied.
    pub fn folder(&self, section: &str) -> Outcome<PathBuf> {
        let folder = self.target.join("prove").join(section);
        if folder.exists() {
            fs::remove_dir_all(&folder).whilst(format_args!("empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).whilst(format_args!("make {}", folder.display()))?;
        Ok(folder)
    }
}

/// What a section counted and found.
#[derive(Default)]
pub struct Report {
    /// In the order to read them: `requests broken` 9,120.
    pub counts: Vec<(String, u64)>,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// What is known not to hold, or not to be tried, and stands in data with its reason.
    pub known: Vec<Finding>,
    /// With a heading each, as SVG.
    pub plots: Vec<(String, String)>,
}

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub what: String,
    /// The command that shows it again, or where to look.
    pub again: String,
}

impl Report {
    pub fn count(&mut self, what: &str, number: impl TryInto<u64>) {
        self.counts.push((what.into(), number.try_into().unwrap_or(u64::MAX)));
    }
    pub fn find(&mut self, what: impl Into<String>, again: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), again: again.into() });
    }
    /// Said, and no failure.
    pub fn know(&mut self, what: impl Into<String>, again: impl Into<String>) {
        self.known.push(Finding { what: what.into(), again: again.into() });
    }
}

/// A section that was run.
struct Proved {
    section: &'static Section,
    took: Duration,
    report: Report,
}

/// Runs the sections, writes what came of them; an error if anything does not hold.
pub fn run(root: &Path, options: &Options) -> Outcome<()> {
    let target = Workspace::read(root)?.target;
    let setting = Setting { root: root.into(), target, form: options.form, seed: options.seed };
    let mut proved = vec![];
    for section in SECTIONS.iter().filter(|s| options.wants(s.name)) {
        println!("{}: {}", section.name, section.claim);
        let begun = Instant::now();
        let report =
            (section.run)(&setting).map_err(|e| trouble!("{} could not be tried: {e}", section.name))?;
        let one = Proved { section, took: begun.elapsed(), report };
        println!("{}", one.line());
        proved.push(one);
    }
    write(&setting, &proved)?;
    write_page(&setting)?;
    let found: usize = proved.iter().map(|p| p.report.findings.len()).sum();
    let page = setting.target.join("prove/index.html");
    if found > 0 {
        return Err(trouble!("{found} things do not hold: see {}.", page.display()));
    }
    println!("everything holds: {}", page.display());
    Ok(())
}

fn write(setting: &Setting, proved: &[Proved]) -> Outcome<()> {
    let folder = setting.target.join("prove");
    fs::create_dir_all(&folder).whilst(format_args!("make {}", folder.display()))?;
    let keep = |name: String, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).whilst(format_args!("write {}", path.display()))
    };
    for one in proved {
        keep(format!("{}.json", one.section.name), format!("{:#}\n", one.json(setting)))?;
    }
    Ok(())
}

/// Of everything that lies there: sections may have been run one by one.
fn write_page(setting: &Setting) -> Outcome<()> {
    let folder = setting.target.join("prove");
    let read = |section: &Section| -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(folder.join(format!("{}.json", section.name))).ok()?).ok()
    };
    let all: Vec<Value> = SECTIONS.iter().filter_map(read).collect();
    let path = folder.join("index.html");
    fs::write(&path, page::of(&all)).whilst(format_args!("write {}", path.display()))
}

impl Proved {
    fn line(&self) -> String {
        let counts: Vec<String> = self.report.counts.iter().map(|(what, n)| format!("{n} {what}")).collect();
        let mut line =
            format!("{}: {}; {:.0} s", self.section.name, counts.join(", "), self.took.as_secs_f64());
        for finding in &self.report.findings {
            line.push_str(&format!("\n  NOT: {}\n       {}", finding.what, finding.again));
        }
        line
    }

    fn json(&self, setting: &Setting) -> Value {
        let all = |findings: &[Finding]| -> Value {
            findings.iter().map(|f| json!({"what": f.what, "again": f.again})).collect()
        };
        json!({
            "section": self.section.name, "claim": self.section.claim,
            "form": format!("{:?}", setting.form).to_lowercase(), "seed": setting.seed,
            "plots": self.report.plots.iter().map(|(what, svg)| json!({"what": what, "svg": svg})).collect::<Vec<_>>(),
            "holds": self.report.findings.is_empty(), "seconds": self.took.as_secs_f64().round(),
            "counts": self.report.counts.iter().map(|(what, n)| json!({"what": what, "count": n})).collect::<Vec<_>>(),
            "findings": all(&self.report.findings), "known": all(&self.report.known),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_have_names_of_their_own() {
        let mut names: Vec<_> = SECTIONS.iter().map(|s| s.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
    }
}
