use super::*;
use jiff::civil::Date;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Visit {
    #[schemars(length(min = 1, max = 20))]
    purpose: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<Date>,
    #[schemars(range(min = 5, max = 120))]
    minutes: u16,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    status: Option<String>,
}

fn pointers(e: Error) -> Vec<(String, String)> {
    match e {
        Error::Invalid(all) => all.into_iter().map(|f| (f.pointer, f.code.into())).collect(),
        other => panic!("{other:?}"),
    }
}
fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

#[test]
fn every_fault_of_a_body_is_told_at_once() {
    let body = json!({"purpose": "", "on": "2026-02-31", "minutes": 4, "tags": ["a", 7], "statos": "x", "status": "y"});
    let mut found = pointers(read::<Visit>(&body).unwrap_err());
    found.sort();
    let mut wanted = pairs(&[
        ("/purpose", "length"),
        ("/on", "format"),
        ("/minutes", "range"),
        ("/tags/1", "type"),
        ("/statos", "unknown"),
        ("/status", "read-only"),
    ]);
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn an_unknown_field_is_told_its_nearest_neighbour() {
    let Error::Invalid(all) = read::<Visit>(&json!({"purpos": "x", "minutes": 5})).unwrap_err() else {
        panic!()
    };
    assert!(all.iter().any(|f| f.detail.contains("did you mean purpose?")), "{all:?}");
    assert!(all.iter().any(|f| f.pointer == "/purpose" && f.code == "required"));
}

#[test]
fn hostile_characters_are_refused_everywhere() {
    for text in ["a\u{0}b", "a\u{202e}b", "a\u{7}b"] {
        let e = read::<Visit>(&json!({"purpose": text, "minutes": 5})).unwrap_err();
        assert_eq!(pointers(e), pairs(&[("/purpose", "hostile")]));
    }
    assert!(read::<Visit>(&json!({"purpose": "Çà va, Adébáyọ̀", "minutes": 5})).is_ok());
}

#[test]
fn a_patch_may_remove_what_is_optional_and_nothing_else() {
    let stored: Visit = read(&json!({"purpose": "check", "on": "2026-01-31", "minutes": 15})).unwrap();
    let patched = merge_patch(&stored, &json!({"on": null, "minutes": 20})).unwrap();
    assert_eq!((patched.on, patched.minutes), (None, 20));
    let e = merge_patch(&stored, &json!({"purpose": null})).unwrap_err();
    assert_eq!(pointers(e), pairs(&[("/purpose", "required")]));
    let e = merge_patch(&stored, &json!({"status": "x"})).unwrap_err();
    assert_eq!(pointers(e), pairs(&[("/status", "read-only")]));
    assert!(merge_patch(&stored, &json!([1])).is_err());
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Search {
    q: Option<String>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i64>,
    deleted: Option<bool>,
    sites: Option<Vec<String>>,
}

#[test]
fn query_parameters_are_read_by_their_types_and_unknown_ones_refused() {
    let found: Search = query("q=ada%20o&limit=7&deleted=true&sites=a,b").unwrap();
    let wanted = Search {
        q: Some("ada o".into()),
        limit: Some(7),
        deleted: Some(true),
        sites: Some(vec!["a".into(), "b".into()]),
    };
    assert_eq!(found, wanted);
    assert_eq!(pointers(query::<Search>("limt=3").unwrap_err()), pairs(&[("?limt", "unknown")]));
    assert_eq!(pointers(query::<Search>("limit=abc").unwrap_err()), pairs(&[("?limit", "type")]));
    assert_eq!(pointers(query::<Search>("limit=101").unwrap_err()), pairs(&[("?limit", "range")]));
    assert_eq!(pointers(query::<Search>("q=a&q=b").unwrap_err()), pairs(&[("?q", "repeated")]));
}
