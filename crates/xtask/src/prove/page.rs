//! The page to read: one table of sections, then what each found.

use serde_json::Value;

/// Of what sections have left.
pub(super) fn of(proved: &[Value]) -> String {
    let rows: String = proved.iter().map(row).collect();
    let details: String = proved.iter().map(detail).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>What was proved</title>\n<style>{STYLE}</style>\n\
         <h1>What was proved</h1>\n\
         <table><tr><th>section<th>claim<th>counted<th>holds</tr>\n{rows}</table>\n{details}</html>\n"
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui;max-width:72rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.4rem .8rem;text-align:left;vertical-align:top}\
.no{color:#a00;font-weight:bold}code{background:#f3f3f3;padding:0 .3rem}";

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn all(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn row(one: &Value) -> String {
    let count =
        |c: &Value| format!("{} {}", grouped(c["count"].as_u64().unwrap_or_default()), text(&c["what"]));
    let counts: Vec<String> = all(&one["counts"]).map(count).collect();
    let holds = match all(&one["findings"]).count() {
        0 => "yes".to_string(),
        n => format!("<span class=\"no\">{n} findings</span>"),
    };
    let (name, claim) = (text(&one["section"]), text(&one["claim"]));
    format!("<tr><td><a href=\"#{name}\">{name}</a><td>{claim}<td>{}<td>{holds}</tr>\n", counts.join("<br>"))
}

fn detail(one: &Value) -> String {
    let list = |title: &str, findings: &Value| {
        let item =
            |f: &Value| format!("<li>{}<br><code>{}</code></li>\n", text(&f["what"]), text(&f["again"]));
        let items: String = all(findings).map(item).collect();
        if items.is_empty() { String::new() } else { format!("<h3>{title}</h3>\n<ul>{items}</ul>\n") }
    };
    let plot =
        |p: &Value| format!("<h3>{}</h3>\n{}\n", text(&p["what"]), p["svg"].as_str().unwrap_or_default());
    let plots: String = all(&one["plots"]).map(plot).collect();
    let name = text(&one["section"]);
    format!(
        "<h2 id=\"{name}\">{name}</h2>\n<p>{} s, {} form, seed {}.</p>\n{plots}{}{}",
        one["seconds"],
        text(&one["form"]),
        one["seed"],
        list("Does not hold", &one["findings"]),
        list("Known, with its reason", &one["known"])
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
    use serde_json::json;

    #[test]
    fn numbers_are_grouped_and_texts_cannot_break_the_page() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(escaped("<b>&\""), "&lt;b&gt;&amp;&quot;");
        let page = of(&[
            json!({"section": "x", "claim": "<i>", "seconds": 2.0, "findings": [{"what": "<p>", "again": ""}]}),
        ]);
        assert!(page.contains("1 findings") && page.contains("&lt;p&gt;") && !page.contains("<i>"), "{page}");
    }
}
