//! SCH-3: triage, and what consultations do to a visit.

use crate::stage::Stage;
use serde_json::json;

fn vitals(visit: &serde_json::Value, news2: u8, risk: &str) -> serde_json::Value {
    json!({"vitals": "vit_01ARZ3NDEKTSV4RRFFQ69G5FAV", "visit": visit["id"], "news2": news2, "risk": risk, "red_flags": []})
}

/// Story 11 (the nurse is told by the notifications module, from the change).
#[tokio::test]
async fn a_score_of_eight_is_red_and_first_in_the_queue() {
    let s = Stage::set().await;
    let all = s.patients(3).await;
    let first = s.checks_in(&all[0]).await;
    s.checks_in(&all[1]).await;
    let ill = s.checks_in(&all[2]).await;
    s.hears("vitals.recorded", "vit_1", vitals(&ill, 8, "high")).await;
    let raised = s.shows("patient_visits", &ill).await;
    assert_eq!((&raised["triage"]["acuity"], &raised["class"]), (&json!("red"), &json!("emergency")));
    assert_eq!(raised["triage"]["news2"], 8);
    assert_eq!(s.calls_next(&first["queue_id"]).await["id"], ill["id"]);
}

#[tokio::test]
async fn an_automatic_raise_never_lowers_what_was_set_by_hand() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    let judge = |body| s.gives(&s.nurse, "patient_visits", &visit, "triage", body);
    assert_eq!(judge(json!({"acuity": "red"})).await.ok()["class"], "emergency");
    s.later(1);
    s.hears("vitals.recorded", "vit_1", vitals(&visit, 5, "medium")).await;
    let after = s.shows("patient_visits", &visit).await;
    assert_eq!((&after["class"], &after["triage"]["acuity"]), (&json!("emergency"), &json!("red")));
    assert_eq!(after["triage"]["news2"], 5, "the newer score stands");
}

#[tokio::test]
async fn an_older_score_that_arrives_late_changes_nothing() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    s.later(1);
    s.hears("vitals.recorded", "vit_2", vitals(&visit, 6, "medium")).await;
    let now = s.shows("patient_visits", &visit).await;
    s.later(-1);
    s.hears("vitals.recorded", "vit_1", vitals(&visit, 9, "high")).await;
    assert_eq!(s.shows("patient_visits", &visit).await["version"], now["version"]);
}

#[tokio::test]
async fn a_nurse_sets_a_class_by_hand_with_a_reason() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    let raise = |who: &testkit::Actor, body| {
        let who = who.clone();
        let path = format!("/v1/scheduling/patient_visits/{}/prioritise", visit["id"].as_str().unwrap());
        async move { who.post(&path, body).await }
    };
    raise(&s.desk, json!({"class": "urgent", "reason": "x"})).await.refused(403, "forbidden");
    raise(&s.nurse, json!({"class": "urgent"})).await.refused(422, "reason-required");
    let urgent = raise(&s.nurse, json!({"class": "urgent", "reason": "pale and sweating"})).await.ok();
    assert_eq!((&urgent["class"], &urgent["class_by"]), (&json!("urgent"), &json!("hand")));
}

/// Story 12.
#[tokio::test]
async fn an_encounter_begins_and_ends_the_visit_and_its_appointment() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, "2026-11-23T08:00:00Z").await;
    let visit = s.arrives(&ada, &booked).await;
    let encounter = "enc_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    s.hears("encounter.started", encounter, json!({"visit": visit["id"]})).await;
    let inside = s.shows("patient_visits", &visit).await;
    assert_eq!((&inside["status"], &inside["encounter_id"]), (&json!("in_consultation"), &json!(encounter)));
    s.hears("encounter.started", encounter, json!({"visit": visit["id"]})).await;
    assert_eq!(s.shows("patient_visits", &visit).await["version"], inside["version"], "twice is once");
    s.later(17);
    s.hears("encounter.closed", encounter, json!({"visit": visit["id"]})).await;
    let done = s.shows("patient_visits", &visit).await;
    assert_eq!((&done["status"], &done["consultation_duration_minutes"]), (&json!("completed"), &json!(17)));
    let names = s.world.deliver().await;
    assert!(names.contains(&"appointment.completed".to_string()), "{names:?}");
    assert_eq!(s.shows("appointments", &booked).await["status"], "completed");
    let version = s.shows("appointments", &booked).await["version"].clone();
    s.world.deliver().await;
    assert_eq!(s.shows("appointments", &booked).await["version"], version);
}
