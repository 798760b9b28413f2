//! Events as rules and texts know them: their names, and of those that are told of, their fields with a sample of
//! each. The samples are long ones, so that a text that fits them fits.

use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::LazyLock};

static EVENTS: LazyLock<BTreeMap<String, Map<String, Value>>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/events.json")).expect("read by this crate's tests")
});

/// An event's fields with their samples.
pub fn event(name: &str) -> Option<&'static Map<String, Value>> {
    EVENTS.get(name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    EVENTS.keys().map(String::as_str)
}

/// Whether it tells of messages themselves.
pub fn is_our_own(event: &str) -> bool {
    ["notification.", "delivery.", "broadcast.", "preference.", "cap."]
        .iter()
        .any(|own| event.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_named_as_events_are() {
        for name in names() {
            let (noun, verb) = name.split_once('.').unwrap_or_default();
            assert!(!noun.is_empty() && !verb.is_empty(), "{name}");
        }
    }
}
