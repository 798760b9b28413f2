//! Fields that an organisation adds to records of its own accord.

use super::{Part, Section};
use kernel::{Error, Fault, Result, country::Country, error::faultless};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use web::gate::TenantGate;

kernel::words! {
    pub enum Type {
        Text = "text",
        Number = "number",
        Date = "date",
        Bool = "bool",
        Choice = "choice",
        Multi = "multi",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    #[schemars(regex(pattern = r"^x_[a-z0-9_]{1,38}$"))]
    pub key: String,
    #[schemars(length(min = 1, max = 80))]
    pub label: String,
    #[serde(rename = "type")]
    pub kind: Type,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    #[schemars(length(max = 100), inner(length(min = 1, max = 80)), extend("uniqueItems" = true))]
    pub options: Vec<String>,
    /// Text is sealed unless this says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<bool>,
    /// Empty = everybody who sees the record.
    #[serde(default)]
    #[schemars(length(max = 40), inner(length(max = 40)))]
    pub visible_to: Vec<String>,
    /// Kept readable, never asked again, never reused.
    #[serde(default)]
    pub retired: bool,
}

/// By kind of record: `pat` → its fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CustomFields(pub BTreeMap<String, Vec<Field>>);

/// Fields per kind.
const MOST: usize = 40;

impl Part for CustomFields {
    const SECTION: Section = Section::CustomFields;
    fn first(_: Country) -> Self {
        Self::default()
    }

    fn check(&mut self, old: &Self, _: &TenantGate) -> Result<()> {
        let mut faults = vec![];
        for (kind, fields) in &mut self.0 {
            if !kernel::KINDS.iter().any(|(known, _)| known == kind) {
                faults.push(Fault::new(
                    format!("/{kind}"),
                    "kind-unknown",
                    "there is no such kind of record",
                ));
            }
            if fields.len() > MOST {
                faults.push(Fault::new(format!("/{kind}"), "length", format!("at most {MOST} fields")));
            }
            for n in 0..fields.len() {
                let at = format!("/{kind}/{n}");
                if fields[..n].iter().any(|other| other.key == fields[n].key) {
                    faults.push(Fault::new(format!("{at}/key"), "repeated", "is there already"));
                }
                faults.extend(choice_fault(&fields[n], &at));
                if fields[n].kind == Type::Text && fields[n].sealed.is_none() {
                    fields[n].sealed = Some(true);
                }
            }
        }
        faultless(faults)?;
        old.0
            .iter()
            .try_for_each(|(kind, fields)| fields.iter().try_for_each(|field| self.keeps(kind, field)))
    }
}

fn choice_fault(field: &Field, at: &str) -> Option<Fault> {
    let chosen = matches!(field.kind, Type::Choice | Type::Multi);
    match (chosen, field.options.is_empty()) {
        (true, true) => Some(Fault::new(format!("{at}/options"), "required", "a choice needs options")),
        (false, false) => {
            Some(Fault::new(format!("{at}/options"), "unexpected", "only a choice has options"))
        }
        _ => None,
    }
}

impl CustomFields {
    /// What records hold already stays readable: a field keeps its type, and a retired one stays retired.
    fn keeps(&self, kind: &str, was: &Field) -> Result<()> {
        let retired = |detail: String| Err(Error::conflict("field-retired", detail).with("key", &was.key));
        match self.0.get(kind).and_then(|fields| fields.iter().find(|f| f.key == was.key)) {
            None => retired(format!("{} is in use: retire it instead of taking it away", was.key)),
            Some(now) if now.kind != was.kind => {
                retired(format!("{} keeps its type: retire it and add another", was.key))
            }
            Some(now) if was.retired && !now.retired => {
                retired(format!("{} was retired and is not used again", was.key))
            }
            Some(now) if was.sealed == Some(true) && now.sealed != Some(true) => {
                retired(format!("{} is sealed and stays so", was.key))
            }
            Some(_) => Ok(()),
        }
    }
}
