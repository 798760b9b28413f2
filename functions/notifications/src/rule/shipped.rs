//! The rules that come with the product.

use super::NotificationRule;
use crate::ids;
use kernel::NotificationRuleId;
use std::sync::LazyLock;

static RULES: LazyLock<Vec<NotificationRule>> = LazyLock::new(|| {
    let mut rules: Vec<NotificationRule> =
        serde_json::from_str(include_str!("../../data/rules.json")).expect("read by this crate's tests");
    rules.iter_mut().for_each(|rule| rule.built_in = true);
    rules
});

pub fn all() -> &'static [NotificationRule] {
    &RULES
}

/// The same in every organisation.
pub fn id(code: &str) -> NotificationRuleId {
    ids::fixed(&["rule", code])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue, template, words::Medium};
    use std::collections::BTreeSet;
    use web::Noun;

    #[test]
    fn every_shipped_rule_is_sound_and_has_its_texts() {
        let mut codes = BTreeSet::new();
        for rule in all() {
            assert!(codes.insert(&rule.code), "{} twice", rule.code);
            assert_eq!(rule.check(), vec![], "{}", rule.code);
            assert!(catalogue::event(&rule.event).is_some(), "{} of {}", rule.code, rule.event);
            for medium in Medium::ALL {
                let text = template::shipped_text(rule.template(), *medium, "en-GB");
                assert!(text.is_some(), "{} has no text for {medium}", rule.template());
            }
        }
    }

    #[test]
    fn every_trigger_of_the_specification_has_a_rule() {
        let events: BTreeSet<&str> = all().iter().map(|r| r.event.as_str()).collect();
        let wanted = include_str!("../../data/triggers.txt").split_whitespace();
        let missing: Vec<&str> = wanted.filter(|event| !events.contains(event)).collect();
        assert_eq!(missing, [] as [&str; 0]);
    }

    #[test]
    fn what_is_critical_is_protected_and_passes_every_filter() {
        for rule in all().iter().filter(|r| r.priority == crate::words::Priority::Critical) {
            assert!(rule.protected, "{}", rule.code);
        }
    }
}
