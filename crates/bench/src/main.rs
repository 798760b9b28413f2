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
use std::{path::PathBuf, process::ExitCode};
use tokio::runtime::{Builder, Handle};

/// `--quick`: minutes. `--patients N`: the largest tenant. `--out FILE`: where the figures go, as JSON.
struct Wanted {
    quick: bool,
    patients: usize,
    out: Option<PathBuf>,
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
    let figures = ours.block_on(measure(&wanted, table.handle()));
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

async fn measure(wanted: &Wanted, table: &Handle) -> Value {
    let sizes: Vec<usize> =
        [1000, 10_000, 100_000, 1_000_000].into_iter().filter(|n| *n <= wanted.patients).collect();
    let (repeats, seconds) = if wanted.quick { (100, 3) } else { (400, 10) };
    let overhead = overhead::measure(table, repeats).await;
    let growth = growth::measure(table, &sizes, if wanted.quick { 20 } else { 60 }).await;
    let day = day::measure(table, &[1, 8, 64], seconds).await;
    json!({
        "optimised": !cfg!(debug_assertions), "overhead": overhead, "growth": growth, "day": day,
    })
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
