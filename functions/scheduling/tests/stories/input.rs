//! Bad input: one problem document with every fault, and nothing written.

use crate::stage::Stage;
use serde_json::{Value, json};

#[tokio::test]
async fn every_fault_of_a_body_is_named_at_once() {
    let s = Stage::set().await;
    let reply = s.desk.post("/v1/scheduling/appointments", json!({
        "patient_id": "pat_1", "practitioner_id": 7, "site": s.site, "start": "tomorrow", "type": "x".repeat(41),
        "minutes": 121, "reason": "a\u{202e}b", "notez": "?",
    }));
    let reply = reply.await;
    let faults = reply.faults();
    reply.refused(400, "validation");
    let at: Vec<(&str, &str)> = faults.iter().map(|(p, c)| (p.as_str(), c.as_str())).collect();
    assert_eq!(
        at,
        [
            ("/minutes", "range"),
            ("/notez", "unknown"),
            ("/patient_id", "id"),
            ("/practitioner_id", "type"),
            ("/reason", "hostile"),
            ("/start", "format"),
            ("/type", "length"),
        ]
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_its_own_word() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let before = s.world.scan().await.len();
    let at = |start: &str| s.booking(&ada, start);
    let with = |name: &str, value: Value| {
        let mut body = at("2026-11-23T08:00:00Z");
        body[name] = value;
        body
    };
    let table: Vec<(Value, u16, &str)> = vec![
        (at("2026-11-23T08:05:00Z"), 422, "not-a-slot"),
        (at("2026-11-23T08:00:30Z"), 422, "not-a-slot"),
        (at("2026-11-23T05:00:00Z"), 422, "in-the-past"),
        (at("2026-11-23T07:00:00Z"), 422, "outside-availability"),
        (at("2026-11-22T08:00:00Z"), 422, "in-the-past"),
        (at("2026-11-28T08:00:00Z"), 422, "outside-availability"),
        (with("minutes", 17.into()), 422, "not-five-minutes"),
        (with("minutes", 120.into()), 422, "outside-availability"),
        (with("site", s.grace.sites[1].to_string().into()), 422, "outside-availability"),
        (with("site", "sit_01ARZ3NDEKTSV4RRFFQ69G5FAV".into()), 422, "unknown-site"),
        (with("practitioner_id", "prc_01ARZ3NDEKTSV4RRFFQ69G5FAV".into()), 422, "unknown-practitioner"),
        (with("department_id", "dpt_01ARZ3NDEKTSV4RRFFQ69G5FAV".into()), 422, "host"),
        (with("hold", "apt_01ARZ3NDEKTSV4RRFFQ69G5FAV".into()), 422, "unknown-hold"),
        (with("type", "haircut".into()), 422, "unknown-type"),
    ];
    for (body, status, code) in table {
        s.desk.post("/v1/scheduling/appointments", body).await.refused(status, code);
    }
    assert_eq!(s.world.scan().await.len(), before, "nothing was written");
}

#[tokio::test]
async fn questions_are_checked_like_bodies() {
    let s = Stage::set().await;
    let slots = |query: &str| {
        let (desk, path) = (s.desk.clone(), format!("/v1/scheduling/slots?{query}"));
        async move { desk.get(&path).await }
    };
    let site = format!("practitioner={}&site={}", s.prc, s.site);
    assert_eq!(slots(&site).await.faults(), [("?from".to_string(), "required".to_string())]);
    slots(&format!("{site}&from=2026-11-23&to=2026-12-07")).await.refused(422, "too-many-days");
    slots(&format!("{site}&from=2026-11-23&to=2026-11-22")).await.refused(422, "too-many-days");
    slots(&format!("{site}&from=2026-11-23&specialty=surgery")).await.refused(422, "host");
    slots(&format!("site={}&from=2026-11-23", s.site)).await.refused(422, "host");
    slots(&format!("{site}&from=2026-11-23&minuts=5")).await.refused(400, "validation");
    slots(&format!("{site}&from=2026-11-23&to=2026-12-06")).await.ok();
    s.desk.get("/v1/scheduling/appointments").await.refused(400, "validation");
    s.desk.get("/v1/scheduling/appointments?patient=x&of=y").await.refused(400, "validation");
    s.desk
        .get(&format!("/v1/scheduling/queues?site={}&date=2026-11-23&limit=0", s.site))
        .await
        .refused(400, "validation");
}

#[tokio::test]
async fn what_the_system_sets_is_not_for_callers() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let booked = s.books(&s.patient().await, "2026-11-23T08:00:00Z").await;
    let path = format!("/v1/scheduling/appointments/{}", booked["id"].as_str().unwrap());
    for (field, value) in
        [("status", json!("completed")), ("start", json!("2026-11-23T09:00:00Z")), ("lane", json!(4))]
    {
        let mut patch = json!({});
        patch[field] = value;
        let refused = s.desk.patch(&path, patch).await;
        assert_eq!(refused.faults(), [(format!("/{field}"), "read-only".to_string())]);
    }
    assert_eq!(
        s.desk.patch(&path, json!({"notes": "brings her sister"})).await.ok()["notes"],
        "brings her sister"
    );
    let stale = s.desk.call("PATCH", &path).if_match(1).body(json!({"notes": "x"})).send().await;
    stale.refused(412, "stale");
    let visit = s.checks_in(&s.patient().await).await;
    let path = format!("/v1/scheduling/patient_visits/{}", visit["id"].as_str().unwrap());
    let refused = s.nurse.patch(&path, json!({"token": 1})).await;
    assert_eq!(refused.faults(), [("/token".to_string(), "read-only".to_string())]);
}

#[test]
fn the_routes_are_documented_and_none_has_the_same_name_twice() {
    let module = scheduling::module();
    let mut names: Vec<_> = module.routes.iter().map(|r| r.operation.clone()).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    for route in &module.routes {
        let permission = route.permission().expect("none of this module's routes is public");
        assert!(authz::rule(permission).is_some(), "{permission}");
        assert!(!route.summary.is_empty() && route.trips > 0, "{}", route.operation);
    }
    let document = web::openapi::document("scheduling", "0", &[module]);
    assert!(document["paths"]["/v1/scheduling/slots"]["get"].is_object());
}
