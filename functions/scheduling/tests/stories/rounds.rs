//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::stage::{Stage, id};
use serde_json::{Value, json};

const NINE: &str = "2026-11-23T08:00:00Z";

fn path(noun: &str) -> String {
    format!("/v1/scheduling/{noun}")
}

#[tokio::test]
async fn practitioners_and_their_hours_make_their_rounds() {
    let s = Stage::set().await;
    let hours = s.mornings(&s.prc, json!({})).await;
    let listed = format!("?practitioner={}", s.prc);
    let round = s.admin.round("/v1/scheduling/availabilities", &hours).listed_by(listed);
    round.patch(json!({"end": "11:30:00"})).await;
    let other = s.practitioner(&s.someone(), json!({"display_name": "Dr Bello"})).await;
    let round = s.admin.round("/v1/scheduling/practitioners", &other);
    round.patch(json!({"display_name": "Dr Bola Bello"})).await;
}

#[tokio::test]
async fn a_block_makes_its_round() {
    let s = Stage::set().await;
    let body = json!({
        "practitioner_id": s.prc, "from": "2026-11-23T07:30:00Z", "to": "2026-11-23T09:00:00Z", "kind": "meeting",
        "policy": "keep", "reason": "the board meets",
    });
    let made = s.doctor.post(&path("blocks"), body).await.created();
    s.admin.round(&path("blocks"), &id(&made)).listed_by(format!("?of={}", s.prc)).await;
}

#[tokio::test]
async fn an_appointment_makes_its_round_and_whoever_does_not_come_is_noted_once_it_is_late() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, NINE).await;
    let round = s.desk.round(&path("appointments"), &id(&booked)).listed_by(format!("?patient={ada}"));
    round.patch(json!({"reason": "a cough"})).await;

    s.gives(&s.desk, "appointments", &booked, "no_show", json!({})).await.refused(422, "too-early");
    s.at("2026-11-23T08:30:00Z");
    let gone = s.gives(&s.desk, "appointments", &booked, "no_show", json!({})).await.ok();
    assert_eq!(gone["status"], "no_show");
    assert_eq!(s.events_of(&booked).await.last().unwrap(), "appointment.no_show");
    s.gives(&s.desk, "appointments", &booked, "confirm", json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn a_follow_up_makes_its_round() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let new = json!({
        "patient_id": ada, "practitioner_id": s.prc, "site": s.site, "scheduled_date": "2026-12-07", "window_days": 14,
    });
    let made = s.nurse.post(&path("follow_ups"), new).await.created();
    let round = s.doctor.round(&path("follow_ups"), &id(&made)).listed_by(format!("?patient={ada}"));
    round.patch(json!({"window_days": 21, "notes": "fasting"})).await;
}

#[tokio::test]
async fn a_queue_and_a_visit_make_their_rounds() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let visit = s.checks_in(&ada).await;
    let round = s.nurse.round(&path("patient_visits"), &id(&visit)).listed_by(format!("?patient={ada}"));
    round.patch(json!({"notes": "came alone"})).await;
    let queue = visit["queue_id"].as_str().unwrap();
    let listed = format!("?site={}&date=2026-11-23", s.site);
    let room = json!({"room": "Room 3"});
    s.desk.round(&path("queues"), queue).listed_by(listed).patch(room).await;
}

/// Out of turn, into a room; and whoever is called and not there has not come.
#[tokio::test]
async fn one_of_those_who_wait_is_called_by_name_and_noted_when_they_are_not_there() {
    let s = Stage::set().await;
    let (first, second) = (s.checks_in(&s.patient().await).await, s.checks_in(&s.patient().await).await);
    let room = json!({"room": "Room 3"});
    s.gives(&s.grace.staff("finance"), "patient_visits", &second, "call", room.clone())
        .await
        .refused(403, "forbidden");
    let called = s.gives(&s.doctor, "patient_visits", &second, "call", room.clone()).await.ok();
    assert_eq!((&called["status"], &called["called_to"]), (&json!("called"), &json!("Room 3")));
    s.gives(&s.doctor, "patient_visits", &second, "call", room).await.refused(422, "state");
    assert_eq!(s.shows("patient_visits", &first).await["status"], "waiting");

    s.gives(&s.doctor, "patient_visits", &second, "no_show", json!({})).await.refused(403, "forbidden");
    let gone = s.gives(&s.desk, "patient_visits", &second, "no_show", json!({})).await.ok();
    assert_eq!(gone["status"], "no_show");
    s.gives(&s.doctor, "patient_visits", &second, "start", json!({})).await.refused(422, "state");
    let next: Value = s.calls_next(&first["queue_id"]).await;
    assert_eq!(next["id"], first["id"]);
}
