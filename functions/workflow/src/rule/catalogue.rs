//! What rules may listen to and what they may set, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Who sends it.
    pub module: String,
    /// Sorts by field, where they are known: `text`, `id`, `time`, `date`, `number`, `bool`, `list`, `map`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    pub noun: String,
    pub kind: String,
    pub module: String,
    /// `custom.*` is every field within `custom`.
    pub field: String,
    #[serde(rename = "type")]
    pub sort: String,
    /// Events that follow when it is set.
    pub events: Vec<String>,
    pub says: String,
}

pub fn events() -> &'static BTreeMap<String, Event> {
    static ALL: LazyLock<BTreeMap<String, Event>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../data/events.json")).expect("read by this crate's tests")
    });
    &ALL
}

pub fn fields() -> &'static [Field] {
    static ALL: LazyLock<Vec<Field>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../data/settable.json")).expect("read by this crate's tests")
    });
    &ALL
}

/// The declared field that a rule's `patient.custom.risk` means.
pub fn field(path: &str) -> Option<&'static Field> {
    let (noun, field) = path.split_once('.')?;
    fields().iter().filter(|f| f.noun == noun).find(|f| match f.field.strip_suffix('*') {
        Some(within) => {
            field.strip_prefix(within).is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
        }
        None => f.field == field,
    })
}

/// Events that rules never see: their own kind, and messages about messages.
pub fn is_hidden(event: &str) -> bool {
    ["rule.", "notification.", "delivery.", "access.", "broadcast."].iter().any(|p| event.starts_with(p))
}

/// The known name that is most like one.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let like = |k: &&str| strsim::normalized_damerau_levenshtein(name, k);
    known.max_by(|a, b| like(a).total_cmp(&like(b))).filter(|k| like(k) > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_whole() {
        assert!(events().len() > 500);
        assert!(events()["patient.updated"].fields.as_ref().unwrap().contains_key("patient"));
        for field in fields() {
            for event in &field.events {
                assert!(events().contains_key(event), "{event}");
            }
        }
        assert!(field("patient.custom.risk").is_some());
        assert!(field("patient.diagnosis").is_none() && field("patient.custom").is_none());
        assert_eq!(nearest("patient.update", events().keys().map(String::as_str)), Some("patient.updated"));
    }
}
