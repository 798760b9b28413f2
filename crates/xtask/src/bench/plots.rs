//! Plots as SVG: bars against a goal, and lines over a growing tenant.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const LABEL: f64 = 230.0;
const ROW: f64 = 18.0;

/// One bar for each, and the goal as a line across them.
pub fn bars(all: &[(String, f64)], goal: Option<f64>, unit: &str) -> String {
    let most = all.iter().map(|(_, v)| *v).chain(goal).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let scale = (WIDTH - LABEL - 90.0) / most;
    let height = ROW * all.len() as f64 + 8.0;
    let mut out = open(height);
    for (row, (name, value)) in all.iter().enumerate() {
        let y = row as f64 * ROW + 4.0;
        let over = goal.is_some_and(|goal| *value > goal);
        let colour = if over { "#c2410c" } else { "#0f766e" };
        let _ = write!(
            out,
            r#"<text x="{:.0}" y="{:.1}" text-anchor="end">{}</text><rect x="{LABEL}" y="{y:.1}" width="{:.1}" height="{:.0}" fill="{colour}"/><text x="{:.1}" y="{:.1}">{} {unit}</text>"#,
            LABEL - 6.0,
            y + 12.0,
            escaped(name),
            value * scale,
            ROW - 5.0,
            LABEL + value * scale + 5.0,
            y + 12.0,
            short(*value)
        );
    }
    if let Some(goal) = goal {
        let x = LABEL + goal * scale;
        let _ = write!(out, r##"<path d="M{x:.1} 0V{height:.0}" stroke="#111" stroke-dasharray="3 3"/>"##);
    }
    out + "</svg>"
}

/// A line for each series, over the logarithm of `xs`.
pub fn lines(xs: &[f64], series: &[(String, Vec<f64>)], unit: &str) -> String {
    const COLOURS: [&str; 7] = ["#0f766e", "#c2410c", "#1d4ed8", "#7e22ce", "#4d7c0f", "#be185d", "#525252"];
    let (height, bottom, left) = (260.0, 225.0, 60.0);
    let most = series.iter().flat_map(|(_, ys)| ys).copied().fold(f64::MIN_POSITIVE, f64::max);
    let (low, high) =
        (xs.first().copied().unwrap_or(1.0).log10(), xs.last().copied().unwrap_or(10.0).log10());
    let x = |v: f64| left + (v.log10() - low) / (high - low).max(1e-9) * (WIDTH - LABEL - left);
    let y = |v: f64| bottom - v / most * (bottom - 15.0);
    let mut out = open(height);
    let _ = write!(
        out,
        r##"<path d="M{left} 10V{bottom}H{:.0}" fill="none" stroke="#888"/><text x="4" y="20">{} {unit}</text>"##,
        WIDTH - LABEL,
        short(most)
    );
    for at in xs {
        let _ = write!(
            out,
            r#"<text x="{:.1}" y="{:.0}" text-anchor="middle">{at}</text>"#,
            x(*at),
            bottom + 18.0
        );
    }
    for (n, (name, ys)) in series.iter().enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        let points: Vec<String> =
            xs.iter().zip(ys).map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let _ = write!(
            out,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/><text x="{:.0}" y="{:.0}" fill="{colour}">{}</text>"#,
            points.join(" "),
            WIDTH - LABEL + 20.0,
            25.0 + 18.0 * n as f64,
            escaped(name)
        );
    }
    out + "</svg>"
}

fn open(height: f64) -> String {
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">"#
    )
}

/// Four significant digits are enough for a plot.
fn short(value: f64) -> String {
    let digits = (3 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 5) as usize;
    format!("{value:.digits$}")
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_its_goal_stands_out() {
        let plot = bars(&[("a<b".into(), 2.0), ("c".into(), 4.0)], Some(3.0), "ms");
        assert!(plot.contains("a&lt;b") && plot.contains("2.000 ms"));
        assert_eq!(plot.matches("#c2410c").count(), 1);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [short(1234.6), short(7.25), short(0.00246), short(0.0)],
            ["1235", "7.250", "0.00246", "0.00000"]
        );
    }
}
