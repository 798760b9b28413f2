//! SCH-3: follow-ups.

use crate::stage::Stage;
use serde_json::{Value, json};

async fn pending(s: &Stage, patient: &str) -> Vec<Value> {
    let page = s.desk.get(&format!("/v1/scheduling/follow_ups?patient={patient}")).await.ok();
    page["data"].as_array().unwrap().clone()
}

/// A visit of this patient, begun and ended now.
async fn is_seen(s: &Stage, patient: &str) -> Value {
    let visit = s.checks_in(patient).await;
    s.calls_next(&visit["queue_id"]).await;
    s.gives(&s.doctor, "patient_visits", &visit, "start", json!({})).await.ok();
    s.later(10);
    s.gives(&s.doctor, "patient_visits", &visit, "complete", json!({})).await.ok();
    s.world.deliver().await;
    visit
}

async fn signed(s: &Stage, patient: &str) {
    let visit = is_seen(s, patient).await;
    let note = json!({"visit": visit["id"], "follow_up": {"days": 14, "reason_present": true}});
    s.hears("encounter.signed", "enc_01ARZ3NDEKTSV4RRFFQ69G5FAV", note).await;
}

/// Story 14.
#[tokio::test]
async fn a_signed_note_asks_for_a_follow_up_and_a_visit_on_day_thirteen_completes_it() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    signed(&s, &ada).await;
    let made = pending(&s, &ada).await.remove(0);
    assert_eq!((&made["status"], &made["scheduled_date"]), (&json!("pending"), &json!("2026-12-07")));
    assert_eq!(made["practitioner_id"], s.prc.as_str());
    s.at("2026-12-06T09:00:00Z");
    let visit = is_seen(&s, &ada).await;
    let done = s.shows("follow_ups", &made).await;
    assert_eq!((&done["status"], &done["outcome"]), (&json!("completed"), &visit["id"]));
    assert_eq!(s.events_of(&made).await, ["follow_up.scheduled", "follow_up.completed"]);
}

/// Story 14, second half.
#[tokio::test]
async fn without_a_visit_it_is_reminded_twice_and_missed_after_its_window() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    signed(&s, &ada).await;
    let made = pending(&s, &ada).await.remove(0);
    for (at, due) in [
        ("2026-12-04T07:00:01Z", 1),
        ("2026-12-06T07:00:01Z", 1),
        ("2026-12-14T22:59:00Z", 0),
        ("2026-12-14T23:00:01Z", 1),
    ] {
        s.at(at);
        let rang = s.world.ring().await;
        let mine = rang.iter().filter(|n| n.starts_with("due.flw")).count();
        assert_eq!(mine, due, "{at}: {rang:?}");
    }
    assert_eq!(s.shows("follow_ups", &made).await["status"], "missed");
    assert_eq!(
        s.events_of(&made).await,
        ["follow_up.scheduled", "follow_up.due", "follow_up.due", "follow_up.missed"]
    );
    let later = s
        .gives(&s.desk, "follow_ups", &made, "reschedule", json!({"scheduled_date": "2027-01-11"}))
        .await
        .ok();
    assert_eq!((&later["status"], &later["reminded"]), (&json!("pending"), &json!(0)));
}

#[tokio::test]
async fn the_signed_note_heard_twice_asks_once() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let visit = is_seen(&s, &ada).await;
    let event = events::Envelope {
        id: "enc#1#3".into(),
        tenant: s.grace.id.prefix(),
        kind: "encounter.signed".into(),
        at: store::stamp(s.world.clock.now()),
        by: s.doctor.user(),
        record: "enc_01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        version: 3,
        cause: vec![],
        data: json!({"visit": visit["id"], "follow_up": {"days": 14}}),
    };
    s.world.hand_over(&event).await;
    s.world.hand_over(&event).await;
    assert_eq!(pending(&s, &ada).await.len(), 1);
}

#[tokio::test]
async fn a_follow_up_moves_to_the_next_day_the_practitioner_works() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({"weekdays": ["thursday"]})).await;
    let ada = s.patient().await;
    signed(&s, &ada).await;
    assert_eq!(pending(&s, &ada).await[0]["scheduled_date"], "2026-12-10");
}

#[tokio::test]
async fn an_appointment_made_for_it_is_noted_and_a_cancelled_one_says_why() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let new = json!({
        "patient_id": ada, "practitioner_id": s.prc, "site": s.site, "scheduled_date": "2026-12-07",
        "reason": "wound check",
    });
    let made = s.nurse.post("/v1/scheduling/follow_ups", new).await.created();
    assert!(!s.grace.dump().await.contains("wound check"), "sealed");
    let mut wish = s.booking(&ada, "2026-12-07T08:00:00Z");
    wish["follow_up_id"] = made["id"].clone();
    let booked = s.desk.post("/v1/scheduling/appointments", wish).await.created();
    assert_eq!(booked["source"], "follow_up");
    s.world.deliver().await;
    assert_eq!(s.shows("follow_ups", &made).await["appointment_id"], booked["id"]);
    s.gives(&s.doctor, "follow_ups", &made, "cancel", json!({})).await.refused(422, "reason-required");
    let gone = s.gives(&s.doctor, "follow_ups", &made, "cancel", json!({"reason": "healed"})).await.ok();
    assert_eq!(gone["status"], "cancelled");
    s.at("2026-12-20T09:00:00Z");
    let rang = s.world.ring().await;
    assert!(rang.iter().all(|n| !n.starts_with("due.flw")), "{rang:?}");
}

#[tokio::test]
async fn a_specialtys_follow_up_is_met_by_anybody_of_it() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let new = |specialty: &str| json!({"patient_id": ada, "specialty": specialty, "site": s.site, "scheduled_date": "2026-11-24"});
    let hers = s.nurse.post("/v1/scheduling/follow_ups", new("general_practice")).await.created();
    let heart = s.nurse.post("/v1/scheduling/follow_ups", new("cardiology")).await.created();
    is_seen(&s, &ada).await;
    assert_eq!(s.shows("follow_ups", &hers).await["status"], "completed");
    assert_eq!(s.shows("follow_ups", &heart).await["status"], "pending");
    let nobody = json!({"patient_id": ada, "site": s.site, "scheduled_date": "2026-11-24"});
    s.nurse.post("/v1/scheduling/follow_ups", nobody).await.refused(400, "validation");
}
