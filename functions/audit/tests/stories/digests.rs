//! AUD-4: days are sealed, once each, and a change is proved to have been in its day.

use crate::stage::Stage;
use serde_json::{Value, json};
use store::chain::{Step, holds};
use web::files::Bucket;

#[tokio::test]
async fn a_day_is_sealed_the_next_night_once_and_names_the_day_before() {
    let s = Stage::set().await;
    s.versions("Ada", "0803 123 4567", 3).await;
    s.nurse.get("/v1/patients/pat_01J00000000000000000000000").await.missing();
    s.night("2026-05-05").await;
    let first = s.auditor.get("/v1/audit/digests/2026-05-04").await.ok();
    assert_eq!(
        (&first["status"], &first["access"]["count"]),
        (&json!("sealed"), &json!(2)),
        "asked for, refused"
    );
    assert_eq!(first["changes"]["count"], 4, "three of the patient, one of the day itself");
    s.night("2026-05-06").await;
    let second = s.auditor.get("/v1/audit/digests/2026-05-05").await.ok();
    assert_eq!(second["prev"], first["hash"]);
    assert_eq!(second["mismatches"], json!([]));
    let files = s.world.files.keys(Bucket::Digests);
    s.world.ring().await;
    assert_eq!(files, s.world.files.keys(Bucket::Digests), "rung again, nothing happens");
    let month = s.auditor.get("/v1/audit/digests?month=2026-05").await.ok();
    let days: Vec<&Value> = month["data"].as_array().unwrap().iter().map(|d| &d["day"]).collect();
    assert_eq!(days, ["2026-05-04", "2026-05-05", "2026-05-06"]);
    s.auditor.get("/v1/audit/digests/2026-04-01").await.missing();
    s.desk.get("/v1/audit/digests/2026-05-04").await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_run_that_died_after_its_signature_goes_on_from_what_lies_there() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    s.anchors().await;
    s.at("2026-05-05T00:21:00Z");
    let id = s.auditor.get("/v1/audit/digests").await.ok()["data"][0]["id"].clone();
    let message = json!({"type": "due.dig.seal", "tenant": s.grace.id.prefix(), "id": id, "at": ""});
    // The record's commit fails for good; the signed file stays.
    let key = format!("audit/{}/2026-05-04/digest.json", s.grace.id.prefix());
    s.world.hand_over_other(&message).await;
    let bytes = s.world.files.get(&format!("memory:digests/{key}")).unwrap();
    s.world.hand_over_other(&message).await;
    assert_eq!(s.world.files.get(&format!("memory:digests/{key}")).unwrap(), bytes);
    let sealed: Vec<String> =
        s.world.events().await.into_iter().filter(|e| e.kind == "digest.sealed").map(|e| e.id).collect();
    assert_eq!(sealed.len(), 1);
}

#[tokio::test]
async fn anchors_delivered_twice_and_out_of_order_change_nothing() {
    let s = Stage::set().await;
    s.versions("Ada", "0803 123 4567", 3).await;
    let mut changes = s.changes().await;
    let all: Vec<Value> = dispatch::anchor::messages(changes.iter());
    changes.reverse();
    for message in dispatch::anchor::messages(changes.iter()).iter().chain(&all).chain(&all) {
        s.world.hand_over_other(message).await;
    }
    s.night("2026-05-05").await;
    let day = s.auditor.get("/v1/audit/digests/2026-05-04").await.ok();
    assert_eq!((&day["changes"]["count"], &day["mismatches"]), (&json!(4), &json!([])));
}

#[tokio::test]
async fn what_is_anchored_after_its_day_was_sealed_is_late_and_not_broken() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    s.anchors().await;
    let bo = s.patient("Bo", "0803 123 4568").await;
    s.at("2026-05-05T00:21:00Z");
    s.world.ring().await;
    let open = s.auditor.get("/v1/audit/digests/2026-05-04").await.ok();
    assert_eq!(open["status"], "open", "anchors are awaited for a while");
    s.at("2026-05-05T03:00:00Z");
    s.world.ring().await;
    let day = s.auditor.get("/v1/audit/digests/2026-05-04").await.ok();
    assert_eq!(day["mismatches"][0]["finding"], "inserted");
    s.night("2026-05-06").await;
    let next = s.auditor.get("/v1/audit/digests/2026-05-05").await.ok();
    let late: Vec<(&Value, &Value)> =
        next["mismatches"].as_array().unwrap().iter().map(|m| (&m["finding"], &m["record"])).collect();
    assert_eq!(late, [(&json!("late"), &json!(bo))]);
}

#[tokio::test]
async fn the_sibling_hashes_lead_from_a_change_to_the_signed_root() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 5).await;
    let path = format!("/v1/audit/changes/{ada}/3/proof");
    s.anchors().await;
    s.auditor.get(&path).await.refused(409, "not-sealed-yet");
    s.night("2026-05-05").await;
    let proof = s.auditor.get(&path).await.ok();
    let steps: Vec<Step> = serde_json::from_value(proof["siblings"].clone()).unwrap();
    let word = |name: &str| proof[name].as_str().unwrap();
    assert!(holds(word("hash"), &steps, word("root")));
    assert!(!holds(word("root"), &steps, word("root")));
    let sealed: store::chain::Sealed = serde_json::from_value(proof["sealed"].clone()).unwrap();
    assert_eq!(sealed.digest.changes.root, word("root"));
    let keys = s.auditor.get("/v1/audit/keys").await.ok();
    assert_eq!(keys["data"][0]["key_id"], sealed.key_id.as_str());
    for odd in ["99", "0", "x"] {
        s.auditor.get(&format!("/v1/audit/changes/{ada}/{odd}/proof")).await.missing();
    }
}

#[tokio::test]
async fn a_closed_organisation_gets_its_last_digest_and_then_nothing() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    s.anchors().await;
    s.grace.change_gate(|gate| gate.status = web::gate::Status::Closed).await;
    s.at("2026-05-05T00:21:00Z");
    s.world.ring().await;
    s.at("2026-05-07T00:21:00Z");
    assert!(!s.world.ring().await.contains(&"due.dig.seal".to_string()));
}

#[tokio::test]
async fn every_sunday_the_week_is_verified_and_what_is_broken_is_told_once() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    for day in 5..=9 {
        s.night(&format!("2026-05-{day:02}")).await;
    }
    s.remove(&format!("chg#pat#{ada}"), "v#0000000002").await;
    s.night("2026-05-10").await;
    let page = s.auditor.get("/v1/audit/verifications").await.ok();
    let runs = page["data"].as_array().unwrap();
    let run = runs.iter().find(|run| run["part"].is_null()).expect("the week's");
    assert_eq!((&run["requested_by"], &run["status"]), (&json!("system:audit"), &json!("broken")), "{run:#}");
    assert_eq!(run["first_broken"]["finding"], "deleted");
    let told = s.world.events().await.iter().filter(|e| e.kind == "audit_chain.broken").count();
    // The night's thirtieth may hold the same record.
    assert_eq!(told, runs.iter().filter(|run| run["status"] == "broken").count());
}
