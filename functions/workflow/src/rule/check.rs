//! What is wrong with a rule: with its place, what is known there, and the nearest name.

use super::{Action, Rule, catalogue};
use kernel::{Error, Fault, Result};
use rules::{Condition, Known};

/// 422 with the column.
pub fn invalid(pointer: &str, fault: &rules::Fault) -> Error {
    let detail = match fault.column {
        0 => fault.detail.clone(),
        column => format!("column {column}: {}", fault.detail),
    };
    Error::field("rule-invalid", pointer, detail).with("column", fault.column)
}

/// Everything of a rule that can be judged without the table.
pub fn readable(rule: &Rule) -> Result<()> {
    for (n, event) in rule.on.iter().enumerate() {
        listened(event).map_err(|detail| Error::field("rule-invalid", format!("/on/{n}"), detail))?;
    }
    let when = Condition::compile(&rule.when, &Known::events()).map_err(|f| invalid("/when", &f))?;
    paths(rule, &when)?;
    for (n, action) in rule.then.iter().enumerate() {
        let at = format!("/then/{n}");
        if let Some(wrong) = action.unreadable(&Known::events()).into_iter().next() {
            return Err(invalid(&format!("{at}/{}", wrong.place), &wrong.fault));
        }
        acts(action, &at)?;
    }
    Ok(())
}

fn listened(event: &str) -> std::result::Result<(), String> {
    if catalogue::is_hidden(event) {
        return Err(format!("rules do not see {event}"));
    }
    if catalogue::events().contains_key(event) {
        return Ok(());
    }
    let nearest = catalogue::nearest(event, catalogue::events().keys().map(String::as_str));
    let nearest = nearest.map(|n| format!(": did you mean {n}?")).unwrap_or_default();
    Err(format!("no event is called {event}{nearest}"))
}

/// Fields of `event.data` exist in one of the rule's events, where their payloads are known.
fn paths(rule: &Rule, when: &Condition) -> Result<()> {
    let payloads: Vec<_> =
        rule.on.iter().filter_map(|e| catalogue::events().get(e)).map(|e| &e.fields).collect();
    if payloads.iter().any(|p| p.is_none()) {
        return Ok(());
    }
    let known: Vec<&String> = payloads.iter().filter_map(|p| p.as_ref()).flat_map(|p| p.keys()).collect();
    for path in when.paths() {
        let Some(field) = path.strip_prefix("event.data.").and_then(|rest| rest.split('.').next()) else {
            continue;
        };
        if known.iter().any(|k| *k == field) {
            continue;
        }
        let nearest = catalogue::nearest(field, known.iter().map(|k| k.as_str()));
        let nearest = nearest.map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
        let all: Vec<&str> = known.iter().map(|k| k.as_str()).collect();
        let detail = format!("event.data.{field} is not known{nearest}; known are {}", all.join(", "));
        let column = rule.when.find(field).map_or(0, |at| rule.when[..at].chars().count() + 1);
        return Err(invalid("/when", &rules::Fault { column, detail }));
    }
    Ok(())
}

fn acts(action: &Action, at: &str) -> Result<()> {
    match action {
        Action::SetField { field, .. } if catalogue::field(field).is_none() => {
            let allowed: Vec<String> =
                catalogue::fields().iter().map(|f| format!("{}.{}", f.noun, f.field)).collect();
            let detail = format!("a rule may not set {field}; it may set {}", allowed.join(", "));
            Err(Error::unprocessable("field-not-settable", detail.clone())
                .at(Fault::new(format!("{at}/field"), "field-not-settable", detail))
                .with("allowed", allowed))
        }
        Action::Notify { template: None, text: None, .. } => {
            Err(Error::field("rule-invalid", format!("{at}/text"), "name a template, or write the text"))
        }
        Action::Notify { recipients, .. } => match recipients.iter().position(|r| r.lacks_value()) {
            Some(n) => {
                let detail = format!("a recipient of the kind {} needs a value", recipients[n].kind);
                Err(Error::field("rule-invalid", format!("{at}/recipients/{n}/value"), detail))
            }
            None => Ok(()),
        },
        Action::StartSequence { subject, .. } if !subject.starts_with('=') && !subject.contains('_') => {
            Err(Error::field("rule-invalid", format!("{at}/subject"), "whom it is about: =event.data.user"))
        }
        _ => Ok(()),
    }
}
