//! The figures as a page that stands alone.

use super::{
    counts::summed,
    plots::{bars, escaped, lines},
    starts, times,
};
use serde_json::Value;
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}table{border-collapse:\
                     collapse;font-size:13px}td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;text-align:right}\
                     td:first-child,th:first-child{text-align:left}.over{color:#c2410c;font-weight:600}";

pub fn html(figures: &Value) -> String {
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lumina, measured</title><style>{STYLE}</style>\
         <h1>Lumina, measured</h1><p>By <code>cargo xtask bench</code>. Counts are exact; times are of the machine that ran \
         it. Prices: list, {} of {}. Not run on AWS: real latency, Firecracker's start, what the platform adds.</p>",
        escaped(text(&figures["prices"]["currency"])),
        escaped(text(&figures["prices"]["region"]))
    );
    counts(&mut out, &figures["counts"]);
    floor(&mut out, &figures["floor"]);
    functions(&mut out, &figures["starts"]);
    overhead(&mut out, &figures["times"]);
    out
}

fn counts(out: &mut String, counts: &Value) {
    let rows: Vec<&Value> = counts.as_array().into_iter().flatten().collect();
    if rows.is_empty() {
        return;
    }
    let _ = write!(out, "<h2>What a thousand requests cost</h2>");
    for kind in ["show", "list", "patch", "create"] {
        let of = rows.iter().filter(|row| row["kind"] == kind);
        let mut all: Vec<(String, f64)> = of
            .clone()
            .map(|row| (text(&row["operation"]).into(), number(&row["dollars_per_thousand"])))
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let goal = of.clone().next().and_then(|row| row["goal"].as_f64());
        let _ = write!(out, "<h3>{kind}</h3>{}", bars(&all, goal, "$"));
        let spent = spent(of);
        if !spent.is_empty() {
            let _ = write!(
                out,
                "<h4>Write units of a {kind}, by what they go into</h4>{}",
                bars(&spent, None, "")
            );
        }
    }
    let _ = write!(
        out,
        "<h3>Every operation and message</h3><table><tr><th>operation<th>module<th>requests<th>trips<th>items<th>bytes\
         <th>read units<th>write units<th>at most<th>queue<th>$ per 1,000"
    );
    for row in rows {
        let over = row["goal"].as_f64().is_some_and(|goal| number(&row["dollars_per_thousand"]) > goal);
        let _ = write!(
            out,
            "<tr{}><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.5}",
            if over { " class=over" } else { "" },
            escaped(text(&row["operation"])),
            text(&row["module"]),
            row["requests"],
            row["trips"],
            row["items"],
            row["bytes"],
            row["read_units"],
            row["write_units"],
            row["write_units_most"],
            row["queue_requests"],
            number(&row["dollars_per_thousand"])
        );
    }
    let _ = write!(out, "</table>");
}

/// In the mean over the operations.
fn spent<'a>(rows: impl Iterator<Item = &'a &'a Value> + Clone) -> Vec<(String, f64)> {
    let each = rows.clone().filter_map(|row| row["spent"].as_array()).flatten();
    summed(each.map(|pair| (text(&pair[0]), number(&pair[1]))), rows.count() as f64)
}

fn floor(out: &mut String, floor: &Value) {
    let Some(all) = floor["lines"].as_array() else { return };
    let _ = write!(out, "<h2>A month in which nobody comes</h2><table><tr><th>what<th>count<th>each<th>$");
    for line in all {
        let _ = write!(
            out,
            "<tr><td>{}<td>{:.2}<td>{:.2}<td>{:.2}",
            escaped(text(&line["what"])),
            number(&line["count"]),
            number(&line["each"]),
            number(&line["sum"])
        );
    }
    let _ = write!(out, "<tr><td>in all (goal 25, limit 40)<td><td><td>{:.2}</table>", number(&floor["sum"]));
}

fn functions(out: &mut String, starts: &Value) {
    let Some(all) = starts["functions"].as_array() else { return };
    let (p50, _, zip, memory) = starts::GOAL;
    let plot = |pointer: &str, scale: f64, goal: f64, unit: &str| {
        let value = |f: &Value| number(f.pointer(pointer).unwrap_or(&Value::Null)) / scale;
        let bars_of: Vec<(String, f64)> = all.iter().map(|f| (text(&f["name"]).into(), value(f))).collect();
        bars(&bars_of, Some(goal), unit)
    };
    let _ = write!(
        out,
        "<h2>Functions</h2><h3>From exec to the first poll, median of {} starts</h3>{}<h3>The first event</h3>{}<h3>Zip</h3>{}\
         <h3>Memory at its highest</h3>{}",
        starts["starts"],
        plot("/start_ms/p50", 1.0, p50, "ms"),
        plot("/event_ms/0", 1.0, p50, "ms"),
        plot("/zip_bytes", 1e6, zip as f64 / 1e6, "MB"),
        plot("/peak_rss_bytes", 1e6, memory as f64 / 1e6, "MB")
    );
}

fn overhead(out: &mut String, times: &Value) {
    let Some(all) = times["overhead"]["operations"].as_object() else { return };
    let ours: Vec<(String, f64)> =
        all.iter().map(|(name, t)| (name.clone(), number(&t["ours_us"]["p50"]))).collect();
    let _ =
        write!(out, "<h2>Our time beside the table's calls</h2>{}", bars(&ours, Some(times::GOAL.0), "µs"));
    let sizes: Vec<&Value> = times["growth"].as_array().into_iter().flatten().collect();
    let xs: Vec<f64> = sizes.iter().map(|size| number(&size["patients"])).collect();
    let took = |name: &str| sizes.iter().map(|s| number(&s["operations"][name]["took_us"]["p50"])).collect();
    let series: Vec<(String, Vec<f64>)> = all.keys().map(|name| (name.clone(), took(name))).collect();
    let _ = write!(
        out,
        "<h2>The same requests in a tenant that grows (patients)</h2>{}",
        lines(&xs, &series, "µs")
    );
    let _ = write!(out, "<pre>{}</pre>", escaped(&times::text(times)));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_shows_what_there_is_and_nothing_else() {
        let row = json!({"operation": "GET /v1/x/{id}", "kind": "show", "goal": 0.0025, "dollars_per_thousand": 0.003});
        let page = html(&json!({"counts": [row]}));
        assert!(page.contains("class=over") && page.contains("GET /v1/x/{id}"));
        assert!(!page.contains("Functions") && !page.contains("growing"));
    }
}
