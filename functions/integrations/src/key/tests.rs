use super::*;
use crate::gateway::Secret;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(expires_at: &str) -> PartnerKey {
    PartnerKey {
        name: "Insurer".into(),
        owner_email: "it@insurer.example".into(),
        scopes: vec!["patient.view".into(), "appointment.view".into()],
        sites: vec!["*".into()],
        tier: Tier::Basic,
        environment: Environment::Live,
        ip_allow: vec![],
        expires_at: at(expires_at),
        client_id: None,
        gateway_key_id: None,
        secrets: vec![],
        last_used_on: None,
        status: Status::Active,
        warned: 0,
    }
}

#[test]
fn warnings_come_on_four_days_and_never_twice() {
    let mut key = key("2026-12-31T00:00:00Z");
    for (day, days) in [("2026-12-01", 30), ("2026-12-17", 14), ("2026-12-24", 7), ("2026-12-30", 1)] {
        let due = at(&format!("{day}T00:00:00Z"));
        assert_eq!(key.warning(), Some((due, days)));
        key.skip_past(due);
    }
    assert_eq!(key.warning(), None);
}

#[test]
fn a_short_lived_key_is_not_warned_of_days_before_it_was_made() {
    let mut key = key("2026-12-31T00:00:00Z");
    key.skip_past(at("2026-12-20T00:00:00Z"));
    assert_eq!(key.warning().map(|(_, days)| days), Some(7));
}

#[test]
fn a_key_works_in_the_modules_of_its_permissions() {
    assert_eq!(key("2026-12-31T00:00:00Z").modules(), ["integrations", "patients", "scheduling"]);
}

#[test]
fn of_a_secret_the_last_four_characters_are_known() {
    let known = |value: &str| {
        create::known(&Secret { id: "1".into(), value: value.into() }, at("2026-12-31T00:00:00Z"))
    };
    assert_eq!((known("abcdefgh").hint.as_str(), known("ab").hint.as_str()), ("efgh", "ab"));
}

#[test]
fn a_network_that_is_none_is_named() {
    let mut key = key("2026-12-31T00:00:00Z");
    key.ip_allow = vec!["196.6.103.0/24".into(), "somewhere".into()];
    assert_eq!(key.check().iter().map(|f| f.pointer.as_str()).collect::<Vec<_>>(), ["/ip_allow/1"]);
}
