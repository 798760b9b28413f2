//! Fields: what a template declares, and what is wrong with the values that come for it.

use super::{Field, FieldType, Template};
use kernel::{Fault, money::Money};
use serde_json::{Map, Value};

/// What is wrong with the declaration itself.
pub fn declared(template: &Template) -> Vec<Fault> {
    let mut names: Vec<&str> = template.fields.iter().map(|f| f.name.as_str()).collect();
    names.sort_unstable();
    names
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| Fault::new("/fields", "repeated", format!("{} is declared twice", pair[0])))
        .collect()
}

/// Everything that is missing, unknown or of another type: all at once.
pub fn faults(fields: &[Field], data: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = vec![];
    for name in data.keys().filter(|name| !fields.iter().any(|f| f.name == **name)) {
        let known: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
        faults.push(Fault::new(
            format!("/data/{name}"),
            "unknown",
            format!("the template has: {}", known.join(", ")),
        ));
    }
    for field in fields {
        let at = format!("/data/{}", field.name);
        match data.get(&field.name).filter(|v| !v.is_null()) {
            None if field.required => faults.push(Fault::new(at, "required", "the template needs it")),
            Some(value) if !fits(field.kind, value) => {
                faults.push(Fault::new(at, "type", format!("expected {}", form(field.kind))));
            }
            _ => {}
        }
    }
    faults
}

/// The values as the template sees them: what is optional and missing is nothing, and prints as nothing.
pub fn filled(fields: &[Field], data: &Map<String, Value>) -> Map<String, Value> {
    fields.iter().map(|f| (f.name.clone(), data.get(&f.name).cloned().unwrap_or(Value::Null))).collect()
}

fn fits(kind: FieldType, value: &Value) -> bool {
    let text = value.as_str();
    match kind {
        FieldType::Text => text.is_some_and(|t| t.chars().count() <= 10_000),
        FieldType::Number => value.is_number(),
        FieldType::Date => text.is_some_and(|t| t.parse::<jiff::civil::Date>().is_ok()),
        FieldType::Datetime => text.is_some_and(|t| t.parse::<jiff::Timestamp>().is_ok()),
        FieldType::Money => money(value).is_some(),
        FieldType::Flag => value.is_boolean(),
        FieldType::List => value.as_array().is_some_and(|rows| rows.len() <= 1000),
    }
}

fn form(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "text",
        FieldType::Number => "a number",
        FieldType::Date => "a date: 2026-01-31",
        FieldType::Datetime => "a time: 2026-01-31T09:00:00Z",
        FieldType::Money => "an amount: {\"amount\": \"1250.00\", \"currency\": \"NGN\"}",
        FieldType::Flag => "true or false",
        FieldType::List => "a list",
    }
}

pub fn money(value: &Value) -> Option<Money> {
    let currency = value["currency"].as_str()?.parse().ok()?;
    Money::parse(value["amount"].as_str()?, currency).ok()
}

/// A value of each type, for the rehearsal of a template that is being saved.
pub fn sample(kind: FieldType) -> Value {
    match kind {
        FieldType::Text => "Ada".into(),
        FieldType::Number => 7.into(),
        FieldType::Date => "2026-01-31".into(),
        FieldType::Datetime => "2026-01-31T09:00:00Z".into(),
        FieldType::Money => serde_json::json!({"amount": "1250.00", "currency": "NGN"}),
        FieldType::Flag => true.into(),
        FieldType::List => Value::Array(vec![]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_values_is_told_all_at_once() {
        let field = |name: &str, kind| Field { name: name.into(), kind, required: true, from: None };
        let fields = [field("start_date", FieldType::Date), field("salary", FieldType::Money)];
        let data = serde_json::json!({"salary": {"amount": "x", "currency": "NGN"}, "colour": "red"});
        let found = faults(&fields, data.as_object().unwrap());
        let found: Vec<String> = found.iter().map(|f| format!("{} {}", f.pointer, f.code)).collect();
        assert_eq!(found, ["/data/colour unknown", "/data/start_date required", "/data/salary type"]);
    }
}
