//! Opening a record that one does not reach. IDN-8

use crate::support::*;
use jiff::SignedDuration;
use kernel::PatientId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use store::{Entity, List, Record, facts};
use testkit::World;
use web::{Actor, Module, Noun, Reach};

/// A patient whom nobody reaches, so that only the glass is between.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Chart {
    note: String,
}
impl Entity for Chart {
    type Id = PatientId;
    const NOUN: &'static str = "patient";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}
impl Noun for Chart {
    const BREAK_GLASS: bool = true;
    fn within(_: &Record<Self>, _: Reach, _: &Actor) -> bool {
        false
    }
}

/// Well formed, and nobody's.
const OTHER: &str = "pat_01J00000000000000000000000";
const WHY: &str = "unconscious in the corridor, allergies unknown";

#[tokio::test]
async fn a_nurse_opens_an_unassigned_patient_and_answers_for_it() {
    let pool = Arc::new(Pool::default());
    let charts = Module::new("patients", web::noun::reading::<Chart>("/v1/patients", "patient.view"));
    let world = World::with(vec![identity::module(pool), charts]).await;
    let grace = world.hospital("grace").await;
    let store = grace.store().await;
    let chart = Record::new(world.clock.now(), Chart { note: "penicillin".into() });
    let fact = json!({"live": true, "site": grace.sites[0]});
    store.commit().create(&chart).fact(facts::PATIENT, chart.id, &fact).run().await.unwrap();
    let path = format!("/v1/patients/{}", chart.id);
    let nurse = grace.staff("nurse");
    let closed = nurse.get(&path).await.refused(403, "no-reach");
    assert_eq!(closed["break_glass"], true);

    let open = |record: String, reason: &str| {
        let body = json!({"record": record, "reason_code": "emergency", "reason": reason});
        nurse.call("POST", "/v1/identity/break-glass").body(body)
    };
    open(chart.id.to_string(), "quick").send().await.refused(400, "validation");
    open("doc_01J00000000000000000000000".into(), WHY).send().await.refused(403, "no-break-glass");
    open(OTHER.into(), WHY).send().await.missing();
    let glass = open(chart.id.to_string(), WHY).send().await.created();
    let id = glass["id"].as_str().unwrap();
    let through = |actor: &testkit::Actor| {
        let (actor, path, id) = (actor.clone(), path.clone(), id.to_string());
        async move { actor.call("GET", &path).header("x-break-glass", &id).send().await }
    };
    assert_eq!(through(&nurse).await.ok()["note"], "penicillin");
    through(&grace.staff("nurse")).await.refused(403, "no-reach");
    assert!(world.deliver().await.contains(&"break_glass.used".into()));

    world.clock.advance(SignedDuration::from_hours(4));
    through(&nurse).await.refused(403, "no-reach");
    assert!(world.ring().await.contains(&"due.brk.end".into()));
    let quality = grace.staff("quality");
    let one = format!("/v1/identity/break-glass/{id}");
    assert_eq!(quality.get("/v1/identity/break-glass?status=closed").await.ok()["data"][0]["id"], id);
    world.clock.advance(SignedDuration::from_hours(68));
    assert!(world.ring().await.contains(&"due.brk.review".into()));
    assert_eq!(quality.get(&one).await.ok()["escalations"], 1);
    assert!(world.ring().await.is_empty(), "tomorrow again, not now");
    nurse.post(&format!("{one}/review"), json!({"outcome": "justified"})).await.refused(403, "forbidden");
    let reviewed = quality
        .post(&format!("{one}/review"), json!({"outcome": "unjustified", "note": "was not on shift"}))
        .await
        .ok();
    assert_eq!(
        (&reviewed["status"], &reviewed["review"]["outcome"]),
        (&json!("reviewed"), &json!("unjustified"))
    );
    world.clock.advance(SignedDuration::from_hours(48));
    assert!(world.ring().await.is_empty());
    assert!(world.deliver().await.contains(&"break_glass.reviewed".into()));
}

#[tokio::test]
async fn who_breaks_the_glass_does_not_review_it_and_may_close_it() {
    let scene = scene().await;
    let store = scene.grace.store().await;
    let patient: PatientId = OTHER.parse().unwrap();
    store.commit().fact(facts::PATIENT, patient, &json!({"live": true})).run().await.unwrap();
    let both = scene.grace.staff("doctor quality");
    let body = json!({"record": patient, "reason_code": "cover", "reason": WHY});
    let glass = both.post("/v1/identity/break-glass", body.clone()).await.created();
    let one = format!("/v1/identity/break-glass/{}", glass["id"].as_str().unwrap());
    both.post(&format!("{one}/close"), json!({})).await.ok();
    both.post(&format!("{one}/close"), json!({})).await.refused(422, "state");
    both.post(&format!("{one}/review"), json!({"outcome": "justified"})).await.refused(403, "own-request");
    let fact = scene.grace.dump().await;
    assert!(!fact.contains("#fact#glass#"), "closing takes the fact away");
    scene.grace.staff("receptionist").post("/v1/identity/break-glass", body).await.refused(403, "forbidden");
}

/// Whoever is kept from cases by their role reads one by broken glass alone; patients are clinicians' to open.
#[tokio::test]
async fn who_runs_a_programme_opens_a_case_so_and_no_patient() {
    let scene = scene().await;
    let store = scene.grace.store().await;
    let (patient, case) = (OTHER, OTHER.replace("pat_", "ecs_"));
    let there = store.commit().fact(facts::PATIENT, patient, &json!({"live": true}));
    there.fact(facts::EAP_CASE, &case, &json!({})).run().await.unwrap();
    let body = |record: &str| json!({"record": record, "reason_code": "other", "reason": WHY});
    for role in ["tenant_admin", "finance", "auditor"] {
        let who = scene.grace.staff(role);
        who.post("/v1/identity/break-glass", body(patient)).await.refused(403, "no-break-glass");
        let glass = who.post("/v1/identity/break-glass", body(&case)).await.created();
        let one = format!("/v1/identity/break-glass/{}", glass["id"].as_str().unwrap());
        assert_eq!(who.get(&one).await.ok()["record"], case);
        who.post(&format!("{one}/close"), json!({})).await.ok();
        let reviewer = scene.grace.staff("tenant_admin");
        let waiting = reviewer.get("/v1/identity/break-glass?status=closed").await.ok();
        assert_eq!(waiting["data"][0]["id"], glass["id"]);
        reviewer.post(&format!("{one}/review"), json!({"outcome": "justified"})).await.ok();
    }
    let doctor = scene.grace.staff("doctor");
    doctor.post("/v1/identity/break-glass", body(&case)).await.refused(403, "no-break-glass");
    scene
        .grace
        .staff("eap_provider")
        .post("/v1/identity/break-glass", body(&case))
        .await
        .refused(403, "forbidden");
}
