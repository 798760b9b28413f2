//! `cargo xtask bench`: what the product costs, in round trips, units, money and time, against the goals that we hold
//! ourselves to. Prints the tables, and writes them as `target/bench/figures.json` and `target/bench/index.html`.
//!
//! Counts are exact and the same on every machine; times are of this machine, and compared with nothing but their
//! goals. Not run on AWS: real latency, Firecracker's start, and what the platform adds.

mod counts;
mod events;
mod floor;
mod options;
mod page;
pub(crate) mod plots;
mod prices;
mod runtime_api;
mod start;
mod starts;
mod times;

pub use options::Options;

use crate::{harvest::Harvest, modules, template::raw, workspace::Workspace};
use counts::Counts;
use local::trouble::{Outcome, While};
use options::Part;
use prices::Prices;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Everything that the options name.
pub fn run(root: &Path, options: &Options) -> Outcome<()> {
    let workspace = Workspace::read(root)?;
    let prices = Prices::of(&options.region)?;
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder).whilst(format_args!("make {}", folder.display()))?;
    let file = folder.join("figures.json");
    // What is not measured now stays as it was measured last.
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let mut figures: Value = serde_json::from_str(&kept).unwrap_or_else(|_| json!({}));
    figures["prices"] = json!({"region": prices.region, "as_of": prices.as_of, "currency": prices.currency, "source": prices.source});
    let mut trouble = None;
    if options.has(Part::Counts) {
        let all = modules::all();
        let names: Vec<&str> = all.iter().map(|m| m.name).collect();
        let harvest = match &options.harvest {
            Some(folder) => Harvest::read(folder)?,
            None => Harvest::gather(root, &workspace.target.join("harvest"), &names, false)?,
        };
        let counts = Counts::of(&harvest, &prices);
        print!("{}", counts.text());
        figures["counts"] = counts.json();
    }
    if options.has(Part::Floor) {
        let lines = floor::lines(&raw::files(root)?, &prices);
        println!("\nA month in which nobody comes, {} of {}:", prices.currency, prices.region);
        for line in &lines {
            println!("{:>9.2}  {:>7.2} × {:<6.2} {}", line.sum(), line.count, line.each, line.what);
        }
        figures["floor"] = floor::json(&lines);
        println!("{:>9.2}  in all (goal 25, limit 40)", figures["floor"]["sum"].as_f64().unwrap_or_default());
    }
    if options.has(Part::Starts) {
        let (measured, dialling) = starts::all(root, options.starts, &options.functions)?;
        figures["starts"] = measured;
        trouble = dialling;
    }
    if options.has(Part::Times) {
        figures["times"] = times::measure(root, &folder, options)?;
        print!("{}", times::text(&figures["times"]));
    }
    fs::write(&file, format!("{figures:#}\n")).whilst(format_args!("write {}", file.display()))?;
    let page = folder.join("index.html");
    fs::write(&page, page::html(&figures)).whilst(format_args!("write {}", page.display()))?;
    println!("\n{} and {}", file.display(), page.display());
    trouble.map_or(Ok(()), Err)
}
