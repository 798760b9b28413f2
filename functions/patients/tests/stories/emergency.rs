//! PAT-7: whom nobody can identify, and the newborn.

use crate::desk::{self, hospital, id, ngozi, registered, with};
use serde_json::{Value, json};

#[tokio::test]
async fn an_unconscious_man_is_registered_reminded_of_and_merged_with_his_record() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T22:00:00Z".parse().unwrap());
    let nurse = grace.staff("nurse");
    nurse.post("/v1/patients", ngozi()).await.refused(403, "emergency-form-only");
    let man = json!({"gender": "male", "age_years": 40, "registration": "unidentified", "address": {"directions": "Ikorodu Road, at the bridge"}});
    let unknown = nurse.post("/v1/patients", man.clone()).await.created();
    assert_eq!(
        (&unknown["given_names"], &unknown["family_name"]),
        (&json!("Unknown Male"), &unknown["number"])
    );
    assert_eq!(
        (&unknown["birth_date"], &unknown["birth_date_precision"]),
        (&json!("1986-07-01"), &json!("estimated"))
    );
    // A second one the same night is another man.
    nurse.post("/v1/patients", man).await.created();
    let number = unknown["number"].as_str().unwrap();
    let running = number.rsplit('-').next().unwrap().trim_start_matches('0');
    let card = nurse.get(&format!("/v1/patients?q={running}")).await.ok();
    assert_eq!(card["data"][0]["name"], format!("Unknown Male {number}"));

    assert!(world.ring().await.is_empty());
    world.clock.set("2026-11-21T22:00:01Z".parse().unwrap());
    assert_eq!(world.ring().await.len(), 2);
    assert!(world.ring().await.is_empty(), "once a day");
    let overdue = |names: Vec<String>| names.iter().filter(|n| *n == "patient.identity_overdue").count();
    assert_eq!(overdue(world.deliver().await), 2);

    let desk = grace.staff("receptionist");
    let own = with(desk::person("Tunde", "Lawal", "1985-03-04", "08031234567"), json!({"gender": "male"}));
    let known = registered(&desk, own).await;
    let body = json!({"survivor": known, "duplicate": id(&unknown), "reason": "his wife came"});
    grace.staff("tenant_admin").post("/v1/patients/merges", body).await.created();
    world.clock.set("2026-11-22T22:00:02Z".parse().unwrap());
    assert_eq!(world.ring().await.len(), 1, "only the other one is still nobody");
    assert_eq!(desk.get("/v1/patients?q=PT-2026-00001").await.ok()["data"][0]["id"], json!(known));
    let shown = desk.get(&format!("/v1/patients/{known}")).await.ok();
    assert_eq!(shown.get("previous_names"), None, "a placeholder is no name");
}

#[tokio::test]
async fn a_provisional_registration_is_completed_by_the_desk() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T22:00:00Z".parse().unwrap());
    let quick = json!({"given_names": "Tunde", "family_name": "Lawal", "gender": "male", "age_years": 30, "registration": "provisional"});
    let patient = id(&grace.staff("doctor").post("/v1/patients", quick).await.created());
    let (desk, path) = (grace.staff("receptionist"), format!("/v1/patients/{patient}"));
    let edit = async |body: Value| desk.call("PATCH", &path).because("card seen").body(body).send().await;
    edit(json!({"registration": "full"})).await.refused(422, "phone-required");
    let full = edit(json!({"registration": "full", "birth_date": "1996-02-03", "birth_date_precision": "day", "phones": [{"number": "08031234567"}]})).await.ok();
    assert_eq!((full.get("reminder_at"), &full["birth_date"]), (None, &json!("1996-02-03")));
    assert!(world.deliver().await.contains(&"patient.identity_completed".to_string()));
    world.clock.set("2026-11-30T22:00:00Z".parse().unwrap());
    assert!(world.ring().await.is_empty());
    edit(json!({"registration": "unidentified"})).await.refused(422, "registration-complete");
}

#[tokio::test]
async fn an_unidentified_person_gets_a_name_when_it_is_known() {
    let (_, grace) = hospital().await;
    let unknown = json!({"gender": "female", "age_years": 25, "registration": "unidentified"});
    let patient = id(&grace.staff("nurse").post("/v1/patients", unknown).await.created());
    let (desk, path) = (grace.staff("receptionist"), format!("/v1/patients/{patient}"));
    let edit =
        async |body: Value| desk.call("PATCH", &path).because("relatives came").body(body).send().await;
    edit(json!({"address": {"city": "Ikeja"}})).await.ok();
    edit(json!({"registration": "provisional"})).await.refused(422, "invalid-name");
    let known = edit(json!({"registration": "provisional", "given_names": "Halima", "family_name": "Sani"}))
        .await
        .ok();
    assert_eq!((&known["family_name"], known.get("previous_names")), (&json!("Sani"), None));
    assert_eq!(desk.get("/v1/patients?q=halima").await.ok()["data"][0]["id"], json!(patient));
}

#[tokio::test]
async fn newborn_twins_come_from_their_mother_without_a_duplicate_stop() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T22:00:00Z".parse().unwrap());
    let (desk, nurse) = (grace.staff("receptionist"), grace.staff("nurse"));
    let cover = json!({"payer_type": "nhia", "member_number": "NHIA-0011223344", "relation": "principal", "valid_from": "2026-01-01"});
    let body = with(
        ngozi(),
        json!({"address": {"city": "Ikeja", "country": "NG", "state": "LA"}, "coverages": [cover]}),
    );
    let mother = registered(&desk, body).await;
    let path = format!("/v1/patients/{mother}/newborns");
    let born = |ordinal: u8| json!({"gender": "female", "birth_date": "2026-11-20", "birth_time": "22:30", "multiple_birth": {"ordinal": ordinal, "of": 2}});
    desk::id(&nurse.post("/v1/patients/matches", ngozi()).await.ok()["candidates"][0]);
    let first = nurse.post(&path, born(1)).await.created();
    let second = nurse.post(&path, born(2)).await.created();
    assert_ne!(first["number"], second["number"]);
    for child in [&first, &second] {
        assert_eq!((&child["mother_id"], &child["family_name"]), (&json!(mother), &json!("Okonkwo")));
        assert_eq!(
            (&child["address"]["city"], &child["phones"][0]["owner"]),
            (&json!("Ikeja"), &json!("relative"))
        );
        assert_eq!(
            (&child["registration"], &child["nhis_number"]),
            (&json!("provisional"), &json!("NHIA-0011223344"))
        );
        let kin =
            desk.get(&format!("/v1/patients/{}/related_persons", id(child))).await.ok()["data"][0].clone();
        assert_eq!((&kin["relationship"], &kin["related_patient_id"]), (&json!("mother"), &json!(mother)));
    }
    let ordinals: Vec<Value> = [&first, &second].map(|c| c["members"][0]["ordinal"].clone()).to_vec();
    assert_eq!(ordinals, [json!(1), json!(2)]);
    let children = desk.get(&format!("/v1/patients/{mother}/related_persons")).await.ok();
    assert_eq!(children["data"].as_array().unwrap().len(), 2);
    nurse.post(&path, born(1)).await.refused(409, "possible-duplicate");
    let man = registered(
        &desk,
        with(desk::person("Tunde", "Lawal", "1985-03-04", "08051112222"), json!({"gender": "male"})),
    )
    .await;
    nurse.post(&format!("/v1/patients/{man}/newborns"), born(1)).await.refused(422, "not-a-mother");
}
