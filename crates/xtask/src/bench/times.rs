//! Overhead, growth and load: measured by the program of `crates/bench`, which is built as the functions are.

use super::options::Options;
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{env, fmt::Write, fs, path::Path, process::Command};

pub fn measure(root: &Path, folder: &Path, options: &Options) -> Outcome<Value> {
    let out = folder.join("times.json");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "bench", "--", "--out"]).arg(&out);
    if options.quick {
        command.arg("--quick");
    }
    if let Some(patients) = options.patients {
        command.args(["--patients", &patients.to_string()]);
    }
    let done = command.current_dir(root).status().whilst("start the measuring program")?;
    if !done.success() {
        return Err(trouble!("The measuring program failed."));
    }
    let text = fs::read_to_string(&out).whilst(format_args!("read {}", out.display()))?;
    serde_json::from_str(&text).whilst(format_args!("read {}", out.display()))
}

/// Microseconds that our code may add to the table call, at the median and the 99th percentile.
pub const GOAL: (f64, f64) = (150.0, 1000.0);

pub fn text(times: &Value) -> String {
    let mut out = String::new();
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let (p50, p99) = GOAL;
    let bare = &times["overhead"]["bare_get_us"];
    let _ = writeln!(
        out,
        "\nTime of ours beside the calls to the table, µs (goal p50 ≤ {p50}, p99 ≤ {p99}; a bare get of the SDK: {:.0})",
        number(&bare["p50"])
    );
    for (name, all) in times["overhead"]["operations"].as_object().into_iter().flatten() {
        let (ours, calls) = (&all["ours_us"], &all["calls_us"]);
        let _ = writeln!(
            out,
            "{name:<12} ours {:>7.0} {:>7.0}   calls {:>7.0} {:>7.0}",
            number(&ours["p50"]),
            number(&ours["p99"]),
            number(&calls["p50"]),
            number(&calls["p99"])
        );
    }
    let _ = writeln!(
        out,
        "\nThe same requests in a tenant that grows: trips, read and write units, µs at the median"
    );
    for size in times["growth"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "{} patients", size["patients"]);
        for (name, all) in size["operations"].as_object().into_iter().flatten() {
            let _ = writeln!(
                out,
                "  {name:<12} {:>3} {:>6} {:>6} {:>8.0}",
                all["trips"],
                all["read"],
                all["write"],
                number(&all["took_us"]["p50"])
            );
        }
    }
    for (name, slope) in slopes(&times["growth"]) {
        let _ = writeln!(out, "  {name:<12} {slope:+.0} µs for ten times as many patients");
    }
    let _ = writeln!(out, "\nA mixed day (the table engine's processor time apart; no gateway in the path)");
    for load in times["day"].as_array().into_iter().flatten() {
        let _ = writeln!(
            out,
            "{:>3} desks: {:>6.0} requests a processor-second of ours, {:>6.0} a second; engine {:.1} s, ours {:.1} s; \
             p50 {:.0} µs, p99 {:.0} µs; odd {}",
            load["clients"],
            number(&load["requests_per_cpu_second_ours"]),
            number(&load["requests_per_second"]),
            number(&load["cpu_seconds_table_engine"]),
            number(&load["cpu_seconds_ours"]),
            number(&load["took_us"]["p50"]),
            number(&load["took_us"]["p99"]),
            load["odd"]
        );
    }
    out
}

/// By operation, microseconds at the median for each tenfold of patients: from the smallest tenant to the largest.
fn slopes(growth: &Value) -> Vec<(String, f64)> {
    let sizes: Vec<&Value> = growth.as_array().into_iter().flatten().collect();
    let (Some(small), Some(large)) = (sizes.first(), sizes.last()) else { return vec![] };
    let patients = |size: &Value| size["patients"].as_f64().unwrap_or(1.0);
    let tenfolds = (patients(large) / patients(small)).log10();
    if tenfolds <= 0.0 {
        return vec![];
    }
    let took =
        |size: &Value, name: &str| size["operations"][name]["took_us"]["p50"].as_f64().unwrap_or_default();
    let names = small["operations"].as_object().into_iter().flatten().map(|(name, _)| name);
    names.map(|name| (name.clone(), (took(large, name) - took(small, name)) / tenfolds)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_slope_is_by_tenfold() {
        let at = |n: u64, us: f64| json!({"patients": n, "operations": {"show": {"took_us": {"p50": us}}}});
        let growth = json!([at(1000, 300.0), at(10_000, 500.0), at(100_000, 340.0)]);
        assert_eq!(slopes(&growth), [("show".to_string(), 20.0)]);
    }
}
