//! What our code costs in time, in this process and on this machine: overhead over the table call, growth with the
//! size of a tenant, and a mixed day under load. `cargo xtask bench` builds it as functions are built and runs it.
//!
//! The table engine runs on a thread of its own, so that its processor time is told apart. No gateway is in the path:
//! callers reach the router, as the Lambda runtime would.

mod cpu;
mod day;
mod growth;
mod hospital;
mod overhead;
mod sorted;

use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::runtime::{Builder, Handle};

/// `--quick`: minutes. `--patients N`: the largest tenant. `--out FILE`: where the figures go, as JSON.
struct Wanted {
    quick: bool,
    patients: usize,
    out: Option<PathBuf>,
}

/// How much is measured.
struct Plan {
    /// Rounds of one of each operation, for the overhead and for each size.
    rounds: usize,
    rounds_of_a_size: usize,
    /// Patients of a tenant, growing.
    sizes: Vec<usize>,
    /// Desks that work at once, and for how long.
    desks: Vec<u64>,
    day: Duration,
}

fn main() -> ExitCode {
    let wanted = match read(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(trouble) => {
            eprintln!("{trouble}");
            return ExitCode::FAILURE;
        }
    };
    let table = Builder::new_multi_thread().worker_threads(1).thread_name(cpu::TABLE).enable_all().build();
    let ours = Builder::new_current_thread().enable_all().build();
    let (Ok(table), Ok(ours)) = (table, ours) else { return ExitCode::FAILURE };
    let figures = ours.block_on(measure(&wanted.plan(), table.handle()));
    let text = format!("{figures:#}\n");
    match wanted.out.map(|path| std::fs::write(path, &text)) {
        None => println!("{text}"),
        Some(Ok(())) => {}
        Some(Err(error)) => {
            eprintln!("the figures could not be written: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn measure(plan: &Plan, table: &Handle) -> Value {
    let overhead = overhead::measure(table, plan.rounds).await;
    let growth = growth::measure(table, &plan.sizes, plan.rounds_of_a_size).await;
    let day = day::measure(table, &plan.desks, plan.day).await;
    json!({
        "optimised": !cfg!(debug_assertions), "overhead": overhead, "growth": growth, "day": day,
    })
}

impl Wanted {
    fn plan(&self) -> Plan {
        let (rounds, rounds_of_a_size, seconds) = if self.quick { (100, 20, 3) } else { (400, 60, 10) };
        let sizes = [1000, 10_000, 100_000, 1_000_000].into_iter().filter(|n| *n <= self.patients).collect();
        let (desks, day) = (vec![1, 8, 64], Duration::from_secs(seconds));
        Plan { rounds, rounds_of_a_size, sizes, desks, day }
    }
}

fn read(words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted { quick: false, patients: 0, out: None };
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => wanted.quick = true,
            "--patients" => {
                let number = words.next().and_then(|n| n.parse().ok());
                wanted.patients = number.ok_or("--patients takes a number")?;
            }
            "--out" => wanted.out = Some(words.next().ok_or("--out takes a file")?.into()),
            other => return Err(format!("{other}: not known; --quick, --patients N, --out FILE")),
        }
    }
    if wanted.patients == 0 {
        wanted.patients = if wanted.quick { 10_000 } else { 100_000 };
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What takes minutes when it is measured, in its smallest form: every request of it is answered as it should be,
    /// and a tenant that has grown tenfold costs no trip and no unit more.
    #[tokio::test]
    async fn a_tenant_that_grows_costs_the_same_and_a_full_desk_is_served() {
        let plan = Plan {
            rounds: 3,
            rounds_of_a_size: 5,
            sizes: vec![20, 200],
            desks: vec![1, 8],
            day: Duration::from_millis(500),
        };
        let figures = measure(&plan, &Handle::current()).await;
        let [small, large] =
            [0, 1].map(|n| figures["growth"][n]["operations"].as_object().expect("operations"));
        let names: Vec<&String> = small.keys().collect();
        assert_eq!(names, ["book", "check in", "list", "register", "search", "show", "update"]);
        for name in names {
            for count in ["trips", "read", "write"] {
                assert_eq!(small[name][count], large[name][count], "{count} of {name}");
            }
            assert_eq!(small[name]["took_us"]["count"], 5, "nobody was refused");
            assert!(
                figures["overhead"]["operations"][name]["ours_us"]["count"].as_u64() >= Some(3),
                "{figures:#}"
            );
        }
        for load in figures["day"].as_array().expect("loads") {
            assert_eq!(load["odd"], json!({}), "{load:#}");
            assert!(load["requests"].as_f64() > Some(0.0), "{load:#}");
        }
    }
}
