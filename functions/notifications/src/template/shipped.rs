//! The texts that come with the product.

use super::Text;
use crate::words::Medium;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(Deserialize)]
struct Language {
    language: String,
    /// What outside channels say where nothing may be named.
    discreet: String,
    /// The heading of a digest.
    digest: String,
    texts: BTreeMap<String, Text>,
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    [include_str!("../../data/texts.en-GB.json"), include_str!("../../data/texts.en-NG.json")]
        .iter()
        .map(|text| serde_json::from_str(text).expect("read by this crate's tests"))
        .collect()
});

/// The language itself, and then English.
fn language(wanted: &str) -> impl Iterator<Item = &'static Language> {
    let exact = LANGUAGES.iter().find(|l| l.language.eq_ignore_ascii_case(wanted));
    exact.into_iter().chain(LANGUAGES.first())
}

/// One text for every medium: an SMS has no heading, and says who writes.
pub fn text(code: &str, medium: Medium, wanted: &str) -> Option<Text> {
    let found = language(wanted).find_map(|l| l.texts.get(code))?.clone();
    Some(match medium {
        Medium::Sms => Text { title: String::new(), body: format!("{{{{ org.name }}}}: {}", found.body) },
        _ => found,
    })
}

pub fn discreet(wanted: &str) -> Text {
    let found = language(wanted).next().expect("there is English");
    Text { title: "{{ org.name }}".into(), body: found.discreet.clone() }
}

pub fn digest_title(wanted: &str) -> &'static str {
    &language(wanted).next().expect("there is English").digest
}

pub fn codes() -> impl Iterator<Item = &'static str> {
    LANGUAGES.first().into_iter().flat_map(|l| l.texts.keys()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rule, template};

    #[test]
    fn every_shipped_text_renders_with_its_events_samples_in_every_medium() {
        for rule in rule::shipped() {
            for language in ["en-GB", "en-NG"] {
                for medium in Medium::ALL {
                    let text = text(rule.template(), *medium, language).expect("a text");
                    let checked = template::check(&text, *medium, &template::fields_of(&[&rule.event]));
                    assert!(checked.is_ok(), "{} {medium} {language}: {checked:?}", rule.code);
                }
            }
        }
    }

    #[test]
    fn a_language_that_is_not_there_is_english() {
        let wanted = text("document_expiring", Medium::InApp, "en-GB");
        assert_eq!(text("document_expiring", Medium::InApp, "yo"), wanted);
        assert_eq!(text("document_expiring", Medium::InApp, "en-NG"), wanted, "no text of its own");
        assert_ne!(
            text("licence_expired", Medium::InApp, "en-NG"),
            text("licence_expired", Medium::InApp, "en-GB")
        );
        assert_eq!(text("nobody_knows", Medium::InApp, "en-GB"), None);
    }
}
