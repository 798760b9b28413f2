//! Proofs that stand as tests of the whole product: each section runs test binaries of `tests/` and reads what they
//! count (`COUNTED 12 places`). `.ci/run` runs them among the workspace's tests, so it asks `prove` for the others.

use super::{Report, Section, Setting, stories};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use std::fs;

pub const ISOLATION: Section = Section {
    name: "isolation",
    claim: "whatever one organisation asks about another is answered as what never was, and the table refuses it too",
    run: |setting| tests(setting, "isolation", &[("PROBE", "full")]),
};

pub const PARSERS: Section = Section {
    name: "parsers",
    claim: "no parser and no door falls over, whatever bytes it is given",
    run: |setting| tests(setting, "parsers", &[("INPUTS", "200000"), ("SEED", &setting.seed.to_string())]),
};

pub const RESTORE: Section = Section {
    name: "restore",
    claim: "an erased organisation comes back byte for byte, and its neighbours notice nothing",
    run: |setting| tests(setting, "restore", &[]),
};

pub const REQUESTS: Section = Section {
    name: "requests",
    claim: "every answer to everybody is as the document of the API says",
    run: |setting| tests(setting, "documented", &[]),
};

/// `full`: what the environment says in the full form.
fn tests(setting: &Setting, target: &str, full: &[(&str, &str)]) -> Outcome<Report> {
    let folder = setting.folder(target)?;
    let mut report = Report::default();
    let (mut passed, mut counted) = (0u64, vec![]);
    for tests in stories::tests(setting, target)? {
        let mut command = tests.command();
        command.args(["--nocapture", "--test-threads", "1"]);
        if setting.full() {
            command.envs(full.iter().copied());
        }
        let output = command.output().whilst(format_args!("run {target}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let log = folder.join(format!("{}.log", tests.package));
        fs::write(&log, &*said).whilst(format_args!("write {}", log.display()))?;
        let Some(end) = said.lines().find(|line| line.starts_with("test result:")) else {
            return Err(trouble!("{target} did not end: see {}.", log.display()));
        };
        passed += end.split_whitespace().nth(3).and_then(|n| n.parse::<u64>().ok()).unwrap_or_default();
        counted.extend(said.lines().filter_map(count));
        for name in failed(&said) {
            let again = format!("cargo test -p journeys --test {target} {name} -- --exact");
            report.find(format!("{name} fails: see {}", log.display()), again);
        }
    }
    report.count("tests", passed);
    for (what, number) in counted {
        report.count(&what, number);
    }
    Ok(report)
}

/// `COUNTED 12 places`, which may stand behind the name of its test.
fn count(line: &str) -> Option<(String, u64)> {
    let (_, said) = line.split_once("COUNTED ")?;
    let (number, what) = said.split_once(' ')?;
    Some((what.trim().into(), number.parse().ok()?))
}

/// With one thread a test that prints ends its line later: the list of failures at the end is what counts.
fn failed(said: &str) -> Vec<&str> {
    let list = said.rsplit_once("\nfailures:\n").map(|(_, list)| list).unwrap_or_default();
    list.lines().map_while(|line| line.strip_prefix("    ")).collect()
}

#[cfg(test)]
mod tests {
    use super::{count, failed};

    #[test]
    fn counts_and_failures_are_read_of_what_tests_say() {
        assert_eq!(count("test a ... COUNTED 12 places"), Some(("places".into(), 12)));
        assert_eq!(count("test a ... ok"), None);
        let said = "failures:\n\n---- a stdout ----\nx\n\nfailures:\n    a\n    b::c\n\ntest result: FAILED.";
        assert_eq!(failed(said), ["a", "b::c"]);
        assert_eq!(failed("test result: ok. 1 passed"), [] as [&str; 0]);
    }
}
