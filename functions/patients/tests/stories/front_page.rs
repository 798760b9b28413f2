//! PAT-3: what everybody who meets the patient has to know, and its changes.

use crate::desk::{self, codes, hospital, id, ngozi, person, registered, with};
use serde_json::{Value, json};
use store::facts;
use testkit::{Tenant, World};

async fn fact(grace: &Tenant, fact: store::Fact, of: &str) -> Value {
    grace.store().await.fact::<Value>(fact, of).await.unwrap().unwrap_or_default()
}

fn penicillin() -> Value {
    json!({"substance": {"system": "atc", "code": "J01C", "text": "Penicillin"}, "category": "medication", "criticality": "high",
           "reactions": [{"manifestation": "swollen face", "severity": "severe"}]})
}

#[tokio::test]
async fn a_changed_name_needs_a_reason_and_is_found_under_both() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let patient = registered(&desk, person("Aisha", "Bello", "1990-05-17", "08031234567")).await;
    let path = format!("/v1/patients/{patient}");
    desk.patch(&path, json!({"family_name": "Musa"})).await.refused(422, "reason-required");
    let musa = desk
        .call("PATCH", &path)
        .because("married")
        .if_match(1)
        .body(json!({"family_name": "Musa"}))
        .send()
        .await
        .ok();
    assert_eq!(
        (&musa["family_name"], &musa["previous_names"], &musa["version"]),
        (&json!("Musa"), &json!(["Bello"]), &json!(2))
    );
    for q in ["musa", "bello", "aisha musa", "bello aisha"] {
        let found = desk.get(&format!("/v1/patients?q={}", q.replace(' ', "%20"))).await.ok();
        assert_eq!(found["data"][0]["id"], json!(patient), "{q}");
    }
    desk.call("PATCH", &path)
        .because("again")
        .if_match(1)
        .body(json!({"family_name": "Ojo"}))
        .send()
        .await
        .refused(412, "stale");
    // What needs no reason: telephone and address.
    let moved = desk.patch(&path, json!({"phones": [{"number": "0805 111 2222"}]})).await.ok();
    assert_eq!(moved["phones"][0]["number"], "+2348051112222");
    assert_eq!(desk.get("/v1/patients?q=08031234567").await.ok()["data"], json!([]));
    let history = desk.get(&format!("{path}/history")).await.ok();
    assert_eq!(
        (&history["data"][1]["reason"], &history["data"][1]["action"]),
        (&json!("married"), &json!("update"))
    );
    let before = desk.get(&format!("{path}?at={}", history["data"][2]["at"].as_str().unwrap())).await.ok();
    assert_eq!(before["family_name"], "Bello");
    let events = world.events().await;
    assert_eq!(events[1].data["fields"], json!(["family_name", "previous_names"]));
}

#[tokio::test]
async fn what_has_to_be_explained_is_not_changed_without_a_reason() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let path = format!(
        "/v1/patients/{}",
        registered(&desk, with(ngozi(), json!({"blood_group": "O+", "blood_group_source": "lab"}))).await
    );
    for change in [
        json!({"given_names": "Ngo"}),
        json!({"birth_date": "1990-05-18"}),
        json!({"gender": "other"}),
        json!({"identifiers": [{"type": "nin", "value": "12345678901"}]}),
        json!({"confidentiality": "R"}),
        json!({"blood_group": "A+", "blood_group_source": "lab"}),
    ] {
        desk.patch(&path, change.clone()).await.refused(422, "reason-required");
        assert_eq!(desk.get(&path).await.ok()["version"], 1, "{change}");
    }
    let said = json!({"blood_group": "A+", "blood_group_source": "reported"});
    desk.call("PATCH", &path).because("she says").body(said).send().await.refused(409, "lab-finding-stands");
    let refused = desk
        .patch(&path, json!({"birth_date": "2090-01-01", "email": "no-at-sign"}))
        .await
        .refused(422, "invalid-birth-date");
    assert_eq!(codes(&refused), ["/birth_date invalid-birth-date", "/email invalid-email"]);
    desk.patch(&path, json!({"status": "deceased"})).await.refused(400, "validation");
}

#[tokio::test]
async fn the_number_of_one_person_is_not_given_to_another_by_an_edit() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let nin = json!({"identifiers": [{"type": "nin", "value": "12345678901"}]});
    let first = registered(&desk, with(ngozi(), nin.clone())).await;
    let other = registered(&desk, person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    let edit = async |who: &str, body: &Value| {
        desk.call("PATCH", &format!("/v1/patients/{who}"))
            .because("card seen")
            .body(body.clone())
            .send()
            .await
    };
    let refused = edit(&other, &nin).await.refused(409, "identifier-taken");
    assert_eq!(refused["record"], json!(first));
    // Given up by its owner it is free again.
    edit(&first, &json!({"identifiers": null})).await.ok();
    edit(&other, &nin).await.ok();
}

#[tokio::test]
async fn an_allergy_stands_in_the_fact_that_prescribers_check_in_the_same_commit() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let nurse = grace.staff("nurse");
    let patient = registered(&desk, ngozi()).await;
    let path = format!("/v1/patients/{patient}/allergies");
    assert_eq!(fact(&grace, facts::ALLERGIES, &patient).await, Value::Null, "nobody has asked yet");
    let allergy = nurse.post(&path, penicillin()).await.created();
    assert_eq!(
        (&allergy["clinical_status"], &allergy["verification_status"]),
        (&json!("active"), &json!("unconfirmed"))
    );
    let listed = fact(&grace, facts::ALLERGIES, &patient).await;
    assert_eq!(
        (&listed["status"], &listed["codes"], &listed["criticality"]),
        (&json!("listed"), &json!(["J01C"]), &json!("high"))
    );
    assert_eq!(desk.get(&format!("/v1/patients/{patient}")).await.ok()["allergy_status"], "listed");
    nurse.post(&path, penicillin()).await.refused(409, "allergy-listed");
    nurse
        .post(&path, json!({"substance": {"system": "atc", "text": "?"}, "category": "food"}))
        .await
        .refused(422, "invalid-field");
    nurse.post(&format!("{path}/none_known"), json!({})).await.refused(409, "allergies-listed");
    desk.post(&path, penicillin()).await.refused(403, "forbidden");

    let one = format!("{path}/{}", id(&allergy));
    nurse.post(&format!("{one}/refute"), json!({})).await.refused(422, "reason-required");
    let refuted = nurse.post(&format!("{one}/refute"), json!({"reason": "skin test negative"})).await.ok();
    assert_eq!((&refuted["verification_status"], &refuted["actions"]), (&json!("refuted"), &json!([])));
    assert_eq!(fact(&grace, facts::ALLERGIES, &patient).await["codes"], json!([]));
    nurse.post(&format!("{one}/resolve"), json!({"reason": "x"})).await.refused(422, "state");
    nurse.post(&path, penicillin()).await.created();
    assert_eq!(nurse.get(&path).await.ok()["data"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.deliver().await,
        ["patient.registered", "allergy.recorded", "allergy.changed", "allergy.recorded"]
    );
    let other = registered(&desk, person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    nurse.get(&format!("/v1/patients/{other}/allergies/{}", id(&allergy))).await.missing();
}

#[tokio::test]
async fn none_known_is_an_assertion_that_an_allergy_clears() {
    let (_, grace) = hospital().await;
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let nurse = grace.staff("nurse");
    let path = format!("/v1/patients/{patient}");
    let asserted = nurse.post(&format!("{path}/allergies/none_known"), json!({})).await.ok();
    assert_eq!(
        (&asserted["allergy_status"], &asserted["allergy_asserted"]["by"]),
        (&json!("none_known"), &json!(nurse.user()))
    );
    assert_eq!(fact(&grace, facts::ALLERGIES, &patient).await["status"], "none_known");
    nurse.post(&format!("{path}/allergies"), penicillin()).await.created();
    let shown = nurse.get(&path).await.ok();
    assert_eq!((&shown["allergy_status"], shown.get("allergy_asserted")), (&json!("listed"), None));
    assert_eq!(fact(&grace, facts::ALLERGIES, &patient).await["status"], "listed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allergies_recorded_at_the_same_moment_are_all_in_the_fact() {
    let world = World::contended(vec![patients::module()]).await;
    let grace = world.hospital("grace").await;
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let all = ["J01C", "N02B", "M01A", "C09A"].map(|code| {
        let (nurse, path) = (grace.staff("nurse"), format!("/v1/patients/{patient}/allergies"));
        let body =
            json!({"substance": {"system": "atc", "code": code, "text": code}, "category": "medication"});
        tokio::spawn(async move { nurse.post(&path, body).await.created() })
    });
    for one in all {
        one.await.unwrap();
    }
    let mut codes = fact(&grace, facts::ALLERGIES, &patient).await["codes"].as_array().unwrap().clone();
    codes.sort_by_key(Value::to_string);
    assert_eq!(Value::Array(codes), json!(["C09A", "J01C", "M01A", "N02B"]));
}

#[tokio::test]
async fn kin_cover_blood_and_genotype_come_with_the_registration() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let body = with(
        ngozi(),
        json!({
            "blood_group": "O+", "genotype": "SS", "genotype_source": "lab", "photo_document_id": desk::id_at("doc", "2026-11-20T09:00:00Z"),
            "related_persons": [{"name": "Emeka Okonkwo", "relationship": "spouse", "phones": [{"number": "08051112222"}], "roles": ["next_of_kin"], "priority": 1}],
            "coverages": [{"payer_type": "nhia", "member_number": "nhia-0011223344", "relation": "dependant", "ordinal": 2, "valid_from": "2026-01-01", "primary": true}]
        }),
    );
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    let ngozi = desk.post("/v1/patients", body.clone()).await.created();
    let patient = id(&ngozi);
    assert_eq!((&ngozi["nhis_number"], &ngozi["blood_group"]), (&json!("NHIA-0011223344"), &json!("O+")));
    assert_eq!(fact(&grace, facts::FLAGS, &patient).await["codes"], json!(["sickle_cell"]));
    assert_eq!(desk.get("/v1/patients?q=okonkwo").await.ok()["data"][0]["flags"], json!(["sickle_cell"]));
    let cover = fact(&grace, facts::COVERAGE, &patient).await["coverages"][0].clone();
    assert_eq!(
        (&cover["ordinal"], &cover["relation"], &cover["order"]),
        (&json!(2), &json!("dependant"), &json!(1))
    );
    let path = format!("/v1/patients/{patient}");
    let kin = desk.get(&format!("{path}/related_persons")).await.ok()["data"][0].clone();
    assert_eq!(
        (&kin["name"], &kin["phones"][0]["number"]),
        (&json!("Emeka Okonkwo"), &json!("+2348051112222"))
    );
    let another = json!({"name": "Ify", "relationship": "sibling", "roles": ["next_of_kin"], "priority": 1});
    desk.post(&format!("{path}/related_persons"), another).await.refused(409, "next-of-kin-taken");
    assert_eq!(world.deliver().await.len(), 3, "registered, coverage added, flag raised");

    // The same member is the same person, whatever the name.
    let stranger =
        with(person("Halima", "Sani", "1985-01-01", "09011112222"), json!({"coverages": body["coverages"]}));
    desk.post("/v1/patients", stranger).await.refused(409, "coverage-taken");
}

#[tokio::test]
async fn covers_begin_pause_and_end_with_their_last_day() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    let desk = grace.staff("receptionist");
    let patient = registered(&desk, ngozi()).await;
    let path = format!("/v1/patients/{patient}/coverages");
    let hmo = json!({"payer_type": "hmo", "payer_id": "hygeia", "member_number": "hy/77", "relation": "principal",
                     "valid_from": "2026-01-01", "valid_to": "2026-11-30", "primary": true});
    desk.post(&path, with(hmo.clone(), json!({"valid_to": "2025-01-01"})))
        .await
        .refused(422, "invalid-field");
    desk.post(
        &path,
        with(hmo.clone(), json!({"payer_type": "nhia", "payer_id": null, "member_number": "!"})),
    )
    .await
    .refused(422, "invalid-member-number");
    let cover = desk.post(&path, hmo.clone()).await.created();
    let one = format!("{path}/{}", id(&cover));
    desk.post(&format!("{one}/verify"), json!({"reason": "called the payer"})).await.ok();
    desk.post(&format!("{one}/suspend"), json!({"reason": "premium unpaid"})).await.ok();
    assert_eq!(fact(&grace, facts::COVERAGE, &patient).await["coverages"], json!([]));
    let resumed = desk.post(&format!("{one}/resume"), json!({})).await.ok();
    assert_eq!(
        (&resumed["status"], &resumed["verified"]["source"]),
        (&json!("active"), &json!("called the payer"))
    );
    desk.post(&path, with(hmo.clone(), json!({"payer_id": "other", "member_number": "9"})))
        .await
        .refused(409, "primary-taken");

    world.clock.set("2026-11-30T22:00:00Z".parse().unwrap());
    world.ring().await;
    assert_eq!(desk.get(&one).await.ok()["status"], "active", "its last day is not over");
    world.clock.set("2026-12-01T02:00:00Z".parse().unwrap());
    assert_eq!(world.ring().await, ["due.cov.expiry"]);
    assert_eq!(desk.get(&one).await.ok()["status"], "expired");
    assert_eq!(fact(&grace, facts::COVERAGE, &patient).await["coverages"], json!([]));
    assert!(world.deliver().await.contains(&"coverage.expired".to_string()));
    assert!(world.ring().await.is_empty());
}

#[tokio::test]
async fn flags_are_raised_with_a_reason_and_end_by_themselves() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let nurse = grace.staff("nurse");
    let path = format!("/v1/patients/{patient}/flags");
    let risk = json!({"code": "fall_risk", "severity": "warning", "visibility": "clinical", "ends": "2026-11-22T09:00:00Z"});
    nurse.post(&path, risk.clone()).await.refused(422, "reason-required");
    let raise = async |body: Value| nurse.call("POST", &path).because("unsteady").body(body).send().await;
    let refusal =
        raise(json!({"code": "blood_refusal", "severity": "danger", "visibility": "all_staff"})).await;
    assert_eq!(codes(&refusal.refused(422, "invalid-field")), ["/evidence_document_id evidence-required"]);
    let flag = raise(risk.clone()).await.created();
    raise(risk).await.refused(409, "flag-raised");
    assert_eq!(fact(&grace, facts::FLAGS, &patient).await["codes"], json!(["fall_risk"]));
    let card = nurse.get("/v1/patients?q=okonkwo").await.ok();
    assert_eq!(card["data"][0]["flags"], json!([]), "not for everybody at the desk");
    world.clock.set("2026-11-22T09:00:01Z".parse().unwrap());
    assert_eq!(world.ring().await, ["due.flg.end"]);
    assert_eq!(nurse.get(&format!("{path}/{}", id(&flag))).await.ok()["status"], "ended");
    assert_eq!(fact(&grace, facts::FLAGS, &patient).await["codes"], json!([]));
    assert!(world.deliver().await.ends_with(&["flag.ended".to_string()]));
    nurse.post(&format!("{path}/{}/end", id(&flag)), json!({"reason": "x"})).await.refused(422, "state");
}

#[tokio::test]
async fn the_background_is_made_by_its_first_change() {
    let (_, grace) = hospital().await;
    let patient = registered(&grace.staff("receptionist"), ngozi()).await;
    let doctor = grace.staff("doctor");
    let path = format!("/v1/patients/{patient}/background");
    assert_eq!(doctor.get(&path).await.ok()["conditions"], json!([]));
    let change = json!({"conditions": [{"text": "Hypertension", "code": "I10"}], "social": {"tobacco": "never"}, "obstetric": {"gravida": 2, "para": 1}});
    assert_eq!(doctor.patch(&path, change).await.ok()["version"], 1);
    let second = doctor
        .patch(&path, json!({"surgeries": [{"text": "Appendectomy", "date": "2010-04-05"}]}))
        .await
        .ok();
    assert_eq!((&second["version"], &second["conditions"][0]["code"]), (&json!(2), &json!("I10")));
    assert!(!grace.dump().await.contains("Appendectomy"));
    let first = doctor.get(&format!("{path}/history/1")).await.ok();
    assert!(first["record"]["surgeries"].as_array().is_none_or(|all| all.is_empty()), "{first:#}");
    let diff = doctor.get(&format!("{path}/history/diff?from=1&to=2")).await.ok();
    assert_eq!(diff["data"][0]["path"], "/surgeries");
    doctor
        .patch(&path, json!({"conditions": vec![json!({"text": "x"}); 201]}))
        .await
        .refused(400, "validation");
    grace.staff("receptionist").get(&path).await.refused(403, "forbidden");
    grace.staff("auditor").get(&path).await.refused(403, "reason-required");
    grace.staff("auditor").call("GET", &path).because("complaint 12").send().await.ok();
}

#[tokio::test]
async fn the_desk_sees_substances_and_open_flags_only() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let nurse = grace.staff("nurse");
    let patient = registered(&desk, ngozi()).await;
    let path = format!("/v1/patients/{patient}");
    let allergy = nurse
        .post(&format!("{path}/allergies"), with(penicillin(), json!({"note": "as a child"})))
        .await
        .created();
    for seen in [
        desk.get(&format!("{path}/allergies")).await.ok()["data"][0].clone(),
        desk.get(&format!("{path}/allergies/{}", id(&allergy))).await.ok(),
    ] {
        assert_eq!(
            (&seen["substance"]["text"], &seen["reactions"], seen.get("note")),
            (&json!("Penicillin"), &json!([]), None)
        );
    }
    let one = format!("{path}/allergies/{}", id(&allergy));
    for before in ["history", "history/1", "history/diff?from=1&to=2"] {
        desk.get(&format!("{one}/{before}")).await.refused(403, "forbidden");
    }
    nurse.patch(&one, json!({"note": "as a child, and again"})).await.ok();
    let first = nurse.get(&format!("{one}/history/1")).await.ok();
    assert_eq!(
        (&first["record"]["note"], &first["change"]["action"]),
        (&json!("as a child"), &json!("create"))
    );
    let diff = nurse.get(&format!("{one}/history/diff?from=1&to=2")).await.ok();
    assert_eq!(diff["data"], json!([{"path": "/note", "from": "as a child", "to": "as a child, and again"}]));
    nurse.get(&format!("{one}/history/3")).await.missing();
    let other = registered(&desk, with(ngozi(), json!({"given_names": "Bola", "family_name": "Bello", "birth_date": "1971-02-03", "phones": [{"number": "0803 999 4567"}]}))).await;
    nurse.get(&format!("/v1/patients/{other}/allergies/{}/history/1", id(&allergy))).await.missing();
    nurse.patch(&one, json!({"note": "as a child"})).await.ok();
    assert_eq!(nurse.get(&format!("{path}/allergies")).await.ok()["data"][0]["note"], "as a child");

    for (code, visibility) in [("interpreter", "all_staff"), ("mrsa", "clinical"), ("safeguarding", "named")]
    {
        let flag = json!({"code": code, "severity": "info", "visibility": visibility});
        nurse.call("POST", &format!("{path}/flags")).because("seen").body(flag).send().await.created();
    }
    let codes = async |who: &testkit::Actor| -> Vec<String> {
        let page = who.get(&format!("{path}/flags")).await.ok();
        page["data"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(codes(&desk).await, ["interpreter"]);
    assert_eq!(codes(&nurse).await, ["mrsa", "interpreter"]);
    let at = "2026-11-20T09:00:00Z";
    let mut met = desk::event(
        &grace,
        "patient_visit.started",
        &desk::id_at("pvi", at),
        2,
        &world.clock.now().to_string(),
        json!({"patient": patient}),
    );
    met.by = nurse.user();
    world.hand_over(&met).await;
    assert_eq!(codes(&nurse).await, ["safeguarding", "mrsa", "interpreter"]);
}
