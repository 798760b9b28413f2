//! Start, memory and size of the packaged functions, against a runtime API of our own. Times are of this
//! machine and compared with nothing; that nothing is dialled before the first poll must hold anywhere.

use super::{
    events::Events,
    start::{Bench, Start},
};
use crate::{
    package::{Package, megabytes},
    template,
    workspace::Workspace,
};
use local::{
    trouble,
    trouble::{Outcome, Trouble},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// What `design/quality.md` sets: milliseconds at the median and at the 99th percentile, bytes of a zip, bytes of memory.
pub const GOAL: (f64, f64, u64, u64) = (6.0, 12.0, 3_000_000, 24_000_000);

/// What was measured of one function.
struct Measured {
    name: String,
    starts: Vec<Duration>,
    /// Of the first event and of those after it; none where every event needs a service.
    events: Option<(Duration, Vec<Duration>)>,
    /// Bytes, the most of all starts and events.
    memory: u64,
    binary: u64,
    zip: u64,
    /// Connections made before the first poll, over all starts.
    dialled: usize,
}

/// Those functions, or all of the template; with what is wrong if one of them dials.
pub fn all(root: &Path, starts: usize, only: &[String]) -> Outcome<(Value, Option<Trouble>)> {
    let (workspace, template) = (Workspace::read(root)?, template::deployed(root)?);
    let bench = Bench::open()?;
    println!(
        "\n{:<14} {:>8} {:>8} {:>9} {:>9} {:>8} {:>10} {:>8} {:>8}",
        "function", "p50 ms", "p99 ms", "first ms", "later ms", "RSS MB", "binary MB", "zip MB", "dialled"
    );
    let mut all = vec![];
    for name in only {
        template.function(name)?;
    }
    for function in template.functions.iter().filter(|f| only.is_empty() || only.contains(&f.name)) {
        let measured =
            measure(&bench, &Package::of(&workspace, &function.name), &function.environment, starts)?;
        println!("{}", measured.line());
        all.push(measured);
    }
    let report = json!({"starts": starts, "functions": all.iter().map(Measured::json).collect::<Vec<_>>()});
    let (p50, p99, zip, memory) = GOAL;
    println!(
        "goals: p50 ≤ {p50} ms, p99 ≤ {p99} ms, zip ≤ {} MB, RSS ≤ {} MB, dialled 0; events are requests turned away at \
         the door, which need no service",
        megabytes(zip),
        megabytes(memory)
    );
    let dialling: Vec<&str> = all.iter().filter(|m| m.dialled > 0).map(|m| m.name.as_str()).collect();
    let trouble = (!dialling.is_empty())
        .then(|| trouble!("A network call before the first poll: {}.", dialling.join(", ")));
    Ok((report, trouble))
}

fn measure(
    bench: &Bench,
    package: &Package,
    environment: &BTreeMap<String, String>,
    starts: usize,
) -> Outcome<Measured> {
    let (binary, zip) = package.sizes().map_err(|e| trouble!("{e}. Run `cargo xtask package` first."))?;
    // The first one reads the file from the disk.
    bench.start(&package.binary, &package.name, environment)?;
    let all: Vec<Start> = (0..starts)
        .map(|_| bench.start(&package.binary, &package.name, environment))
        .collect::<Outcome<_>>()?;
    let mut times: Vec<Duration> = all.iter().map(|start| start.took).collect();
    times.sort();
    let served = Events::serve(bench, package, environment)?;
    let memory = all.iter().map(|start| start.memory).chain(served.as_ref().map(|s| s.memory)).max();
    Ok(Measured {
        name: package.name.clone(),
        events: served.map(|served| (served.first, served.later)),
        memory: memory.unwrap_or_default(),
        dialled: all.iter().map(|start| start.dialled).sum(),
        starts: times,
        binary,
        zip,
    })
}

impl Measured {
    fn milliseconds(&self, share: f64) -> f64 {
        percentile(&self.starts, share).as_secs_f64() * 1e3
    }

    /// Milliseconds of the first event, and of those after it in the middle.
    fn served(&self) -> Option<[f64; 2]> {
        let (first, later) = self.events.as_ref()?;
        Some([first.as_secs_f64() * 1e3, percentile(later, 0.5).as_secs_f64() * 1e3])
    }

    fn line(&self) -> String {
        let Measured { name, memory, binary, zip, dialled, .. } = self;
        let (p50, p99) = (self.milliseconds(0.5), self.milliseconds(0.99));
        let (memory, binary, zip) = (megabytes(*memory), megabytes(*binary), megabytes(*zip));
        let [first, later] =
            self.served().map_or(["-".into(), "-".into()], |ms| ms.map(|ms| format!("{ms:.2}")));
        format!(
            "{name:<14} {p50:>8.2} {p99:>8.2} {first:>9} {later:>9} {memory:>8} {binary:>10} {zip:>8} {dialled:>8}"
        )
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name, "start_ms": {"p50": self.milliseconds(0.5), "p99": self.milliseconds(0.99)},
            "peak_rss_bytes": self.memory, "binary_bytes": self.binary, "zip_bytes": self.zip,
            "dialled_before_first_poll": self.dialled, "event_ms": self.served(),
        })
    }
}

/// The smallest value that at least this share of all does not exceed.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let all: Vec<_> = (1..=50).map(Duration::from_millis).collect();
        assert_eq!(percentile(&all, 0.5), Duration::from_millis(25));
        assert_eq!(percentile(&all, 0.99), Duration::from_millis(50));
        assert_eq!(percentile(&all[..1], 0.99), Duration::from_millis(1));
    }
}
