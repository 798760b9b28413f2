//! SCH-1: practitioners and their rules.

use crate::stage::{Stage, id};
use serde_json::json;

#[tokio::test]
async fn a_login_has_one_profile_and_a_profile_keeps_its_login() {
    let s = Stage::set().await;
    let again = json!({"user_id": s.doctor.user(), "display_name": "Dr Obi", "specialties": ["surgery"], "sites": [s.site]});
    let taken =
        s.admin.post("/v1/scheduling/practitioners", again.clone()).await.refused(409, "practitioner-exists");
    assert_eq!(taken["record"], s.prc.as_str());
    s.doctor.post("/v1/scheduling/practitioners", again).await.refused(403, "forbidden");
    let path = format!("/v1/scheduling/practitioners/{}", s.prc);
    s.admin.patch(&path, json!({"user_id": s.someone()})).await.refused(422, "fixed");
    s.doctor.patch(&path, json!({"qualification": "MBBS"})).await.ok();
    let fee = json!({"consultation_fee": {"amount": "5000.00", "currency": "NGN"}});
    s.doctor.patch(&path, fee.clone()).await.refused(403, "forbidden");
    assert_eq!(s.admin.patch(&path, fee).await.ok()["consultation_fee"]["amount"], "5000.00");
    s.admin.patch(&path, json!({"default_slot_minutes": 17})).await.refused(400, "validation");
    assert_eq!(
        s.events_of(&json!({"id": s.prc})).await,
        ["practitioner.added", "practitioner.updated", "practitioner.updated"]
    );
}

#[tokio::test]
async fn a_phone_lies_sealed_and_a_specialty_finds_its_people() {
    let s = Stage::set().await;
    let path = format!("/v1/scheduling/practitioners/{}", s.prc);
    s.admin.patch(&path, json!({"phone": "+2348031234567"})).await.ok();
    assert!(!s.grace.dump().await.contains("2348031234567"));
    assert_eq!(s.desk.get(&path).await.ok()["phone"], "+2348031234567");
    let found = s.admin.get("/v1/scheduling/practitioners?specialty=general_practice").await.ok();
    assert_eq!(found["data"][0]["id"], s.prc.as_str());
    let none = s.admin.get("/v1/scheduling/practitioners?specialty=surgery").await.ok();
    assert_eq!(none["data"], json!([]));
    s.mornings(&s.prc, json!({})).await;
    let slots = format!(
        "/v1/scheduling/slots?specialty=general_practice&site={}&from=2026-11-23&to=2026-11-24",
        s.site
    );
    assert_eq!(s.desk.get(&slots).await.ok()["data"].as_array().unwrap().len(), 22);
}

#[tokio::test]
async fn rules_of_one_practitioner_do_not_overlap() {
    let s = Stage::set().await;
    let first = s.mornings(&s.prc, json!({})).await;
    let second = json!({
        "practitioner_id": s.prc, "site": s.site, "valid_from": "2026-12-01", "weekdays": ["friday"],
        "start": "11:55", "end": "13:00",
    });
    let path = "/v1/scheduling/availabilities";
    let clash = s.admin.post(path, second.clone()).await.refused(422, "availability-overlap");
    assert_eq!(clash["availability"], first.as_str());
    s.admin.patch(&format!("{path}/{first}"), json!({"valid_to": "2026-11-30"})).await.ok();
    s.admin.post(path, second).await.created();
    s.admin
        .patch(&format!("{path}/{first}"), json!({"valid_to": null}))
        .await
        .refused(422, "availability-overlap");
    s.admin.delete(&format!("{path}/{first}")).await.done();
    s.admin.patch(&format!("{path}/{first}"), json!({"capacity": 2})).await.missing();
    s.admin.post(&format!("{path}/{first}/restore"), json!({})).await.ok();
}

#[tokio::test]
async fn a_rule_is_for_somebody_who_works_there() {
    let s = Stage::set().await;
    let rule = |prc: &str, site: String| {
        json!({
            "practitioner_id": prc, "site": site, "valid_from": "2026-11-01", "weekdays": ["monday"],
            "start": "09:00", "end": "12:00",
        })
    };
    let path = "/v1/scheduling/availabilities";
    s.admin.post(path, rule(&s.prc, s.grace.sites[1].to_string())).await.refused(422, "other-site");
    let nobody = rule("prc_01ARZ3NDEKTSV4RRFFQ69G5FAV", s.site.clone());
    s.admin.post(path, nobody).await.refused(422, "unknown-practitioner");
}

/// A department's session needs no practitioner.
#[tokio::test]
async fn a_department_holds_a_session_clinic() {
    let s = Stage::set().await;
    let department = "dpt_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let rule = json!({
        "department_id": department, "site": s.site, "valid_from": "2026-11-01", "weekdays": ["monday"],
        "start": "09:00", "end": "12:00", "mode": "session", "capacity": 2,
    });
    s.admin.post("/v1/scheduling/availabilities", rule).await.created();
    let mut wish = s.booking(&s.patient().await, "2026-11-23T08:00:00Z");
    wish.as_object_mut().unwrap().remove("practitioner_id");
    wish["department_id"] = department.into();
    let booked = s.desk.post("/v1/scheduling/appointments", wish.clone()).await.created();
    assert_eq!((&booked["mode"], &booked["lane"]), (&json!("session"), &json!(0)));
    let path = format!("/v1/scheduling/slots?department={department}&site={}&from=2026-11-23", s.site);
    assert_eq!(s.desk.get(&path).await.ok()["data"][0]["remaining"], 1);
    let body = json!({
        "patient_id": booked["patient_id"], "site": s.site, "visit_type": "routine", "appointment_id": booked["id"],
    });
    let visit = s.desk.post("/v1/scheduling/patient_visits", body).await.created();
    assert_eq!(visit["label"], "D-001");
    assert_eq!(id(&visit).len(), 30);
}
