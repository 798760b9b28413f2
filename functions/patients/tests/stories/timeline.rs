//! PAT-5: what has happened with a patient.

use crate::desk::{self, event, hospital, id_at, ngozi, person, registered, with};
use events::Envelope;
use serde_json::{Value, json};
use testkit::{Actor, Tenant};

/// A visit, a note, a prescription, a result, an admission, a document: six records, ten events.
fn story(grace: &Tenant, patient: &str) -> Vec<Envelope> {
    let mut all = vec![];
    let mut tell = |kind: &str, at: &str, events: &[&str]| {
        let record = id_at(kind, at);
        for (n, name) in events.iter().enumerate() {
            let version = n as u64 + 1;
            let data =
                with(json!({"patient": patient, "codes": ["B54"], "practitioner": "prc_1"}), json!({}));
            let later = format!("{}{:02}Z", &at[..17], n + 1);
            all.push(event(grace, name, &record, version, &later, data));
        }
    };
    tell("pvi", "2026-11-20T09:00:00Z", &["patient_visit.checked_in", "patient_visit.completed"]);
    tell("enc", "2026-11-20T09:10:00Z", &["encounter.started", "encounter.signed"]);
    tell("rxp", "2026-11-20T09:20:00Z", &["prescription.issued", "prescription.dispensed"]);
    tell("lrs", "2026-11-20T09:30:00Z", &["lab_result.approved", "lab_result.released"]);
    tell("adm", "2026-11-20T09:40:00Z", &["admission.admitted"]);
    tell("doc", "2026-11-20T09:50:00Z", &["document.received"]);
    all
}

async fn read(reader: &Actor, patient: &str, query: &str) -> Vec<(String, String)> {
    let page = reader.get(&format!("/v1/patients/{patient}/timeline{query}")).await.ok();
    let text = |v: &Value| v.as_str().unwrap().to_string();
    page["data"].as_array().unwrap().iter().map(|m| (text(&m["type"]), text(&m["status"]))).collect()
}

#[tokio::test]
async fn six_records_are_six_entries_in_the_order_of_time_however_their_events_come() {
    let (world, grace) = hospital().await;
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let doctor = grace.staff("doctor");
    let wanted = [
        ("document", "received"),
        ("admission", "admitted"),
        ("lab_result", "released"),
        ("prescription", "dispensed"),
        ("note", "signed"),
        ("visit", "completed"),
    ]
    .map(|(a, b)| (a.to_string(), b.to_string()));
    let told = story(&grace, &patient);
    for backwards in told.iter().rev() {
        world.hand_over(backwards).await;
    }
    assert_eq!(read(&doctor, &patient, "").await, wanted);
    let before = (grace.dump().await, doctor.get(&format!("/v1/patients/{patient}")).await.ok());
    for again in told.iter().chain(told.iter().rev()) {
        world.hand_over(again).await;
    }
    assert_eq!(read(&doctor, &patient, "").await, wanted);
    assert_eq!(
        (grace.dump().await, doctor.get(&format!("/v1/patients/{patient}")).await.ok()),
        before,
        "replays change nothing"
    );
}

#[tokio::test]
async fn whatever_is_heard_of_a_patient_leaves_one_entry_however_often_it_is_told() {
    let (world, grace) = hospital().await;
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let heard: Vec<&str> = world.modules[0].reactions.iter().map(|r| r.event).collect();
    let heard: Vec<&str> = heard.into_iter().filter(|event| !event.starts_with("rule.")).collect();
    for (n, name) in heard.iter().enumerate() {
        let at = format!("2026-11-20T10:{n:02}:00Z");
        let told =
            event(&grace, name, &id_at("enc", &at), 1, &at, json!({"patient": patient, "codes": ["B54"]}));
        world.hand_over(&told).await;
        world.hand_over(&told).await;
    }
    let all = world.scan().await;
    let entries =
        all.iter().filter(|item| item["pk"].as_str().is_some_and(|pk| pk.contains("#tml#"))).count();
    assert_eq!(entries, heard.len(), "{heard:?}");
}

#[tokio::test]
async fn the_timeline_is_read_by_pages_types_and_times_in_one_round() {
    let (world, grace) = hospital().await;
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let doctor = grace.staff("doctor");
    for told in story(&grace, &patient) {
        world.hand_over(&told).await;
    }
    world.rounds();
    assert_eq!(read(&doctor, &patient, "").await.len(), 6);
    world.spends(desk::budget("timeline.list"), "a page");
    assert_eq!(read(&doctor, &patient, "?type=note").await.len(), 1);
    assert_eq!(read(&doctor, &patient, "?from=2026-11-20T09:20:00Z&to=2026-11-20T09:40:00Z").await.len(), 3);
    let path = format!("/v1/patients/{patient}/timeline?limit=4");
    let first = doctor.get(&path).await.ok();
    let cursor = first["next"].as_str().expect("a cursor");
    assert!(!cursor.contains("2026"), "cursors are opaque");
    let rest = doctor.get(&format!("{path}&cursor={cursor}")).await.ok();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
    let other =
        registered(&grace.staff("receptionist"), person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    doctor.get(&format!("/v1/patients/{other}/timeline?cursor={cursor}")).await.refused(400, "validation");
}

#[tokio::test]
async fn the_desk_sees_headings_and_an_auditor_gives_a_reason() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let patient = registered(&desk, ngozi()).await;
    for told in story(&grace, &patient) {
        world.hand_over(&told).await;
    }
    let path = format!("/v1/patients/{patient}/timeline");
    let heading = desk.get(&path).await.ok()["data"][4].clone();
    assert_eq!(
        (heading["type"].as_str(), heading.get("codes"), heading.get("practitioner")),
        (Some("note"), None, None)
    );
    assert_eq!(grace.staff("doctor").get(&path).await.ok()["data"][4]["codes"], json!(["B54"]));
    let auditor = grace.staff("auditor");
    auditor.get(&path).await.refused(403, "reason-required");
    world.letters.take(web::Queue::Access);
    auditor.call("GET", &path).because("complaint 12").send().await.ok();
    let looked = world.letters.take(web::Queue::Access);
    assert_eq!((&looked[0]["action"], &looked[0]["ids"]), (&json!("timeline.list"), &json!([patient])));
    grace.staff("cashier").get(&path).await.refused(403, "forbidden");
}

#[tokio::test]
async fn an_event_without_a_patient_of_ours_is_done_with() {
    let (world, grace) = hospital().await;
    let at = "2026-11-20T09:00:00Z";
    let stranger = json!({"patient": "pat_01J00000000000000000000000"});
    world.hand_over(&event(&grace, "encounter.started", &id_at("enc", at), 1, at, stranger)).await;
    world.hand_over(&event(&grace, "encounter.started", &id_at("enc", at), 1, at, json!({}))).await;
}
