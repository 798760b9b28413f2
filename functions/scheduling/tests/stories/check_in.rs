//! SCH-2: check-in, tokens, what is refused at the desk.

use crate::stage::{Stage, id};
use serde_json::json;

const NINE: &str = "2026-11-23T08:00:00Z";

#[tokio::test]
async fn a_walk_in_gets_the_next_token_and_a_ticket_without_a_name() {
    let s = Stage::set().await;
    let (ada, bo) = (s.patient().await, s.patient().await);
    let mut body = s.arrival(&ada);
    body["purpose"] = "a cough that does not go".into();
    let first = s.desk.post("/v1/scheduling/patient_visits", body).await.created();
    assert_eq!(
        (&first["token"], &first["label"], &first["position"]),
        (&json!(1), &json!("A-001"), &json!(1))
    );
    assert_eq!((&first["class"], &first["status"]), (&json!("walk_in"), &json!("waiting")));
    assert_eq!(first["estimate"]["minutes"], 0);
    assert_eq!(first["ticket"]["token"], "A-001");
    assert_eq!(
        first["ticket"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["checked_in_at", "practitioner", "room", "token"]
    );
    let second = s.checks_in(&bo).await;
    assert_eq!((&second["token"], &second["position"]), (&json!(2), &json!(2)));
    assert_eq!(
        second["estimate"]["minutes"], 15,
        "one ahead, and the slot's length while the pace is unknown"
    );
    assert_eq!(first["queue_id"], second["queue_id"]);
    assert!(!s.grace.dump().await.contains("a cough"), "the purpose lies sealed");
    assert_eq!(s.events_of(&first).await, ["patient_visit.checked_in"]);
}

#[tokio::test]
async fn an_appointment_arrives_with_its_patient() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, NINE).await;
    s.at("2026-11-23T07:30:00Z");
    let visit = s.arrives(&ada, &booked).await;
    assert_eq!((&visit["class"], &visit["appointment_id"]), (&json!("appointment"), &booked["id"]));
    assert_eq!(visit["eligible_at"], "2026-11-23T07:45:00Z", "a quarter of an hour before its time");
    let arrived = s.shows("appointments", &booked).await;
    assert_eq!((&arrived["status"], &arrived["token_number"]), (&json!("arrived"), &json!(1)));
    assert_eq!(arrived["patient_visit_id"], visit["id"]);
    s.gives(&s.desk, "appointments", &booked, "cancel", json!({"code": "patient"}))
        .await
        .refused(409, "already-arrived");
    let to = json!({"start": "2026-11-23T10:00:00Z", "reason": "x"});
    s.gives(&s.desk, "appointments", &booked, "reschedule", to).await.refused(409, "already-arrived");
}

/// Without naming the practitioner: the appointment knows.
#[tokio::test]
async fn an_appointment_alone_says_whom_it_is_with() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, NINE).await;
    let body =
        json!({"patient_id": ada, "site": s.site, "visit_type": "routine", "appointment_id": booked["id"]});
    let visit = s.desk.post("/v1/scheduling/patient_visits", body).await.created();
    assert_eq!(visit["practitioner_id"], s.prc.as_str());
}

#[tokio::test]
async fn whoever_comes_late_waits_as_a_walk_in_and_a_no_show_may_still_come() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (ada, bo) = (s.patient().await, s.patient().await);
    let (hers, his) = (s.books(&ada, NINE).await, s.books(&bo, "2026-11-23T08:15:00Z").await);
    s.at("2026-11-23T08:14:00Z");
    assert_eq!(s.arrives(&ada, &hers).await["class"], "appointment");
    s.at("2026-11-23T09:30:00Z");
    // One due date at a time: the reminder that nobody rang for is passed over first.
    s.world.ring().await;
    s.world.ring().await;
    assert_eq!(s.shows("appointments", &his).await["status"], "no_show");
    assert_eq!(s.arrives(&bo, &his).await["class"], "walk_in");
    assert_eq!(s.shows("appointments", &his).await["status"], "arrived");
}

#[tokio::test]
async fn the_same_patient_is_not_checked_in_twice_but_may_come_again_later() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let first = s.checks_in(&ada).await;
    let refused = s
        .desk
        .post("/v1/scheduling/patient_visits", s.arrival(&ada))
        .await
        .refused(409, "already-checked-in");
    assert_eq!((&refused["visit"], &refused["token"]), (&first["id"], &json!("A-001")));
    s.gives(&s.desk, "patient_visits", &first, "left", json!({})).await.ok();
    assert_eq!(s.checks_in(&ada).await["token"], 2, "the first token stays used");
}

#[tokio::test]
async fn an_appointment_of_another_day_site_patient_or_state_is_refused() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (ada, bo) = (s.patient().await, s.patient().await);
    let tomorrow = s.books(&ada, "2026-11-24T08:00:00Z").await;
    let today = s.books(&ada, NINE).await;
    let gone = s.books(&ada, "2026-11-23T09:00:00Z").await;
    s.gives(&s.desk, "appointments", &gone, "cancel", json!({"code": "patient"})).await.ok();
    let arrive = |patient: &str, appointment: &serde_json::Value, site: String| {
        let mut body = s.arrival(patient);
        body["appointment_id"] = appointment["id"].clone();
        body["site"] = site.into();
        s.desk.post("/v1/scheduling/patient_visits", body)
    };
    let here = || s.site.clone();
    arrive(&ada, &tomorrow, here()).await.refused(422, "not-today");
    arrive(&ada, &today, s.grace.sites[1].to_string()).await.refused(422, "other-site");
    arrive(&ada, &gone, here()).await.refused(409, "appointment-cancelled");
    arrive(&bo, &today, here()).await.refused(422, "other-patient");
    let nobody = json!({"id": "apt_01ARZ3NDEKTSV4RRFFQ69G5FAV"});
    arrive(&ada, &nobody, here()).await.refused(422, "unknown-appointment");
    assert_eq!(s.arrives(&ada, &today).await["token"], 1, "none of these used a number");
}

#[tokio::test]
async fn children_elders_and_flagged_patients_go_first() {
    let s = Stage::set().await;
    let (child, elder, adult) = (
        s.patient_born("2022-01-01").await,
        s.patient_born("1961-11-23").await,
        s.patient_born("1961-11-24").await,
    );
    let expecting = s.patient_born("1995-06-01").await;
    let flags = json!({"codes": ["pregnant"]});
    s.grace.store().await.commit().fact(store::facts::FLAGS, &expecting, &flags).run().await.unwrap();
    assert_eq!(s.checks_in(&child).await["class"], "priority");
    assert_eq!(s.checks_in(&elder).await["class"], "priority", "65 today");
    assert_eq!(s.checks_in(&adult).await["class"], "walk_in", "65 tomorrow");
    assert_eq!(s.checks_in(&expecting).await["class"], "priority");
}

/// VET-3: only where vetting is part of the plan.
#[tokio::test]
async fn a_practitioner_who_is_not_cleared_is_neither_booked_nor_checked_in_to() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let vetted = |g: &mut web::gate::TenantGate| {
        g.licensed.push("compliance".into());
        g.on.push("compliance".into());
    };
    s.grace.change_gate(vetted).await;
    let ada = s.patient().await;
    s.desk.post("/v1/scheduling/appointments", s.booking(&ada, NINE)).await.refused(422, "not-cleared");
    s.desk.post("/v1/scheduling/patient_visits", s.arrival(&ada)).await.refused(422, "not-cleared");
    let fact = json!({"roster_until": "2027-01-01"});
    s.grace.store().await.commit().fact(store::facts::CLEARED, s.doctor.user(), &fact).run().await.unwrap();
    s.books(&ada, NINE).await;
    assert_eq!(s.checks_in(&ada).await["token"], 1);
}

/// A site in another zone than its organisation has its own local day.
#[tokio::test]
async fn a_queue_belongs_to_the_sites_local_day() {
    let s = Stage::set().await;
    let auckland =
        json!({"open": true, "code": "NZ", "path": "/NZ", "time_zone": "Pacific/Auckland", "name": "NZ"});
    s.grace.store().await.commit().fact(store::facts::SITE, s.grace.sites[1], &auckland).run().await.unwrap();
    s.at("2026-11-23T12:00:00Z");
    let mut body = s.arrival(&s.patient().await);
    body["site"] = s.grace.sites[1].to_string().into();
    let visit = s.desk.post("/v1/scheduling/patient_visits", body).await.created();
    assert_eq!(visit["visit_date"], "2026-11-24");
    let queue = s.shows("queues", &visit["queue_id"]).await;
    assert_eq!((&queue["date"], &queue["ends_at"]), (&json!("2026-11-24"), &json!("2026-11-24T10:59:00Z")));
}

#[tokio::test]
async fn a_lost_answer_gives_no_second_token() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let ask = || s.desk.call("POST", "/v1/scheduling/patient_visits").key("k-1").body(s.arrival(&ada)).send();
    let first = ask().await;
    let again = ask().await;
    assert_eq!((first.status, again.status, &first.bytes), (201, 201, &again.bytes));
    assert_eq!(s.checks_in(&s.patient().await).await["token"], 2);
    assert!(id(&first.body).starts_with("pvi_"));
}
