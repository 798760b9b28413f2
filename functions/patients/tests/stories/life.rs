//! PAT-4: what becomes of a patient.

use crate::desk::{self, event, hospital, id_at, ngozi, registered};
use serde_json::{Value, json};
use store::facts;
use testkit::{Actor, Tenant, World};

struct Stay {
    world: World,
    grace: Tenant,
    desk: Actor,
    patient: String,
}

impl Stay {
    async fn begin() -> Self {
        let (world, grace) = hospital().await;
        world.clock.set("2026-11-20T08:00:00Z".parse().unwrap());
        let desk = grace.staff("receptionist");
        let patient = registered(&desk, ngozi()).await;
        Self { world, grace, desk, patient }
    }
    /// Something happens elsewhere, and the register hears of it.
    async fn hears(&self, kind: &str, record: &str, at: &str, more: Value) {
        let data = desk::with(json!({"patient": self.patient}), more);
        self.world.hand_over(&event(&self.grace, kind, record, 1, at, data)).await;
    }
    async fn now(&self) -> (String, bool) {
        let shown =
            self.grace.staff("tenant_admin").get(&format!("/v1/patients/{}", self.patient)).await.ok();
        (shown["status"].as_str().unwrap().into(), shown["inpatient"].as_bool().unwrap())
    }
    async fn fact(&self) -> Value {
        self.grace.store().await.fact::<Value>(facts::PATIENT, &self.patient).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_patients_way_through_the_house_moves_the_status_and_late_news_never_moves_it_back() {
    let stay = Stay::begin().await;
    let now =
        async |status: &str, inpatient: bool| assert_eq!(stay.now().await, (status.to_string(), inpatient));
    stay.hears(
        "patient_visit.checked_in",
        &id_at("pvi", "2026-11-20T09:00:00Z"),
        "2026-11-20T09:00:00Z",
        json!({}),
    )
    .await;
    now("registered", false).await;
    stay.hears("encounter.started", &id_at("enc", "2026-11-20T09:10:00Z"), "2026-11-20T09:10:00Z", json!({}))
        .await;
    now("in_diagnosis", false).await;
    let bed = id_at("adm", "2026-11-20T10:00:00Z");
    stay.hears("admission.admitted", &bed, "2026-11-20T10:00:00Z", json!({})).await;
    now("treatment", true).await;
    assert_eq!(stay.fact().await["status"], "treatment");
    // An older encounter is heard of only now; a signed note cannot discharge somebody who lies in a bed.
    stay.hears("encounter.started", &id_at("enc", "2026-11-20T09:30:00Z"), "2026-11-20T09:30:00Z", json!({}))
        .await;
    stay.hears(
        "encounter.signed",
        &id_at("enc", "2026-11-20T10:30:00Z"),
        "2026-11-20T10:30:00Z",
        json!({"outcome": "discharged"}),
    )
    .await;
    now("treatment", true).await;
    stay.hears("admission.discharged", &bed, "2026-11-21T10:00:00Z", json!({})).await;
    now("discharged", false).await;
    stay.hears(
        "prescription.issued",
        &id_at("rxp", "2026-11-20T11:00:00Z"),
        "2026-11-20T11:00:00Z",
        json!({}),
    )
    .await;
    stay.hears("admission.admitted", &bed, "2026-11-20T10:00:00Z", json!({})).await;
    now("discharged", false).await;
    let again = id_at("adm", "2026-11-22T10:00:00Z");
    stay.hears("admission.admitted", &again, "2026-11-22T10:00:00Z", json!({})).await;
    stay.hears("admission.died", &again, "2026-11-23T10:00:00Z", json!({"at": "2026-11-23T09:50:00Z"})).await;
    now("deceased", false).await;
    let fact = stay.fact().await;
    assert_eq!((&fact["live"], &fact["status"]), (&json!(false), &json!("deceased")));
    let died: Value = stay.grace.store().await.fact(facts::DECEASED, &stay.patient).await.unwrap().unwrap();
    assert_eq!(died["at"], "2026-11-23T09:50:00Z");
    stay.hears("encounter.started", &id_at("enc", "2026-11-24T09:30:00Z"), "2026-11-24T09:30:00Z", json!({}))
        .await;
    now("deceased", false).await;
    assert!(stay.world.events().await.iter().any(|e| e.kind == "patient.deceased"));
}

#[tokio::test]
async fn a_doctor_discharges_whom_no_bed_holds() {
    let stay = Stay::begin().await;
    let doctor = stay.grace.staff("doctor");
    let path = format!("/v1/patients/{}/discharge", stay.patient);
    doctor.post(&path, json!({})).await.refused(422, "state");
    stay.hears("encounter.started", &id_at("enc", "2026-11-20T09:10:00Z"), "2026-11-20T09:10:00Z", json!({}))
        .await;
    stay.desk.post(&path, json!({})).await.refused(403, "forbidden");
    stay.hears(
        "admission.admitted",
        &id_at("adm", "2026-11-20T09:20:00Z"),
        "2026-11-20T09:20:00Z",
        json!({}),
    )
    .await;
    doctor.post(&path, json!({})).await.refused(409, "still-admitted");
    stay.hears(
        "admission.discharged",
        &id_at("adm", "2026-11-20T09:20:00Z"),
        "2026-11-20T09:40:00Z",
        json!({}),
    )
    .await;
    stay.world.clock.set("2026-11-20T10:00:00Z".parse().unwrap());
    stay.hears("encounter.started", &id_at("enc", "2026-11-20T09:50:00Z"), "2026-11-20T09:50:00Z", json!({}))
        .await;
    let done = doctor.post(&path, json!({})).await.ok();
    assert_eq!(done["status"], "discharged");
    assert_eq!(stay.world.events().await.last().unwrap().kind, "patient.discharged");
}

#[tokio::test]
async fn a_death_is_recorded_with_a_reason_and_by_reception_with_the_certificate_only() {
    let stay = Stay::begin().await;
    stay.world.clock.set("2026-11-20T12:00:00Z".parse().unwrap());
    let path = format!("/v1/patients/{}/deceased", stay.patient);
    let death = json!({"at": "2026-11-20T11:00:00Z", "precision": "minute", "source": "clinician", "cause_code": "I21.9", "reason": "found dead"});
    let doctor = stay.grace.staff("doctor");
    stay.grace.staff("nurse").post(&path, death.clone()).await.refused(403, "forbidden");
    stay.desk.post(&path, death.clone()).await.refused(422, "certificate-required");
    doctor
        .post(&path, desk::with(death.clone(), json!({"reason": null})))
        .await
        .refused(422, "reason-required");
    doctor
        .post(&path, desk::with(death.clone(), json!({"at": "2027-01-01T00:00:00Z"})))
        .await
        .refused(422, "invalid-date");
    let dead = doctor.post(&path, death.clone()).await.ok();
    assert_eq!(
        (&dead["status"], &dead["deceased"]["former_status"]),
        (&json!("deceased"), &json!("registered"))
    );
    assert!(!stay.grace.dump().await.contains("I21.9"), "the cause is sealed");
    doctor.post(&path, death).await.refused(409, "patient-deceased");
    stay.desk
        .patch(&format!("/v1/patients/{}", stay.patient), json!({"phones": []}))
        .await
        .refused(409, "patient-deceased");
    let allergies = format!("/v1/patients/{}/allergies", stay.patient);
    let allergy = json!({"substance": {"system": "text", "text": "dust"}, "category": "environment"});
    doctor.post(&allergies, allergy).await.refused(409, "patient-deceased");
    let kin = json!({"name": "Emeka", "relationship": "spouse"});
    stay.desk.post(&format!("/v1/patients/{}/related_persons", stay.patient), kin).await.created();
    assert_eq!(stay.fact().await["live"], false);

    // Somebody was mistaken: two administrators bring the patient back.
    let (one, two) = (stay.grace.staff("tenant_admin"), stay.grace.staff("tenant_admin"));
    stay.grace.present(&one).await;
    let reverse = format!("/v1/patients/{}/reverse_death", stay.patient);
    one.post(&reverse, json!({})).await.refused(422, "reason-required");
    let asked =
        one.post(&reverse, json!({"reason": "the wrong record"})).await.refused(428, "approval-required");
    let approval = format!("/v1/patients/approvals/{}", asked["approval"].as_str().unwrap());
    one.post(&format!("{approval}/approve"), json!({})).await.refused(403, "own-request");
    assert_eq!(stay.fact().await["live"], false, "nothing has happened yet");
    let back = two.post(&format!("{approval}/approve"), json!({})).await.ok();
    assert_eq!((&back["status"], back.get("deceased")), (&json!("registered"), None));
    assert_eq!(stay.fact().await["live"], true);
    assert!(stay.grace.store().await.fact::<Value>(facts::DECEASED, &stay.patient).await.unwrap().is_none());
    two.post(&format!("{approval}/approve"), json!({})).await.refused(409, "already-decided");
}

#[tokio::test]
async fn a_rule_sets_a_field_of_the_organisations_own_and_no_other() {
    let stay = Stay::begin().await;
    let id = |kind: &str, n: u8| format!("{kind}_01ARZ3NDEKTSV4RRFFQ69G5FA{n}");
    let wish = |n: u8, field: &str, value: Value| {
        let data = json!({
            "rule": id("wfr", 1), "firing": id("frn", n), "action": id("wfa", n), "owner": stay.desk.user(),
            "noun": "patient", "record": stay.patient, "field": field, "value": value,
        });
        event(&stay.grace, "rule.field_requested", &id("wfa", n), 1, "2026-11-20T10:00:00Z", data)
    };
    let good = wish(2, "custom.vip", json!(true));
    stay.world.hand_over(&good).await;
    stay.world.hand_over(&good).await;
    stay.world.hand_over(&wish(3, "family_name", json!("Bello"))).await;
    stay.world.hand_over(&wish(4, "custom.vip", json!(true))).await;
    let patient = stay.desk.get(&format!("/v1/patients/{}", stay.patient)).await.ok();
    assert_eq!((&patient["custom"], &patient["family_name"]), (&json!({"vip": true}), &json!("Okonkwo")));
    let history = stay.desk.get(&format!("/v1/patients/{}/history", stay.patient)).await.ok();
    let last = &history["data"][0];
    assert_eq!(
        (&last["by"], &last["action"]),
        (&json!(format!("rule:{}", id("wfr", 1))), &json!("set_field"))
    );
    assert_eq!((&last["on_behalf"], &last["cause"]), (&json!(stay.desk.user()), &json!([id("wfr", 1)])));
    let answers: Vec<_> =
        stay.world.events().await.into_iter().filter(|e| e.kind.starts_with("rule.field_")).collect();
    let said: Vec<_> =
        answers.iter().map(|e| (e.kind.as_str(), &e.data["problem"], &e.data["same"])).collect();
    let (no, yes) = (&Value::Null, &json!(true));
    assert_eq!(said.len(), 3, "once each: {said:?}");
    assert!(
        said.contains(&("rule.field_applied", no, no)) && said.contains(&("rule.field_applied", no, yes))
    );
    assert!(said.contains(&("rule.field_refused", &json!("field-not-settable"), no)));
}

#[tokio::test]
async fn a_patient_is_deleted_only_while_no_record_names_them() {
    let stay = Stay::begin().await;
    let admin = stay.grace.staff("tenant_admin");
    let path = format!("/v1/patients/{}", stay.patient);
    admin.delete(&path).await.refused(422, "reason-required");
    stay.desk.delete(&path).await.refused(403, "forbidden");
    admin.call("DELETE", &path).because("a test entry").send().await.done();
    admin.get(&path).await.missing();
    assert_eq!(stay.fact().await["live"], false);
    assert_eq!(stay.desk.get("/v1/patients?q=okonkwo").await.ok()["data"], json!([]));
    // The person can be registered again, and restoring the first would make two of one.
    let second = registered(&stay.desk, ngozi()).await;
    admin.call("POST", &format!("{path}/restore")).because("no").send().await.refused(409, "taken-meanwhile");
    admin.call("DELETE", &format!("/v1/patients/{second}")).because("twice").send().await.done();
    admin.call("POST", &format!("{path}/restore")).because("it was real").send().await.ok();
    assert_eq!(stay.desk.get("/v1/patients?q=okonkwo").await.ok()["data"][0]["id"], json!(stay.patient));

    stay.hears(
        "patient_visit.checked_in",
        &id_at("pvi", "2026-11-20T09:00:00Z"),
        "2026-11-20T09:00:00Z",
        json!({}),
    )
    .await;
    admin.call("DELETE", &path).because("again").send().await.refused(409, "patient-in-use");
}

#[tokio::test]
async fn a_record_that_arrives_after_all_brings_a_deleted_patient_back() {
    let stay = Stay::begin().await;
    let admin = stay.grace.staff("tenant_admin");
    let path = format!("/v1/patients/{}", stay.patient);
    admin.call("DELETE", &path).because("a test entry").send().await.done();
    stay.hears(
        "patient_visit.checked_in",
        &id_at("pvi", "2026-11-20T09:00:00Z"),
        "2026-11-20T09:00:00Z",
        json!({}),
    )
    .await;
    assert_eq!(admin.get(&path).await.ok()["has_records"], true);
    assert_eq!(stay.fact().await["live"], true);
    assert_eq!(stay.desk.get("/v1/patients?q=okonkwo").await.ok()["data"][0]["id"], json!(stay.patient));
}

#[tokio::test]
async fn whoever_met_the_patient_may_complete_the_record() {
    let stay = Stay::begin().await;
    let doctor = stay.grace.staff("doctor");
    let path = format!("/v1/patients/{}", stay.patient);
    doctor.get(&path).await.ok();
    let change = json!({"occupation": "Welder"});
    doctor.patch(&path, change.clone()).await.refused(403, "no-reach");
    let mut seen = event(
        &stay.grace,
        "patient_visit.completed",
        &id_at("pvi", "2026-11-20T09:00:00Z"),
        3,
        "2026-11-20T09:30:00Z",
        json!({"patient": stay.patient}),
    );
    seen.by = doctor.user();
    stay.world.hand_over(&seen).await;
    doctor.patch(&path, change).await.ok();
    let mine = doctor.get("/v1/patients?assigned=me").await.ok();
    assert_eq!(mine["data"][0]["id"], json!(stay.patient));
    stay.world.clock.set("2027-06-20T12:00:00Z".parse().unwrap());
    doctor.patch(&path, json!({"occupation": "Tailor"})).await.refused(403, "no-reach");
}
