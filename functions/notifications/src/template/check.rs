//! What is wrong with a text, said when it is saved: syntax, names that the event does not carry, an SMS that takes
//! more than three parts, a loop without end.

use super::{
    RenderFault as Fault, Surroundings, Text,
    render::{render, variables},
    sms,
};
use crate::{catalogue, spelling, words::Medium};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

/// Parts of an SMS.
const PARTS: u32 = 3;

/// The fields that several events have, with their samples.
pub fn fields_of(events: &[&str]) -> Map<String, Value> {
    events.iter().filter_map(|event| catalogue::event(event)).flat_map(Clone::clone).collect()
}

/// Names beside `data`.
const KNOWN: &[(&str, &[&str])] = &[
    ("recipient", &["name", "first_name", "language"]),
    ("org", &["name", "phone", "url", "logo"]),
    ("subject", &["name", "initials"]),
    ("link", &[]),
];

pub fn check(text: &Text, medium: Medium, fields: &Map<String, Value>) -> Result<(), Fault> {
    for source in [&text.title, &text.body] {
        for variable in variables(source)? {
            let wrong = |detail| Fault { line: line_of(source, &variable), detail };
            known(&variable, fields).map_err(wrong)?;
        }
    }
    let rendered = render(text, medium, &longest(), &Value::Object(fields.clone()))?;
    let parts = sms::segments(&rendered.body);
    if medium == Medium::Sms && parts > PARTS {
        let detail = format!("with long values this SMS takes {parts} parts; {PARTS} are the most");
        return Err(Fault { line: 1, detail });
    }
    Ok(())
}

fn known(variable: &str, fields: &Map<String, Value>) -> Result<(), String> {
    let mut words = variable.split('.');
    let (root, member) = (words.next().unwrap_or_default(), words.next());
    if root == "data" {
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        return match member {
            Some(member) if !fields.contains_key(member) => {
                Err(unknown(member, "the event has no field", &names))
            }
            _ => Ok(()),
        };
    }
    let roots: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).chain(["data"]).collect();
    let Some((_, members)) = KNOWN.iter().find(|(name, _)| *name == root) else {
        return Err(unknown(root, "there is no", &roots));
    };
    match member {
        Some(member) if !members.contains(&member) => {
            Err(unknown(member, &format!("{root} has no"), members))
        }
        _ => Ok(()),
    }
}

fn unknown(given: &str, what: &str, known: &[&str]) -> String {
    let near = spelling::nearest(given, known);
    match near.is_empty() && !known.is_empty() {
        true => format!("{what} {given}; there is: {}", known.join(", ")),
        false => format!("{what} {given}{near}"),
    }
}

fn line_of(source: &str, variable: &str) -> usize {
    source.lines().position(|line| line.contains(variable)).map_or(1, |at| at + 1)
}

/// Names as long as they come.
pub fn longest() -> Surroundings {
    Surroundings {
        name: "Oluwaseun Chukwuemeka-Adeyemi".into(),
        language: "en-NG".into(),
        zone: TimeZone::UTC,
        now: Timestamp::UNIX_EPOCH,
        organisation: "Grace Teaching Hospital".into(),
        url: "https://grace-hospital.example".into(),
        subject: Some("Oluwaseun Chukwuemeka-Adeyemi".into()),
        link: "https://app.lumina.example/n/ntf_01J00000000000000000000000".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str, medium: Medium) -> Fault {
        let text = Text { title: String::new(), body: body.into() };
        let fields = serde_json::json!({"total": "12.00", "currency": "NGN"}).as_object().unwrap().clone();
        check(&text, medium, &fields).unwrap_err()
    }

    #[test]
    fn an_unknown_name_is_told_with_its_line_and_the_nearest_one() {
        let said = fault("Dear {{ recipient.name }},\nyou owe {{ data.totl }}", Medium::Email);
        assert_eq!(said.line, 2);
        assert_eq!(said.detail, "the event has no field totl; nearest: total");
        assert!(fault("{{ recipient.nam }}", Medium::Email).detail.contains("nearest: name"));
        assert!(fault("{{ orgg.name }}", Medium::Email).detail.contains("nearest: org"));
    }

    #[test]
    fn bad_syntax_is_told_with_its_line() {
        assert_eq!(fault("a\nb {% if %}", Medium::Email).line, 2);
        assert!(fault("{{ data.total | nothing }}", Medium::Email).detail.contains("nothing"));
    }

    #[test]
    fn an_sms_of_four_parts_is_refused() {
        assert!(fault(&"x".repeat(480), Medium::Sms).detail.contains("4 parts"));
        let text = Text { title: String::new(), body: "x".repeat(459) };
        assert!(check(&text, Medium::Sms, &Map::new()).is_ok());
    }
}
