//! SCH-1: leave and other blocks, and what becomes of people who leave or patients who die.

use crate::stage::{Stage, id};
use serde_json::{Value, json};

const NINE: &str = "2026-11-23T08:00:00Z";

fn block(s: &Stage, policy: &str) -> Value {
    json!({
        "practitioner_id": s.prc, "from": "2026-11-23T07:30:00Z", "to": "2026-11-23T09:00:00Z", "kind": "meeting",
        "policy": policy, "reason": "the board meets",
    })
}

#[tokio::test]
async fn a_block_closes_time_and_its_end_opens_it_again() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let made = s.doctor.post("/v1/scheduling/blocks", block(&s, "keep")).await.created();
    assert_eq!(s.free("2026-11-23").await[0], "10:00");
    let wish = s.booking(&s.patient().await, NINE);
    s.desk.post("/v1/scheduling/appointments", wish).await.refused(409, "practitioner-away");
    assert!(!s.grace.dump().await.contains("the board"), "the reason lies sealed");
    let listed = s.desk.get(&format!("/v1/scheduling/blocks?of={}", s.prc)).await.ok();
    assert_eq!(listed["data"][0]["id"], made["id"]);
    s.doctor.delete(&format!("/v1/scheduling/blocks/{}", id(&made))).await.done();
    assert_eq!(s.free("2026-11-23").await[0], "09:00");
}

#[tokio::test]
async fn a_block_refuses_keeps_or_gives_the_booked_ones_to_the_desk() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (inside, outside) =
        (s.books(&s.patient().await, NINE).await, s.books(&s.patient().await, "2026-11-23T09:00:00Z").await);
    let refused =
        s.desk.post("/v1/scheduling/blocks", block(&s, "refuse")).await.refused(409, "appointments-in-block");
    assert_eq!(refused["appointments"], json!([inside["id"]]));
    s.desk.post("/v1/scheduling/blocks", block(&s, "keep")).await.created();
    s.world.deliver().await;
    assert_eq!(s.shows("appointments", &inside).await.get("needs_attention"), None);
    s.desk.post("/v1/scheduling/blocks", block(&s, "rebook")).await.created();
    s.world.deliver().await;
    assert_eq!(s.shows("appointments", &inside).await["needs_attention"], "practitioner_away");
    assert_eq!(s.shows("appointments", &outside).await.get("needs_attention"), None);
    let to = json!({"start": "2026-11-23T10:00:00Z", "reason": "the board meets"});
    let moved = s.gives(&s.desk, "appointments", &inside, "reschedule", to).await.ok();
    assert_eq!(moved.get("needs_attention"), None);
}

#[tokio::test]
async fn the_second_sweep_finds_what_raced_with_the_block() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    s.desk.post("/v1/scheduling/blocks", block(&s, "rebook")).await.created();
    s.world.deliver().await;
    // As if its commit had been under way while the block was written.
    let mut wish = s.booking(&s.patient().await, NINE);
    wish["overbook"] = true.into();
    wish["reason"] = "raced".into();
    let raced = s.desk.post("/v1/scheduling/appointments", wish).await.created();
    assert!(s.world.ring().await.is_empty(), "a minute is not over");
    s.later(1);
    s.later(1);
    assert_eq!(s.world.ring().await, ["due.blk.sweep"]);
    assert_eq!(s.shows("appointments", &raced).await["needs_attention"], "practitioner_away");
    assert!(s.world.ring().await.is_empty());
}

#[tokio::test]
async fn a_closed_site_offers_nothing() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let booked = s.books(&s.patient().await, NINE).await;
    let holiday = json!({
        "site": s.site, "from": "2026-11-22T23:00:00Z", "to": "2026-11-23T23:00:00Z", "kind": "holiday", "policy": "rebook",
    });
    s.desk.post("/v1/scheduling/blocks", holiday).await.created();
    assert!(s.free("2026-11-23").await.is_empty());
    assert_eq!(s.free("2026-11-24").await.len(), 11);
    s.world.deliver().await;
    assert_eq!(s.shows("appointments", &booked).await["needs_attention"], "practitioner_away");
}

#[tokio::test]
async fn an_approved_leave_blocks_and_a_cancelled_one_opens() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let booked = s.books(&s.patient().await, NINE).await;
    let leave = json!({"user": s.doctor.user(), "from": "2026-11-23", "to": "2026-11-24"});
    s.hears("leave.approved", "lvr_1", leave.clone()).await;
    s.world.deliver().await;
    assert!(s.free("2026-11-23").await.is_empty() && s.free("2026-11-24").await.is_empty());
    assert_eq!(s.free("2026-11-25").await.len(), 11, "the last day is the 24th, local");
    assert_eq!(s.shows("appointments", &booked).await["needs_attention"], "practitioner_away");
    s.hears("leave.cancelled", "lvr_1", leave).await;
    assert_eq!(s.free("2026-11-24").await.len(), 11);
}

#[tokio::test]
async fn whoever_leaves_is_not_booked_any_more() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let booked = s.books(&s.patient().await, NINE).await;
    s.hears("user.disabled", &s.doctor.user(), json!({"user": s.doctor.user()})).await;
    assert_eq!(s.shows("practitioners", &json!({"id": s.prc})).await["active"], false);
    assert_eq!(s.shows("appointments", &booked).await["needs_attention"], "practitioner_away");
    assert!(s.free("2026-11-23").await.is_empty());
    let wish = s.booking(&s.patient().await, "2026-11-23T09:00:00Z");
    s.desk.post("/v1/scheduling/appointments", wish).await.refused(422, "practitioner-inactive");
}

#[tokio::test]
async fn whoever_loses_a_clearance_keeps_what_is_before_that_day() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let today = s.books(&s.patient().await, NINE).await;
    let later = s.books(&s.patient().await, "2026-11-25T09:00:00Z").await;
    let lost = json!({"user": s.doctor.user(), "from": "2026-11-24"});
    s.hears("clearance.lost", &s.doctor.user(), lost).await;
    assert_eq!(s.shows("appointments", &today).await["needs_attention"], json!(null));
    assert_eq!(s.shows("appointments", &later).await["needs_attention"], "practitioner_away");
}

#[tokio::test]
async fn a_deceased_patients_appointments_end_without_a_word_to_them() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, NINE).await;
    let new =
        json!({"patient_id": ada, "practitioner_id": s.prc, "site": s.site, "scheduled_date": "2026-12-07"});
    let follow_up = s.nurse.post("/v1/scheduling/follow_ups", new).await.created();
    s.hears("patient.deceased", &ada, json!({"patient": ada})).await;
    let gone = s.shows("appointments", &booked).await;
    assert_eq!((&gone["status"], &gone["cancel"]["code"]), (&json!("cancelled"), &json!("deceased")));
    assert_eq!(s.shows("follow_ups", &follow_up).await["status"], "cancelled");
    let said = s.world.events().await.into_iter().find(|e| e.kind == "appointment.cancelled").unwrap();
    assert_eq!(said.data["code"], "deceased", "who sends messages can tell");
    assert_eq!(s.free("2026-11-23").await[0], "09:00");
}

/// PAT-4: no record is rewritten to another patient; only its place in the lists moves, and back.
#[tokio::test]
async fn a_merged_patients_records_are_listed_under_the_survivor_until_it_is_undone() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (ada, twin) = (s.patient().await, s.patient().await);
    let (hers, twins) = (s.books(&ada, NINE).await, s.books(&twin, "2026-11-23T09:00:00Z").await);
    let visit = s.arrives(&twin, &twins).await;
    let merge = json!({"survivor": ada, "duplicate": twin, "merge": "mrg_01ARZ3NDEKTSV4RRFFQ69G5FAV"});
    s.hears("patient.merged", &ada, merge.clone()).await;
    let count = |what: &'static str, who: String| {
        let desk = s.desk.clone();
        async move {
            let page = desk.get(&format!("/v1/scheduling/{what}?patient={who}")).await.ok();
            page["data"].as_array().unwrap().len()
        }
    };
    assert_eq!(count("appointments", ada.clone()).await, 2);
    assert_eq!(count("appointments", twin.clone()).await, 0);
    assert_eq!(count("patient_visits", ada.clone()).await, 1);
    assert_eq!(
        s.shows("patient_visits", &visit).await["patient_id"],
        twin.as_str(),
        "the record keeps its patient"
    );
    s.hears("patient.unmerged", &ada, merge).await;
    assert_eq!((count("appointments", ada).await, count("appointments", twin).await), (1, 1));
    assert_eq!(s.shows("appointments", &hers).await["version"], 1, "the survivor's own was never touched");
}
