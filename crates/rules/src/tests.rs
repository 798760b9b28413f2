use super::*;
use serde_json::json;

fn input() -> Value {
    json!({
        "event": {
            "name": "incident.reported", "at": "2026-11-23T08:00:00Z",
            "data": {"kind": "fall", "severity": "high", "witnesses": ["a", "b"], "due": "2026-11-25"},
        },
        "change": {"action": "update", "fields": ["address.city", "status"], "after": {"status": "open"}},
        "actor": {"id": "usr_1", "kind": "user", "roles": ["nurse"]},
        "tenant": {"zone": "Africa/Lagos", "country": "NG", "settings": {"holidays": ["2026-12-25"]}},
        "now": "2026-11-23T10:30:00Z",
    })
}

fn says(text: &str) -> Outcome {
    Condition::compile(text, &Known::events()).unwrap_or_else(|f| panic!("{text}: {f:?}")).test(&input())
}
fn refused(text: &str) -> Fault {
    Condition::compile(text, &Known::events()).expect_err(text)
}

#[test]
fn a_condition_reads_the_event() {
    for text in [
        "event.data.severity in ['high','critical'] && event.data.kind == 'fall'",
        "event.data.witnesses.exists(w, w == 'b')",
        "event.data.witnesses.filter(w, w != 'a').size() == 1",
        "has(event.data.kind) && !has(event.data.other)",
        "event.name.startsWith('incident.') && event.name.matches('^inc[a-z]+')",
        "event.data.kind == 'fall' ? true : false",
    ] {
        assert_eq!(says(text), Outcome { matched: true, why: None }, "{text}");
    }
    assert_eq!(says("event.data.kind == 'burn'"), Outcome::default());
}

#[test]
fn our_functions_know_the_place_and_the_time() {
    for text in [
        "local(now).hour == 11 && local(now).weekday == 'monday' && local(event.at).date == '2026-11-23'",
        "days_between(event.at, event.data.due) == 2",
        "age_hours(event.at) == 2.5",
        "time(now) - time(event.at) == 9000",
        "in_hours('08:00', '18:00') && !in_hours('18:00', '08:00') && in_hours('22:00', '12:00')",
        "working_day(now) && !working_day('2026-12-25') && !working_day('2026-11-22T10:00:00Z')",
        "has_role('nurse') && !has_role('doctor')",
        "changed('status') && changed('address') && !changed('addr')",
        "money({'amount': '50000.01', 'currency': 'NGN'}) > money({'amount': '50000.00', 'currency': 'NGN'})",
        "money({'amount': '50000', 'currency': 'NGN'}) == money({'amount': '50000.00', 'currency': 'NGN'})",
    ] {
        assert_eq!(says(text), Outcome { matched: true, why: None }, "{text}");
    }
}

#[test]
fn what_fails_is_false_and_says_why() {
    for (text, word) in [
        ("event.data.absent == 1", "absent"),
        ("event.data.kind > 3", "overload"),
        ("1 / (size(event.data.witnesses) - 2) == 1", "zero"),
        ("event.data.kind", "a text"),
        ("age_hours(event.data.kind) > 1", "no time"),
        (
            "money({'amount': '1', 'currency': 'NGN'}) < money({'amount': '1', 'currency': 'GBP'})",
            "cannot be compared",
        ),
    ] {
        let outcome = says(text);
        assert!(!outcome.matched, "{text}");
        assert!(outcome.why.as_deref().is_some_and(|w| w.contains(word)), "{text}: {outcome:?}");
    }
}

#[test]
fn a_fault_names_the_place_and_the_nearest_name() {
    let fault = refused("event.data.kind == 'fall' && evnt.name == 'x'");
    assert_eq!(fault.column, 30);
    assert!(fault.detail.contains("did you mean event?"), "{fault:?}");
    let fault = refused("age_hour(now) > 1");
    assert!(fault.detail.contains("did you mean age_hours?"), "{fault:?}");
    assert_eq!(refused("event.name == ").column, 14);
    assert!(refused("event.name.matches(event.name)").detail.contains("written out"));
    assert!(refused("event.name.matches('(')").detail.contains("no pattern"));
    assert!(refused("event.C{x: 1}").detail.contains("messages"));
    assert_eq!(refused("  ").detail, "the text is empty");
}

#[test]
fn what_would_hurt_is_refused_before_it_can() {
    assert!(refused(&format!("{}1{}", "(".repeat(400), ")".repeat(400))).detail.contains("brackets"));
    assert!(refused(&format!("now == '{}'", "x".repeat(3000))).detail.contains("2000 bytes"));
    let loops = "[1].exists(a, [2].exists(b, [3].exists(c, a == b && b == c)))";
    assert!(refused(loops).detail.contains("loop"));
    assert!(!refused(&"1+".repeat(300)).detail.is_empty());
    let many = vec!["1"; 250].join("+") + " == 1";
    assert!(refused(&many).detail.contains("at most 200"));
    assert!(refused(&format!("{}true", "!".repeat(1900))).detail.contains("in a row"));
    assert!(refused(&format!("{}1", "true?1:".repeat(250))).detail.contains("in a row"));
    let fields = format!("event{}", ".a".repeat(900));
    assert!(refused(&fields).detail.contains("at most 200"));
}

#[test]
fn a_long_input_is_cut_and_a_huge_one_refused() {
    let many = json!({"event": {"all": (0..1000).collect::<Vec<_>>(), "text": "x".repeat(6000)}});
    let size =
        Condition::compile("size(event.all) == 200 && size(event.text) == 4096", &Known::events()).unwrap();
    assert!(size.test(&many).matched);
    let huge = json!({"event": {"text": "x".repeat(40_000)}});
    assert!(size.test(&huge).why.unwrap().contains("32768"));
}

#[test]
fn the_parts_of_a_condition_are_shown_one_by_one() {
    let all = Condition::compile(
        "event.name == 'a||b' && (now == '1' || now == '2') || has_role('x')",
        &Known::events(),
    );
    let texts: Vec<String> = all.unwrap().parts().iter().map(|p| p.text().to_string()).collect();
    assert_eq!(texts, ["event.name == 'a||b'", "(now == '1' || now == '2')", "has_role('x')"]);
    let choice =
        Condition::compile("has_role('x') ? true : has_role('y') && true", &Known::events()).unwrap();
    assert_eq!(choice.parts().len(), 1);
}

#[test]
fn the_paths_that_a_condition_reads_are_known() {
    let all =
        Condition::compile("event.data.kind == 'x' && change.after.status in [event.name]", &Known::events());
    assert_eq!(all.unwrap().paths(), ["change.after.status", "event.data.kind", "event.name"]);
}

#[test]
fn a_value_is_computed_too() {
    let due = Condition::compile("{'hours': size(event.data.witnesses) * 12}", &Known::events()).unwrap();
    assert_eq!(due.value(&input()), Ok(json!({"hours": 24})));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn no_text_breaks_it(text in "[a-z0-9'\"\\\\.,()\\[\\]{}?:!&|<>=+*/% -]{0,80}") {
        if let Ok(condition) = Condition::compile(&text, &Known::events()) {
            let _ = condition.test(&input());
            let _ = condition.parts();
        }
    }
    #[test]
    fn no_character_breaks_it(text in "\\PC{0,60}") {
        let _ = Condition::compile(&text, &Known::events());
    }
}
