//! Where a video session is, and the histories of cases and sessions: for the counsellor, in part for the person, and
//! for nobody else.

use crate::{care::Care, stage::id};
use serde_json::{Value, json};

const ROOM: &str = "https://meet.example/ada-canary";

#[tokio::test]
async fn a_video_session_has_a_link_that_its_counsellor_and_its_person_alone_see() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let hers = c.login_of(&person).await;
    let room = format!("/v1/eap/providers/{}/video_room", id(&c.ada.0));
    assert_eq!(c.ada.1.get(&room).await.ok(), json!({}));
    let puts =
        async |who: &testkit::Actor, url: &str| who.call("PUT", &room).body(json!({"url": url})).send().await;
    for bad in ["http://meet.example/ada", "https://", "javascript:alert(1)", "https://ada:x@meet.example/"] {
        assert_eq!(puts(&c.ada.1, bad).await.status, 400, "{bad}");
    }
    assert_eq!(puts(&c.ada.1, ROOM).await.ok(), json!({"url": ROOM}));
    for who in [&c.tunde.1, &c.s.manager, &c.s.admin, &c.s.finance, &c.s.auditor, &hers] {
        who.get(&room).await.missing();
        puts(who, ROOM).await.missing();
    }
    let case = c.case(&person, "anxiety").await;
    c.says(&case, "let_in", json!({})).await.ok();
    let booked = hers.post("/v1/eap/sessions", c.session(&case, "2026-12-01T09:00:00Z")).await.created();
    assert_eq!(booked["link"], ROOM);
    let path = format!("/v1/eap/sessions/{}", id(&booked));
    assert_eq!(c.ada.1.get(&path).await.ok()["link"], ROOM);
    assert!(c.s.manager.get(&path).await.ok().get("link").is_none());
    c.tunde.1.get(&path).await.missing();
    // Another one for this session alone.
    let sets = async |who: &testkit::Actor, link: &str| {
        who.call("PUT", &format!("{path}/link")).body(json!({"link": link})).send().await
    };
    assert_eq!(sets(&c.ada.1, "http://x.example").await.status, 400);
    let other = "https://meet.example/once-canary";
    assert_eq!(sets(&c.ada.1, other).await.ok()["link"], other);
    sets(&c.tunde.1, other).await.missing();
    sets(&hers, other).await.missing();
    assert_eq!(hers.get(&path).await.ok()["link"], other);
    // In person there is none.
    let mut in_person = c.session(&case, "2026-12-02T09:00:00Z");
    in_person["mode"] = "in_person".into();
    in_person["link"] = other.into();
    c.ada.1.post("/v1/eap/sessions", in_person.clone()).await.refused(422, "no-video");
    in_person.as_object_mut().unwrap().remove("link");
    let met = c.ada.1.post("/v1/eap/sessions", in_person).await.created();
    assert!(met.get("link").is_none());
    let to = format!("/v1/eap/sessions/{}/link", id(&met));
    c.ada.1.call("PUT", &to).body(json!({"link": other})).send().await.refused(422, "no-video");
    // When it is over, nobody is led there any more.
    hers.post(&format!("{path}/cancel"), json!({})).await.ok();
    assert!(c.ada.1.get(&path).await.ok().get("link").is_none());
    sets(&c.ada.1, other).await.refused(422, "state");
    assert!(!c.s.axis.dump().await.contains("canary"), "sealed, everywhere");
    c.ada.1.call("PUT", &room).body(json!({})).send().await.ok();
    assert_eq!(c.ada.1.get(&room).await.ok(), json!({}));
}

fn actions(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect()
}

/// From what to what a field went, newest first.
fn of(page: &Value, field: &str) -> Vec<(Value, Value)> {
    let changes =
        page["data"].as_array().unwrap().iter().flat_map(|e| e["changes"].as_array().unwrap().clone());
    changes.filter(|c| c["field"] == field).map(|c| (c["from"].clone(), c["to"].clone())).collect()
}

#[tokio::test]
async fn a_counsellor_reads_what_became_of_a_case_and_the_person_where_it_stood() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let hers = c.login_of(&person).await;
    let case = c.case(&person, "anxiety").await;
    let path = format!("/v1/eap/cases/{}/history", id(&case));
    hers.get(&path).await.missing();
    c.says(&case, "triage", json!({"risk": "high", "presenting_issue": "trauma"})).await.ok();
    c.says(&case, "notes", json!({"text": "canary in the note"})).await.created();
    c.says(&case, "let_in", json!({})).await.ok();
    c.says(&case, "close", json!({"closure_reason": "goals_met"})).await.ok();
    let seen = c.ada.1.get(&path).await.ok();
    assert_eq!(actions(&seen), ["close", "let_in", "note", "triage", "assign", "triage", "create"]);
    assert_eq!(of(&seen, "file/risk"), [(json!("low"), json!("high")), (Value::Null, json!("low"))]);
    assert_eq!(of(&seen, "file/presenting_issue"), [(json!("anxiety"), json!("trauma"))]);
    let status = [
        (json!("in_progress"), json!("closed")),
        (json!("open"), json!("in_progress")),
        (json!("intake"), json!("open")),
    ];
    assert_eq!(of(&seen, "status"), status);
    assert_eq!(
        (&seen["data"][0]["by"], &seen["data"][4]["by"]),
        (&json!(c.ada.1.user()), &json!(c.s.manager.user()))
    );
    for secret in ["person_ref", "pool_ref", "issue_key", "cap_issue", "portal_user", "canary", "ben_"] {
        assert!(!seen.to_string().contains(secret), "{secret}: {seen:#}");
    }
    // By pages.
    let first = c.ada.1.get(&format!("{path}?limit=3")).await.ok();
    let rest = c.ada.1.get(&format!("{path}?limit=50&before={}", first["next"].as_str().unwrap())).await.ok();
    assert_eq!((actions(&first).len(), actions(&rest).len(), &rest["next"]), (3, 4, &Value::Null));
    // The person: neither who, nor why, nor what the counsellor thinks.
    let own = hers.get(&path).await.ok();
    assert_eq!((actions(&own).len(), of(&own, "status").len(), of(&own, "file/risk").len()), (7, 3, 0));
    assert!(!own.to_string().contains("usr_") && !own.to_string().contains("contact_by"), "{own:#}");
    for who in [&c.tunde.1, &c.s.manager, &c.s.admin, &c.s.finance, &c.s.auditor] {
        who.get(&path).await.missing();
    }
}

#[tokio::test]
async fn a_sessions_history_is_its_counsellors_and_in_part_its_persons() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let hers = c.login_of(&person).await;
    let case = c.case(&person, "anxiety").await;
    c.says(&case, "let_in", json!({})).await.ok();
    let session = c.books(&case, "2026-12-01T09:00:00Z").await.created();
    let path = format!("/v1/eap/sessions/{}", id(&session));
    c.ada.1.call("PUT", &format!("{path}/link")).body(json!({"link": ROOM})).send().await.ok();
    c.ends(&session, "confirm", json!({})).await.ok();
    hers.post(&format!("{path}/cancel"), json!({})).await.ok();
    let seen = c.ada.1.get(&format!("{path}/history")).await.ok();
    assert_eq!(actions(&seen), ["cancel", "confirm", "link", "create"]);
    assert_eq!(of(&seen, "status")[0], (json!("confirmed"), json!("cancelled")));
    assert_eq!(seen["data"][0]["by"], hers.user());
    assert!(!seen.to_string().contains("canary") && !seen.to_string().contains("_ref"), "{seen:#}");
    let own = hers.get(&format!("{path}/history")).await.ok();
    assert_eq!(actions(&own), actions(&seen));
    assert!(own["data"][0].get("by").is_none());
    for who in [&c.tunde.1, &c.s.manager, &c.s.admin] {
        who.get(&format!("{path}/history")).await.missing();
    }
}
