//! Merging: `minijinja` with strict names, little fuel, no other templates, and every value written so that it cannot
//! become markup; then CommonMark's subset becomes blocks.

use super::{
    Template,
    fields::{self, money},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{Error, Fault, Result};
use minijinja::{
    Environment, Error as Broken, ErrorKind, UndefinedBehavior, Value,
    value::{Serde, ValueKind},
};
use reports::{Block, Language, markup};
use serde_json::Map;

/// Steps of a template; a loop over a thousand rows takes about ten thousand.
const FUEL: u64 = 50_000;

pub struct Rendered {
    pub blocks: Vec<Block>,
    pub header: Option<String>,
    pub footer: Option<String>,
}

/// The template with its values. 422 naming what does not go.
pub fn render(
    template: &Template,
    data: &Map<String, serde_json::Value>,
    zone: &TimeZone,
) -> Result<Rendered> {
    let values = fields::filled(&template.fields, data);
    let language = Language::from_tag(&template.language).unwrap_or_default();
    let body = merged(&template.body, &values, language, zone, true)
        .map_err(|e| Error::field("template", "/data", told(&e)))?;
    let blocks = markup::parse(&body).map_err(|faults| {
        let refusal = Error::unprocessable("template", "the template does not print with these values");
        faults.iter().fold(refusal, |refusal, fault| refusal.at(fault.at("/template")))
    })?;
    let small = |text: &Option<String>| -> Result<Option<String>> {
        let Some(text) = text else { return Ok(None) };
        merged(text, &values, language, zone, false)
            .map(Some)
            .map_err(|e| Error::field("template", "/data", told(&e)))
    };
    Ok(Rendered { blocks, header: small(&template.header)?, footer: small(&template.footer)? })
}

/// What a template that is being saved would run into: names that are no fields, marks that are none.
pub fn rehearse(template: &Template) -> Vec<Fault> {
    let language = Language::from_tag(&template.language).unwrap_or_default();
    let zone = TimeZone::UTC;
    let mut faults = vec![];
    let small = [("/header", &template.header), ("/footer", &template.footer)];
    let texts = small
        .into_iter()
        .filter_map(|(at, text)| Some((at, text.as_ref()?)))
        .chain([("/body", &template.body)]);
    let samples: Map<_, _> =
        template.fields.iter().map(|f| (f.name.clone(), fields::sample(f.kind))).collect();
    for (at, text) in texts {
        faults.extend(
            unknown_names(template, text).into_iter().map(|detail| Fault::new(at, "unknown-name", detail)),
        );
        if !faults.is_empty() {
            continue;
        }
        match merged(text, &samples, language, &zone, at == "/body") {
            Err(e) => faults.push(Fault::new(at, "template", told(&e))),
            Ok(body) if at == "/body" => {
                let wrong = markup::parse(&body).err().unwrap_or_default();
                faults.extend(wrong.iter().map(|fault| fault.at(at)));
            }
            Ok(_) => {}
        }
    }
    faults.extend(unknown_roles(template));
    faults
}

fn unknown_names(template: &Template, text: &str) -> Vec<String> {
    let environment = environment(Language::default(), TimeZone::UTC, true);
    let Ok(parsed) = environment.template_from_str(text) else { return vec![] };
    let mut names: Vec<String> = parsed
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !template.fields.iter().any(|f| f.name == *name) && !GLOBALS.contains(&name.as_str()))
        .collect();
    names.sort();
    names.into_iter().map(|name| format!("{name} is no field of this template")).collect()
}

/// Functions that the language brings along.
const GLOBALS: &[&str] = &["range", "dict", "namespace"];

/// Places to sign are of roles that sign.
fn unknown_roles(template: &Template) -> Vec<Fault> {
    let places = template.body.split("[[sign:").skip(1).filter_map(|rest| rest.split_once("]]"));
    let unknown =
        places.map(|(role, _)| role).filter(|role| !template.signers.iter().any(|s| s.role == *role));
    unknown
        .map(|role| Fault::new("/body", "unknown-role", format!("{role} is no signer of this template")))
        .collect()
}

fn merged(
    text: &str,
    values: &Map<String, serde_json::Value>,
    language: Language,
    zone: &TimeZone,
    escaped: bool,
) -> std::result::Result<String, Broken> {
    environment(language, zone.clone(), escaped).template_from_str(text)?.render(Serde(values))
}

fn environment(language: Language, zone: TimeZone, escaped: bool) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(50);
    env.set_formatter(move |out, _, value| {
        if value.is_none() {
            return Ok(());
        }
        if value.is_undefined() {
            return Err(Broken::from(ErrorKind::UndefinedError));
        }
        let text = value.to_string();
        out.write_str(&if escaped { markup::escape(&text) } else { text }).map_err(Broken::from)
    });
    env.add_filter("date", move |value: Value| -> std::result::Result<String, Broken> {
        optional(&value, |text| {
            let day = text.get(..10).and_then(|day| day.parse::<Date>().ok());
            day.map(|day| language.date(day)).ok_or_else(|| wrong("a date"))
        })
    });
    env.add_filter("datetime", move |value: Value| -> std::result::Result<String, Broken> {
        optional(&value, |text| {
            let at: Timestamp = text.parse().map_err(|_| wrong("a time"))?;
            Ok(language.datetime(&at.to_zoned(zone.clone())))
        })
    });
    env.add_filter("money", move |value: Value| -> std::result::Result<String, Broken> {
        if value.is_none() {
            return Ok(String::new());
        }
        let json = serde_json::to_value(&value).map_err(|_| wrong("an amount"))?;
        money(&json).map(|m| language.money(m)).ok_or_else(|| wrong("an amount"))
    });
    env.add_filter("initials", |value: Value| -> std::result::Result<String, Broken> {
        optional(&value, |text| {
            let first = |word: &str| word.chars().next().map(|c| format!("{}.", c.to_uppercase()));
            Ok(text.split_whitespace().filter_map(first).collect())
        })
    });
    env
}

/// What is optional and missing stays nothing.
fn optional(
    value: &Value,
    write: impl FnOnce(&str) -> std::result::Result<String, Broken>,
) -> std::result::Result<String, Broken> {
    match value.kind() {
        ValueKind::None => Ok(String::new()),
        ValueKind::String => write(value.as_str().unwrap_or_default()),
        _ => Err(wrong("text")),
    }
}

fn wrong(wanted: &str) -> Broken {
    Broken::new(ErrorKind::InvalidOperation, format!("this filter takes {wanted}"))
}

/// The fault in words, with its line; never the values.
fn told(e: &Broken) -> String {
    let line = e.line().map(|n| format!("line {n}: ")).unwrap_or_default();
    let what = match e.kind() {
        ErrorKind::UndefinedError => "a name that has no value".to_string(),
        ErrorKind::OutOfFuel => "it takes too many steps".to_string(),
        _ => e.detail().map_or_else(|| e.kind().to_string(), Into::into),
    };
    format!("{line}{what}")
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};
    use serde_json::json;

    fn template(body: &str, fields: &[(&str, FieldType)]) -> Template {
        let field = |(name, kind): &(&str, FieldType)| Field {
            name: (*name).into(),
            kind: *kind,
            required: true,
            from: None,
        };
        Template {
            code: "offer".into(),
            name: "Offer".into(),
            language: "en-NG".into(),
            category: "offer_letter".into(),
            body: body.into(),
            header: None,
            footer: None,
            page: PageSet::default(),
            fields: fields.iter().map(field).collect(),
            outputs: vec![Output::Pdf],
            signers: vec![SignerRole { role: "employee".into(), order: 1 }],
            status: Status::Draft,
            edition: 1,
            published: None,
        }
    }
    fn text(body: &str, fields: &[(&str, FieldType)], data: serde_json::Value) -> Result<String> {
        let rendered = render(&template(body, fields), data.as_object().unwrap(), &TimeZone::UTC)?;
        let runs = rendered.blocks.into_iter().flat_map(|b| match b {
            Block::Paragraph { runs, .. } | Block::Heading { runs, .. } => runs,
            _ => vec![],
        });
        Ok(runs.map(|r| if r.bold { format!("<{}>", r.text) } else { r.text }).collect())
    }

    #[test]
    fn values_are_written_as_the_language_writes_them() {
        let fields = [("salary", FieldType::Money), ("start", FieldType::Date), ("name", FieldType::Text)];
        let data = json!({"salary": {"amount": "1250000.00", "currency": "NGN"}, "start": "2027-01-04", "name": "Ada Obi"});
        let said =
            text("{{ name|initials }} gets **{{ salary|money }}** from {{ start|date }}.", &fields, data)
                .unwrap();
        assert_eq!(said, "A.O. gets <₦1,250,000.00> from 4 January 2027.");
    }

    #[test]
    fn a_value_is_never_markup() {
        let fields = [("name", FieldType::Text)];
        for value in ["**x**", "# x", "[[sign:employee]]", "{{ name }}", "<b>", "- a", "[x](http://y)"] {
            assert_eq!(
                text("Dear {{ name }},", &fields, json!({"name": value})).unwrap(),
                format!("Dear {value},")
            );
        }
    }

    #[test]
    fn a_template_that_would_not_print_is_not_saved() {
        let fields = [("name", FieldType::Text)];
        let codes = |body: &str| {
            rehearse(&template(body, &fields)).iter().map(|f| f.code.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(codes("Dear {{ name|upper }}, [[sign:employee]]"), ["mark-in-text"]);
        assert!(codes("# Offer\n\n[[sign:employee]]").is_empty());
        assert_eq!(codes("{{ nmae }}"), ["unknown-name"]);
        assert_eq!(codes("{{ name|shout }}"), ["template"]);
        assert_eq!(codes("{{ name "), ["template"]);
        assert_eq!(codes("{% for i in range(100000) %}{{ i }}{% endfor %}"), ["template"], "fuel");
        assert_eq!(codes("{% include 'x' %}"), ["template"]);
        assert_eq!(codes("<b>x</b>"), ["html"]);
        assert_eq!(codes("[[sign:director]]"), ["unknown-role"]);
    }

    #[test]
    fn what_is_optional_and_missing_prints_as_nothing() {
        let mut t = template(
            "Room{{ room }}, {{ since|date }}.",
            &[("room", FieldType::Text), ("since", FieldType::Date)],
        );
        t.fields.iter_mut().for_each(|f| f.required = false);
        assert!(render(&t, &Map::new(), &TimeZone::UTC).is_ok());
    }
}
