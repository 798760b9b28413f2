//! Rendering: strict, bounded, without includes. What a text does not know is an error and never a gap.

use super::{
    Text,
    filters::{self, Reader},
};
use crate::words::Medium;
use jiff::{Timestamp, tz::TimeZone};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Value, json};

/// Steps of one rendering: ends runaway loops.
const FUEL: u64 = 10_000;
/// Bytes of a rendered text.
const LONGEST: usize = 64 * 1024;
const DEEPEST: usize = 50;

/// A text that cannot be rendered: in which line, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub detail: String,
}

/// Who reads, who writes, and where it leads.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub name: String,
    pub language: String,
    pub zone: TimeZone,
    pub now: Timestamp,
    pub organisation: String,
    pub url: String,
    /// Whom it is about, if the reader may see it.
    pub subject: Option<String>,
    pub link: String,
}

/// What texts may name: `recipient`, `org`, `subject`, `data`, `link`.
fn context(around: &Surroundings, data: &Value) -> Value {
    let first = around.name.split_whitespace().next().unwrap_or_default();
    let subject = around.subject.as_deref().unwrap_or_default();
    json!({
        "recipient": {"name": around.name, "first_name": first, "language": around.language},
        // Telephone and logo follow when the organisation's record publishes them.
        "org": {"name": around.organisation, "phone": "", "url": around.url, "logo": ""},
        "subject": {"name": subject, "initials": filters::initials(subject)},
        "data": data,
        "link": around.link,
    })
}

/// A text as it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    pub title: String,
    pub body: String,
}

pub fn render(text: &Text, medium: Medium, around: &Surroundings, data: &Value) -> Result<Wording, Fault> {
    let mut env = environment(around);
    // The body of an e-mail is HTML, everything else is plain.
    env.set_auto_escape_callback(move |name| match (name, medium) {
        ("body", Medium::Email) => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    let values = context(around, data);
    let one = |name: &str, source: &str| -> Result<String, Fault> {
        let rendered = env.render_named_str(name, source, minijinja::value::Serde(&values));
        let rendered = rendered.map_err(|e| fault(&e))?;
        match rendered.len() <= LONGEST {
            true => Ok(rendered),
            false => Err(Fault { line: 1, detail: "renders to more than 64 KB".into() }),
        }
    };
    // A line break in a heading would begin a header of its own.
    let title = one("title", &text.title)?.replace(['\r', '\n'], " ");
    Ok(Wording { title: title.trim().into(), body: one("body", &text.body)?.trim().into() })
}

fn environment(around: &Surroundings) -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(DEEPEST);
    env.set_debug(false);
    filters::add(&mut env, &Reader { zone: around.zone.clone(), now: around.now });
    env
}

/// The variables that a text looks up, or why it does not parse.
pub(super) fn variables(source: &str) -> Result<Vec<String>, Fault> {
    let env = Environment::empty();
    let parsed = env.template_from_named_str("body", source).map_err(|e| fault(&e))?;
    let mut names: Vec<String> = parsed.undeclared_variables(true).into_iter().collect();
    names.sort();
    Ok(names)
}

fn fault(error: &minijinja::Error) -> Fault {
    let detail = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    Fault { line: error.line().unwrap_or(1), detail }
}

/// A plain text as the body of an e-mail.
pub fn to_html(plain: &str) -> String {
    let escape =
        |s: &str| s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    plain.split("\n\n").map(|p| format!("<p>{}</p>", escape(p).replace('\n', "<br>"))).collect()
}

/// The text of an HTML body, for readers without HTML: tags go, paragraphs and lines stay.
pub fn to_text(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>') else { break };
        let tag = rest[open + 1..open + close].trim_start_matches('/').to_ascii_lowercase();
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        match name.as_str() {
            "br" | "li" | "tr" => out.push('\n'),
            "p" | "div" | "h1" | "h2" | "h3" | "ul" | "table" => out.push_str("\n\n"),
            _ => {}
        }
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    let plain = out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    let plain = plain.replace("&#x2f;", "/").replace("&nbsp;", " ").replace("&amp;", "&");
    let mut lines: Vec<&str> = plain.lines().map(str::trim).collect();
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    lines.join("\n").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Surroundings {
        Surroundings {
            name: "Ada Okafor".into(),
            language: "en-NG".into(),
            zone: TimeZone::get("Africa/Lagos").unwrap(),
            now: "2026-11-20T09:00:00Z".parse().unwrap(),
            organisation: "Grace <Hospital>".into(),
            url: "https://app.test".into(),
            subject: None,
            link: "https://app.test/n/1".into(),
        }
    }
    fn body(text: &str, medium: Medium) -> Result<String, Fault> {
        let text = Text { title: String::new(), body: text.into() };
        let data = json!({
            "start": "2026-11-20T22:30:00Z", "due_on": "2026-12-01", "list": [1, 2, 3, 4, 5, 6, 7, 8, 9],
            "amount": {"amount": "1250.00", "currency": "NGN"},
        });
        render(&text, medium, &around(), &data).map(|w| w.body)
    }

    #[test]
    fn dates_are_the_readers_and_money_is_written_out() {
        assert_eq!(body("{{ data.start | datetime }}", Medium::Sms).unwrap(), "20 November 2026, 23:30");
        assert_eq!(body("{{ data.due_on | date }}", Medium::Sms).unwrap(), "1 December 2026");
        assert_eq!(body("{{ data.start | relative }}", Medium::Sms).unwrap(), "in 13 h");
        assert!(body("{{ data.amount | money }}", Medium::Sms).unwrap().contains("250.00"));
        let named = body("{{ recipient.first_name }} {{ recipient.name | initials }}", Medium::Sms);
        assert_eq!(named.unwrap(), "Ada A.O.");
    }

    #[test]
    fn what_is_not_there_is_an_error_and_not_a_gap() {
        let fault = body("one\n{{ data.totl }}", Medium::Sms).unwrap_err();
        assert_eq!(fault.line, 2);
        assert_eq!(body("{{ data.totl | default('none') }}", Medium::Sms).unwrap(), "none");
    }

    #[test]
    fn a_loop_without_end_ends_and_nothing_can_be_included() {
        let deep = |n: usize| {
            let open: String = (0..n).map(|i| format!("{{% for a{i} in data.list %}}")).collect();
            format!("{open}x{}", "{% endfor %}".repeat(n))
        };
        assert!(body(&deep(2), Medium::Sms).is_ok());
        assert!(body(&deep(6), Medium::Sms).is_err());
        assert!(body("{% include 'x' %}", Medium::Sms).is_err());
        assert!(body("{% macro m() %}{% endmacro %}", Medium::Sms).is_err());
    }

    #[test]
    fn an_emails_values_are_escaped_and_its_text_reads_back() {
        let html = body("<p>From {{ org.name }}</p><p>Bye</p>", Medium::Email).unwrap();
        assert_eq!(html, "<p>From Grace &lt;Hospital&gt;</p><p>Bye</p>");
        assert_eq!(to_text(&html), "From Grace <Hospital>\n\nBye");
        assert_eq!(to_html("a < b\nc\n\nd"), "<p>a &lt; b<br>c</p><p>d</p>");
    }

    #[test]
    fn a_heading_holds_no_line_break() {
        let text = Text { title: "One\r\nBcc: x".into(), body: "b".into() };
        assert_eq!(render(&text, Medium::Push, &around(), &json!({})).unwrap().title, "One  Bcc: x");
    }
}
