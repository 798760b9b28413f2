//! EAP-1: the tree of industries.

use crate::stage::{Stage, each, id};
use serde_json::{Value, json};

async fn industry(s: &Stage, name: &str, parent: Option<&Value>) -> Value {
    let mut body = json!({"name": name});
    if let Some(parent) = parent {
        body["parent"] = parent["id"].clone();
    }
    s.manager.post("/v1/eap/industries", body).await.created()
}

/// Story 3.
#[tokio::test]
async fn a_tree_has_no_circles_and_what_is_used_is_not_deleted() {
    let s = Stage::set().await;
    let manufacturing = industry(&s, "Manufacturing", None).await;
    let textiles = industry(&s, "Textiles", Some(&manufacturing)).await;
    assert_eq!((&manufacturing["level"], &textiles["level"]), (&json!(0), &json!(1)));
    let path = |i: &Value| format!("/v1/eap/industries/{}", id(i));
    let circle = json!({"parent": textiles["id"]});
    s.manager.patch(&path(&manufacturing), circle).await.refused(422, "cycle");
    let itself = json!({"parent": textiles["id"]});
    s.manager.patch(&path(&textiles), itself).await.refused(422, "cycle");
    let refused = s.manager.delete(&path(&manufacturing)).await.refused(409, "in-use");
    assert_eq!(refused["counts"]["children"], 1);
    let zenith = s.client("Zenith", json!({"industry": textiles["id"]})).await;
    let refused = s.manager.delete(&path(&textiles)).await.refused(409, "in-use");
    assert_eq!(refused["counts"]["clients"], 1);
    let none = json!({"industry": null});
    s.manager.patch(&format!("/v1/eap/clients/{}", id(&zenith)), none).await.ok();
    s.manager.delete(&path(&textiles)).await.done();
    s.manager.delete(&path(&manufacturing)).await.done();
    s.gives("industries", &textiles, "restore", json!({})).await.refused(422, "unknown-industry");
}

#[tokio::test]
async fn what_hangs_under_a_moved_industry_moves_along() {
    let s = Stage::set().await;
    let goods = industry(&s, "Goods", None).await;
    let making = industry(&s, "Making", None).await;
    let cloth = industry(&s, "Cloth", Some(&making)).await;
    let wool = industry(&s, "Wool", Some(&cloth)).await;
    let patch = json!({"parent": goods["id"]});
    s.manager.patch(&format!("/v1/eap/industries/{}", id(&making)), patch).await.ok();
    assert_eq!(s.shows("industries", &wool).await["level"], 3);
    let all = s.manager.get("/v1/eap/industries").await.ok();
    assert_eq!(each(&all, "name"), ["Goods", "Making", "Cloth", "Wool"], "by level, then name");
    let under = s.manager.get(&format!("/v1/eap/industries?parent={}", id(&making))).await.ok();
    assert_eq!(each(&under, "name"), ["Cloth"]);
}

#[tokio::test]
async fn six_levels_are_the_most_and_codes_are_given_once() {
    let s = Stage::set().await;
    let mut above: Option<Value> = None;
    for n in 0..6 {
        above = Some(industry(&s, &format!("L{n}"), above.as_ref()).await);
    }
    let body = json!({"name": "L6", "parent": above.unwrap()["id"]});
    s.manager.post("/v1/eap/industries", body).await.refused(422, "too-deep");
    s.manager.post("/v1/eap/industries", json!({"name": "A", "code": "c10"})).await.created();
    s.manager.post("/v1/eap/industries", json!({"name": "B", "code": "C10"})).await.refused(409, "duplicate");
}

#[tokio::test]
async fn two_moves_at_once_close_no_circle() {
    let s = Stage::contended().await;
    let (a, b) = (industry(&s, "A", None).await, industry(&s, "B", None).await);
    let moved = async |what: &Value, under: &Value| {
        s.manager.patch(&format!("/v1/eap/industries/{}", id(what)), json!({"parent": under["id"]})).await
    };
    let (one, other) = tokio::join!(moved(&a, &b), moved(&b, &a));
    let done = [one.status, other.status].iter().filter(|s| **s == 200).count();
    assert!(done <= 1, "{one:?} {other:?}");
    let (a, b) = (s.shows("industries", &a).await, s.shows("industries", &b).await);
    assert!(a["parent"].is_null() || b["parent"].is_null());
}
