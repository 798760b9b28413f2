//! SCH-2: who is next, and what becomes of everybody.

use crate::stage::{Stage, id};
use serde_json::{Value, json};

const NINE: &str = "2026-11-23T08:00:00Z";

async fn emergency(s: &Stage, patient: &str) -> Value {
    let mut body = s.arrival(patient);
    body["visit_type"] = "emergency".into();
    s.desk.post("/v1/scheduling/patient_visits", body).await.created()
}

/// Story 7.
#[tokio::test]
async fn emergencies_then_appointments_then_walk_ins() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let all = s.patients(3).await;
    let booked = s.books(&all[1], NINE).await;
    s.at("2026-11-23T07:46:00Z");
    let walk_in = s.checks_in(&all[0]).await;
    s.arrives(&all[1], &booked).await;
    emergency(&s, &all[2]).await;
    let queue = &walk_in["queue_id"];
    for token in [3, 2, 1] {
        assert_eq!(s.calls_next(queue).await["token"], token);
    }
    assert_eq!(s.calls_next(queue).await, Value::Null, "nobody waits any more");
}

/// Story 7, second half.
#[tokio::test]
async fn a_walk_in_of_two_hours_comes_before_a_fresh_appointment() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let all = s.patients(2).await;
    let booked = s.books(&all[1], "2026-11-23T08:15:00Z").await;
    let walk_in = s.checks_in(&all[0]).await;
    s.later(121);
    s.arrives(&all[1], &booked).await;
    assert_eq!(s.calls_next(&walk_in["queue_id"]).await["token"], 1);
}

/// Story 10.
#[tokio::test]
async fn the_third_skip_is_a_no_show() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    let bo = s.checks_in(&s.patient().await).await;
    let queue = &visit["queue_id"];
    assert_eq!(s.calls_next(queue).await["token"], 1);
    let skip = || s.gives(&s.desk, "patient_visits", &visit, "skip", json!({}));
    assert_eq!(skip().await.ok()["status"], "waiting");
    skip().await.refused(422, "state");
    assert_eq!(s.calls_next(queue).await["id"], bo["id"], "a skipped patient is not called for ten minutes");
    assert_eq!(s.calls_next(queue).await["token"], 1, "unless nobody else is there");
    assert_eq!(skip().await.ok()["skips"], 2);
    s.calls_next(queue).await;
    assert_eq!(skip().await.ok()["status"], "no_show");
    let said = s.events_of(&visit).await;
    assert_eq!(said.iter().filter(|k| *k == "patient_visit.skipped").count(), 2);
    assert_eq!(said.last().unwrap(), "patient_visit.no_show");
}

/// Story 10: the counter.
#[tokio::test]
async fn the_counter_shows_tokens_and_never_a_name() {
    let s = Stage::set().await;
    let mut queue = Value::Null;
    for patient in s.patients(5).await {
        queue = s.checks_in(&patient).await["queue_id"].clone();
    }
    let path = format!("/v1/scheduling/queues/{}", queue.as_str().unwrap());
    s.desk.patch(&path, json!({"room": "Room 7"})).await.ok();
    s.calls_next(&queue).await;
    let board = s.desk.get(&format!("{path}/board")).await.ok();
    assert_eq!(board["serving"], json!([{"token": "A-001", "room": "Room 7"}]));
    assert_eq!((&board["next"], &board["waiting"]), (&json!(["A-002", "A-003", "A-004"]), &json!(4)));
    let text = board.to_string();
    assert!(!text.contains("pat_") && !text.contains("pvi_") && !text.contains("Adaeze"), "{text}");
}

/// Story 9 (the arithmetic is tested beside the rule; here what the API answers).
#[tokio::test]
async fn the_estimate_follows_the_practitioners_pace() {
    let s = Stage::set().await;
    let mut queue = Value::Null;
    for patient in s.patients(5).await {
        queue = s.checks_in(&patient).await["queue_id"].clone();
        let called = s.calls_next(&queue).await;
        s.gives(&s.doctor, "patient_visits", &called, "start", json!({})).await.ok();
        s.later(12);
        let done = s.gives(&s.doctor, "patient_visits", &called, "complete", json!({})).await.ok();
        assert_eq!(done["consultation_duration_minutes"], 12);
    }
    s.checks_in(&s.patient().await).await;
    let inside = s.calls_next(&queue).await;
    s.gives(&s.doctor, "patient_visits", &inside, "start", json!({})).await.ok();
    for patient in s.patients(3).await {
        s.checks_in(&patient).await;
    }
    s.later(4);
    let last = s.checks_in(&s.patient().await).await;
    assert_eq!(
        (&last["position"], &last["estimate"]),
        (&json!(4), &json!({"minutes": 45, "from": 33, "to": 57}))
    );
    let path = format!("/v1/scheduling/queues/{}", queue.as_str().unwrap());
    let page = s.desk.get(&format!("{path}/page")).await.ok();
    assert_eq!(page["waiting"][3]["estimate"]["minutes"], 45);
    assert_eq!(page["waiting"][3]["visit"]["id"], last["id"]);
    s.desk.post(&format!("{path}/pause"), json!({})).await.ok();
    let page = s.desk.get(&format!("{path}/page")).await.ok();
    assert_eq!((&page["paused"], &page["waiting"][0]["estimate"]), (&json!(true), &Value::Null));
    let paused = s.checks_in(&s.patient().await).await;
    assert_eq!((&paused["paused"], &paused["estimate"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_paused_queue_calls_nobody_and_a_closed_one_gives_no_token() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    let path = format!("/v1/scheduling/queues/{}", visit["queue_id"].as_str().unwrap());
    s.desk.post(&format!("{path}/pause"), json!({})).await.ok();
    s.doctor.post(&format!("{path}/call_next"), json!({})).await.refused(409, "queue-paused");
    s.desk.post(&format!("{path}/resume"), json!({})).await.ok();
    let closed = s.desk.post(&format!("{path}/close"), json!({})).await.ok();
    assert_eq!((&closed["status"], &closed["waiting"]), (&json!("closed"), &json!([visit["id"]])));
    s.desk.post(&format!("{path}/close"), json!({})).await.refused(422, "state");
    let late = s.arrival(&s.patient().await);
    s.desk.post("/v1/scheduling/patient_visits", late).await.refused(409, "queue-closed");
    assert_eq!(s.calls_next(&visit["queue_id"]).await["id"], visit["id"], "whoever waits is still seen");
    let queue = json!({"id": visit["queue_id"]});
    assert_eq!(s.events_of(&queue).await, ["queue.closed"]);
}

#[tokio::test]
async fn at_the_end_of_the_day_nobody_is_silently_dropped() {
    let s = Stage::set().await;
    let (one, two) = (s.checks_in(&s.patient().await).await, s.checks_in(&s.patient().await).await);
    s.calls_next(&one["queue_id"]).await;
    s.gives(&s.doctor, "patient_visits", &one, "start", json!({})).await.ok();
    s.at("2026-11-23T22:58:00Z");
    assert!(s.world.ring().await.is_empty());
    s.at("2026-11-23T22:59:01Z");
    assert_eq!(s.world.ring().await, ["due.que.day_end"]);
    assert_eq!(s.shows("patient_visits", &two).await["status"], "no_show");
    assert_eq!(
        s.shows("patient_visits", &one).await["status"],
        "in_consultation",
        "who is inside stays inside"
    );
    let queue = s.shows("queues", &one["queue_id"]).await;
    assert_eq!(queue["status"], "closed");
    assert!(s.world.ring().await.is_empty(), "once");
    let said = s.world.events().await.into_iter().find(|e| e.kind == "queue.closed").unwrap();
    assert_eq!(said.data["waiting"], 1);
}

#[tokio::test]
async fn a_transfer_gives_a_new_token_in_the_other_queue_in_one_go() {
    let s = Stage::set().await;
    let other = s.practitioner(&s.someone(), json!({"display_name": "Dr Bello", "queue_prefix": "B"})).await;
    let (one, two) = (s.checks_in(&s.patient().await).await, s.checks_in(&s.patient().await).await);
    let mut there = s.arrival(&s.patient().await);
    there["practitioner_id"] = other.as_str().into();
    s.desk.post("/v1/scheduling/patient_visits", there).await.created();
    let to = json!({"practitioner_id": other});
    let moved = s.gives(&s.desk, "patient_visits", &one, "transfer", to).await.ok();
    assert_eq!(
        (&moved["token"], &moved["label"], &moved["status"]),
        (&json!(2), &json!("B-002"), &json!("waiting"))
    );
    let same = json!({"practitioner_id": other});
    s.gives(&s.desk, "patient_visits", &one, "transfer", same).await.refused(422, "same-queue");
    assert_eq!(
        s.calls_next(&two["queue_id"]).await["id"],
        two["id"],
        "the old queue has only the other one left"
    );
    assert_eq!(s.calls_next(&two["queue_id"]).await, Value::Null);
    assert_eq!(s.checks_in(&s.patient().await).await["token"], 3, "the old token stays used");
    let event = s.world.events().await.into_iter().find(|e| e.kind == "patient_visit.transferred").unwrap();
    assert_eq!((&event.data["from"], &event.data["from_token"]), (&one["queue_id"], &json!(1)));
}

#[tokio::test]
async fn whoever_comes_back_from_the_laboratory_keeps_the_token() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    s.calls_next(&visit["queue_id"]).await;
    s.gives(&s.doctor, "patient_visits", &visit, "start", json!({})).await.ok();
    let back = s.gives(&s.doctor, "patient_visits", &visit, "return", json!({})).await.ok();
    assert_eq!(
        (&back["status"], &back["token"], &back["class"]),
        (&json!("waiting"), &json!(1), &json!("appointment"))
    );
}

#[tokio::test]
async fn a_step_from_the_wrong_state_is_refused_and_a_mistake_needs_a_reason() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    let give = |command: &'static str| s.gives(&s.doctor, "patient_visits", &visit, command, json!({}));
    for command in ["return", "complete", "skip"] {
        give(command).await.refused(422, "state");
    }
    let cancel = |body| s.gives(&s.desk, "patient_visits", &visit, "cancel", body);
    cancel(json!({})).await.refused(422, "reason-required");
    assert_eq!(cancel(json!({"reason": "wrong patient"})).await.ok()["status"], "cancelled");
    for command in ["start", "call", "skip", "return", "complete"] {
        give(command).await.refused(422, "state");
    }
    assert_eq!(s.shows("patient_visits", &visit).await["actions"], json!([]));
}

#[tokio::test]
async fn queues_are_found_by_site_and_day_and_by_whose_they_are() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    let path = format!("/v1/scheduling/queues?site={}&date=2026-11-23", s.site);
    let all = s.desk.get(&path).await.ok();
    assert_eq!(all["data"][0]["id"], visit["queue_id"]);
    let mine = s.doctor.get(&format!("{path}&practitioner={}", s.prc)).await.ok();
    assert_eq!(id(&mine["data"][0]), visit["queue_id"].as_str().unwrap());
    let none = s.desk.get(&path.replace("23", "24")).await.ok();
    assert_eq!(none["data"], json!([]));
    let place = s.desk.get(&format!("/v1/scheduling/patient_visits/{}/place", id(&visit))).await.ok();
    assert_eq!((&place["token"], &place["position"]), (&json!("A-001"), &json!(1)));
}

/// Found by generated requests: the document promised a visit.
#[tokio::test]
async fn whoever_calls_where_nobody_waits_is_told_null_and_the_document_says_so() {
    let s = Stage::set().await;
    let visit = s.checks_in(&s.patient().await).await;
    assert_eq!(s.calls_next(&visit["queue_id"]).await["id"], visit["id"]);
    assert_eq!(s.calls_next(&visit["queue_id"]).await, Value::Null);
    let document = web::openapi::document("Lumina", "1", &[scheduling::module()]);
    let answer = &document["paths"]["/v1/scheduling/queues/{id}/call_next"]["post"]["responses"]["200"];
    let kinds = &answer["content"]["application/json"]["schema"]["anyOf"];
    assert_eq!(
        (&kinds[0]["$ref"], &kinds[1]["type"]),
        (&json!("#/components/schemas/VisitView"), &json!("null"))
    );
}
