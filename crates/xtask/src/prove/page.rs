//! The page to read: one table of sections, then what each found.

use super::{Finding, Proved, Setting};

pub(super) fn of(setting: &Setting, proved: &[Proved]) -> String {
    let rows: String = proved.iter().map(row).collect();
    let details: String = proved.iter().map(detail).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>What was proved</title>\n<style>{STYLE}</style>\n\
         <h1>What was proved</h1>\n<p>{:?} form, seed {}.</p>\n\
         <table><tr><th>section<th>claim<th>counted<th>holds</tr>\n{rows}</table>\n{details}</html>\n",
        setting.form, setting.seed
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui;max-width:72rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.4rem .8rem;text-align:left;vertical-align:top}\
.no{color:#a00;font-weight:bold}code{background:#f3f3f3;padding:0 .3rem}";

fn row(one: &Proved) -> String {
    let counts: Vec<String> =
        one.report.counts.iter().map(|(what, n)| format!("{} {}", grouped(*n), escaped(what))).collect();
    let holds = match one.report.findings.len() {
        0 => "yes".to_string(),
        n => format!("<span class=\"no\">{n} findings</span>"),
    };
    format!(
        "<tr><td><a href=\"#{0}\">{0}</a><td>{1}<td>{2}<td>{3}</tr>\n",
        one.section.name,
        escaped(one.section.claim),
        counts.join("<br>"),
        holds
    )
}

fn detail(one: &Proved) -> String {
    let list = |title: &str, findings: &[Finding]| {
        let items: String = findings
            .iter()
            .map(|f| format!("<li>{}<br><code>{}</code></li>\n", escaped(&f.what), escaped(&f.again)))
            .collect();
        if items.is_empty() { String::new() } else { format!("<h3>{title}</h3>\n<ul>{items}</ul>\n") }
    };
    format!(
        "<h2 id=\"{0}\">{0}</h2>\n<p>{1:.0} s.</p>\n{2}{3}",
        one.section.name,
        one.took.as_secs_f64(),
        list("Does not hold", &one.report.findings),
        list("Known, with its reason", &one.report.known)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// 12,345
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_texts_cannot_break_the_page() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(escaped("<b>&\""), "&lt;b&gt;&amp;&quot;");
    }
}
