//! Templates that the product ships: joining, leaving, vetting. An organisation takes one over to use it.

use super::Template;
use std::sync::LazyLock;

pub fn all() -> &'static [Template] {
    static ALL: LazyLock<Vec<Template>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../data/sequences.json")).expect("read by this crate's tests")
    });
    &ALL
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_shipped_template_is_sound_and_listens_to_events_that_exist() {
        let known: serde_json::Value = serde_json::from_str(include_str!("../../data/events.json")).unwrap();
        for template in super::all() {
            template.sound().unwrap_or_else(|e| panic!("{}: {e:?}", template.code));
            let events = template.steps.iter().flat_map(|s| &s.close_on).chain(&template.starts_on);
            for event in events {
                assert!(known.get(event).is_some(), "{}: {event}", template.code);
            }
        }
        assert_eq!(super::all().iter().find(|t| t.code == "onboarding").unwrap().steps.len(), 14);
    }
}
