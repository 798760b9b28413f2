//! PAT-1: registration, numbers, duplicates.

use crate::desk::{self, codes, hospital, ngozi, person, registered, with};
use serde_json::{Value, json};
use testkit::World;

#[tokio::test]
async fn the_first_patient_of_the_year_has_the_first_number_and_everybody_hears_of_it() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    let desk = grace.staff_at("receptionist", &[0]);
    let ngozi = desk.post("/v1/patients", ngozi()).await.created();
    assert_eq!(ngozi["number"], "PT-2026-00001");
    assert_eq!(ngozi["status"], "registered");
    assert_eq!(ngozi["phones"][0]["number"], "+2348031234567");
    assert_eq!(ngozi["site_id"], grace.sites[0].to_string());
    assert_eq!(ngozi["registration_date"], "2026-11-20");
    assert_eq!(ngozi["warnings"], json!([]));
    assert_eq!(world.deliver().await, ["patient.registered"]);
    let event = &world.events().await[0];
    assert_eq!(event.data["number"], "PT-2026-00001");
    assert!(!event.data.to_string().contains("Okonkwo"), "events carry ids and codes only");

    let shown = desk.get(&format!("/v1/patients/{}", desk::id(&ngozi))).await.ok();
    assert_eq!(shown["family_name"], "Okonkwo");
    assert_eq!(shown["version"], 1);
    let fact: Value = grace.store().await.fact(store_fact(), desk::id(&ngozi)).await.unwrap().unwrap();
    assert_eq!(
        (&fact["live"], &fact["status"], &fact["gender"]),
        (&json!(true), &json!("registered"), &json!("female"))
    );
}

fn store_fact() -> store::Fact {
    store::facts::PATIENT
}

#[tokio::test]
async fn the_year_of_a_number_is_the_local_one() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-12-31T23:30:00Z".parse().unwrap());
    let ngozi = grace.staff("receptionist").post("/v1/patients", ngozi()).await.created();
    assert_eq!(ngozi["number"], "PT-2027-00001", "in Lagos it is next year already");
}

#[tokio::test]
async fn numbers_follow_the_settings_of_the_organisation() {
    let (world, grace) = hospital().await;
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    grace
        .change_gate(|gate| {
            gate.policies.insert(
                "numbering.patient".into(),
                json!({"format": "{SITE}/{YY}/{SEQ:6}", "reset": "year"}),
            );
            gate.policies.insert("numbering.hospital".into(), json!("same"));
        })
        .await;
    let first = grace.staff_at("receptionist", &[0]).post("/v1/patients", ngozi()).await.created();
    assert_eq!(first["number"], "HQ/26/000001");
    assert_eq!(first["hospital_number"], "HQ/26/000001");
    let by_hand =
        with(person("Halima", "Sani", "1985-01-01", "09011112222"), json!({"hospital_number": "H1"}));
    let refused = grace
        .staff_at("receptionist", &[0])
        .post("/v1/patients", by_hand)
        .await
        .refused(422, "number-is-given");
    assert_eq!(codes(&refused), ["/hospital_number number-is-given"]);
    let branch = grace.staff_at("receptionist", &[1]);
    let other =
        branch.post("/v1/patients", person("Tunde", "Lawal", "1960-01-02", "08051112222")).await.created();
    assert_eq!(other["number"], "BR/26/000001", "each site counts by itself");
}

#[tokio::test]
async fn the_same_person_is_certain_and_only_somebody_with_the_right_may_override() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let first = registered(&desk, ngozi()).await;
    let again = with(ngozi(), json!({"phones": [{"number": "+234-803-123-4567"}]}));
    let refused = desk.post("/v1/patients", again.clone()).await.refused(409, "duplicate-patient");
    let candidate = &refused["candidates"][0];
    assert_eq!(
        (&candidate["id"], &candidate["score"], &candidate["band"]),
        (&json!(first), &json!(97), &json!("certain"))
    );
    assert_eq!(candidate["card"]["name"], "Ngozi Okonkwo");
    assert!(
        candidate["factors"].as_array().unwrap().iter().any(|f| f["field"] == "phone" && f["points"] == 25)
    );

    let decision =
        json!({"decision": "different_person", "candidates": [first], "reason": "her sister, I know both"});
    let decided = with(again, json!({"duplicate_decision": decision}));
    desk.post("/v1/patients", decided.clone()).await.refused(403, "forbidden");
    let records_officer = grace.staff("tenant_admin receptionist");
    let second = records_officer.post("/v1/patients", decided).await.created();
    assert_eq!(second["not_same_as"], json!([first]));
    let event = grace.world.events().await.into_iter().next_back().unwrap();
    assert_eq!(event.data["overridden"], json!([first]), "the records officer hears of it");
}

#[tokio::test]
async fn a_probable_duplicate_needs_every_candidate_named_and_a_reason() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let first = registered(&desk, ngozi()).await;
    let similar = with(ngozi(), json!({"family_name": "Okonwko"}));
    let refused = desk.post("/v1/patients", similar.clone()).await.refused(409, "possible-duplicate");
    assert_eq!(refused["candidates"][0]["score"], 91);
    let decide = |candidates: Value, reason: &str| {
        with(
            similar.clone(),
            json!({"duplicate_decision": {"decision": "different_person", "candidates": candidates, "reason": reason}}),
        )
    };
    let other = "pat_01J00000000000000000000000";
    desk.post("/v1/patients", decide(json!([other]), "a different person"))
        .await
        .refused(409, "possible-duplicate");
    desk.post("/v1/patients", decide(json!([first]), "short")).await.refused(400, "validation");
    desk.post("/v1/patients", decide(json!([first]), "a different person, with her card")).await.created();
}

#[tokio::test]
async fn a_twin_is_registered_with_a_warning() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    registered(&desk, ngozi()).await;
    let twin = desk.post("/v1/patients", with(ngozi(), json!({"given_names": "Amara"}))).await.created();
    let warning = &twin["warnings"][0];
    assert_eq!(
        (&warning["score"], &warning["band"], &warning["hint"]),
        (&json!(67), &json!("possible"), &json!("multiple_birth"))
    );
}

#[tokio::test]
async fn duplicates_are_found_under_another_spelling() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    registered(&desk, person("Oluwaseun", "Adébáyọ̀", "1985-03-04", "08031234567")).await;
    // Another spelling of name and telephone; names the other way round; the day and month swapped.
    for other in [
        person("Oluwaseun", "ADEBAYO", "1985-03-04", "+234 803 123 4567"),
        person("Adebayo", "Oluwaseun", "1985-03-04", "08031234567"),
        person("Seun", "Adebayo", "1985-04-03", "234 803 123 4567"),
    ] {
        let reply = desk.post("/v1/patients", other.clone()).await;
        assert_eq!(reply.status, 409, "{other}: {}", reply.body);
    }
}

#[tokio::test]
async fn identity_numbers_are_checked_and_belong_to_one_person() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let card =
        |scheme: &str, value: &str| with(ngozi(), json!({"identifiers": [{"type": scheme, "value": value}]}));
    desk.post("/v1/patients", card("nin", "1234567890")).await.refused(422, "invalid-nin");
    desk.post("/v1/patients", card("nhs", "9434765918")).await.refused(422, "invalid-nhs-number");
    desk.post("/v1/patients", card("nin", "AB012345678901YZ")).await.refused(422, "vnin-not-storable");
    let first = registered(&desk, card("nhs", "943 476 5919")).await;

    let mut other = person("Tunde", "Lawal", "1960-01-02", "08051112222");
    other = with(other, json!({"gender": "male", "identifiers": [{"type": "nhs", "value": "9434765919"}]}));
    let decision =
        json!({"decision": "different_person", "candidates": [first], "reason": "the card was read twice"});
    let officer = grace.staff("tenant_admin receptionist");
    for body in [other.clone(), with(other, json!({"duplicate_decision": decision}))] {
        let refused = officer.post("/v1/patients", body).await.refused(409, "identifier-taken");
        assert_eq!(refused["record"], first);
        assert!(refused["candidates"][0]["conflict"].as_str().unwrap().contains("check the card"));
    }
}

#[tokio::test]
async fn matches_show_candidates_and_a_token_that_tells_which_are_new() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let matches = desk.post("/v1/patients/matches", ngozi()).await.ok();
    assert_eq!(matches["candidates"], json!([]));
    let token = matches["match_token"].clone();
    assert!(!token.as_str().unwrap().is_empty());
    // While the desk talks, another one registers her.
    let first = registered(&grace.staff("receptionist"), ngozi()).await;
    let refused = desk.post("/v1/patients", with(ngozi(), json!({"match_token": token}))).await;
    let refused = refused.refused(409, "duplicate-patient");
    assert_eq!(
        (&refused["candidates"][0]["id"], &refused["candidates"][0]["fresh"]),
        (&json!(first), &json!(true))
    );
    // An expired or made-up token is ignored, not believed.
    world.clock.advance(jiff::SignedDuration::from_mins(16));
    for token in [token, json!("made-up")] {
        let refused = desk.post("/v1/patients", with(ngozi(), json!({"match_token": token}))).await;
        assert!(refused.refused(409, "duplicate-patient")["candidates"][0].get("fresh").is_none());
    }
    let found = desk.post("/v1/patients/matches", ngozi()).await.ok();
    assert_eq!(found["candidates"][0]["score"], 97);
}

#[tokio::test]
async fn bad_input_is_refused_with_every_fault_and_nothing_is_written() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let before = world.scan().await.len();
    for bad in ["2126-01-01", "1899-12-31", "2026-02-31", "yesterday"] {
        let refused = desk.post("/v1/patients", with(ngozi(), json!({"birth_date": bad}))).await;
        assert_eq!(
            codes(&refused.refused(422, "invalid-birth-date")),
            ["/birth_date invalid-birth-date"],
            "{bad}"
        );
    }
    let table: &[(Value, &str)] = &[
        (json!({"given_names": 7}), "/given_names type"),
        (json!({"given_names": "x".repeat(61)}), "/given_names length"),
        (json!({"family_nam": "Bello"}), "/family_nam unknown"),
        (json!({"gender": "M"}), "/gender enum"),
        (json!({"number": "PT-2026-00009"}), "/number unknown"),
        (json!({"phones": [{"number": "1"}, {}]}), "/phones/1/number required"),
        (json!({"family_name": "Be\u{202e}llo"}), "/family_name hostile"),
        (json!({"custom": {"a": 1, "b\u{0}": 2}}), "/custom name"),
        (json!({"age_years": 200}), "/age_years range"),
        (json!({"related_persons": [{"relationship": "cousin"}]}), "/related_persons/0/relationship enum"),
    ];
    for (change, fault) in table {
        let refused =
            desk.post("/v1/patients", with(ngozi(), change.clone())).await.refused(400, "validation");
        assert!(codes(&refused).contains(&fault.to_string()), "{change}: {:?}", codes(&refused));
    }
    let all = desk
        .post(
            "/v1/patients",
            json!({"given_names": "N1", "gender": "female", "birth_date": "x", "phones": []}),
        )
        .await;
    assert_eq!(all.status, 422);
    let wanted = [
        "/birth_date invalid-birth-date",
        "/family_name name-required",
        "/given_names invalid-name",
        "/phones phone-required",
    ];
    let mut faults = codes(&all.body);
    faults.sort();
    assert_eq!(faults, wanted);
    assert_eq!(world.scan().await.len(), before);
}

#[tokio::test]
async fn a_retry_with_the_same_key_answers_the_same_and_takes_no_second_number() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let post = async |body| desk.call("POST", "/v1/patients").key("k1").body(body).send().await;
    let first = post(ngozi()).await;
    let again = post(ngozi()).await;
    assert_eq!((again.status, &again.bytes), (201, &first.bytes));
    post(with(ngozi(), json!({"title": "Dr"}))).await.refused(422, "key-reused");
    let unknown = json!({"gender": "male", "age_years": 40, "registration": "unidentified"});
    let emergency = async || desk.call("POST", "/v1/patients").key("k2").body(unknown.clone()).send().await;
    let (one, two) = (emergency().await, emergency().await);
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.created()["number"].as_str().unwrap().rsplit('-').next(), Some("00002"));
    let next =
        desk.post("/v1/patients", person("Tunde", "Lawal", "1960-01-02", "08051112222")).await.created();
    assert_eq!(next["number"].as_str().unwrap().rsplit('-').next(), Some("00003"));
}

#[tokio::test]
async fn the_plan_limits_patients_but_not_the_unconscious_man() {
    let (_, grace) = hospital().await;
    grace
        .change_gate(|gate| {
            gate.limits.insert("patients".into(), 1);
        })
        .await;
    grace.limit("patients", 1).await;
    let desk = grace.staff("receptionist");
    registered(&desk, ngozi()).await;
    let refused = desk.post("/v1/patients", person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    let refused = refused.refused(409, "plan-limit");
    assert_eq!(
        (&refused["limit"], &refused["plan"], &refused["allowed"]),
        (&json!("patients"), &json!("Enterprise"), &json!(1))
    );
    let unknown = json!({"gender": "male", "age_years": 40, "registration": "unidentified"});
    desk.post("/v1/patients", unknown.clone()).await.created();
    desk.post("/v1/patients", unknown).await.refused(409, "plan-limit");
}

#[tokio::test]
async fn nothing_of_a_person_lies_open_in_the_table() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let full = with(
        ngozi(),
        json!({
            "middle_names": "Chidinma", "previous_names": ["Nwachukwu"], "email": "ngozi@example.org", "title": "Engr",
            "address": {"line1": "12 Allen Avenue", "city": "Ikeja", "state": "LA", "country": "NG"},
            "identifiers": [{"type": "nin", "value": "12345678901"}], "blood_group": "O+", "genotype": "AA",
            "occupation": "Welder", "custom": {"tribe": "Igbo"},
            "related_persons": [{"name": "Emeka Okonkwo", "relationship": "spouse", "phones": [{"number": "08051112222"}], "roles": ["next_of_kin"], "priority": 1}],
            "allergies": [{"substance": {"system": "atc", "code": "J01C", "text": "Penicillin"}, "category": "medication", "note": "as a child"}],
            "coverages": [{"payer_type": "nhia", "member_number": "NHIA-0011223344", "relation": "principal", "valid_from": "2026-01-01"}]
        }),
    );
    let patient = registered(&desk, full).await;
    desk.call("PATCH", &format!("/v1/patients/{patient}"))
        .because("married: Adaobi")
        .body(json!({"family_name": "Bello"}))
        .send()
        .await
        .ok();
    let dump = grace.dump().await;
    for secret in [
        "Ngozi",
        "Okonkwo",
        "Chidinma",
        "Nwachukwu",
        "Bello",
        "ngozi@",
        "Allen",
        "Ikeja",
        "12345678901",
        "1990-05-17",
        "8031234567",
        "8051112222",
        "Emeka",
        "O+",
        "Welder",
        "Igbo",
        "as a child",
        "0011223344",
        "Adaobi",
        "okonkwo",
        "bello",
    ] {
        assert!(!dump.contains(secret), "{secret} lies open");
    }
    assert!(dump.contains("J01C"), "codes of allergies are open, for prescribers' conditions");
}

// ---- races

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_people_at_once_get_two_hundred_numbers() {
    let world = World::contended(vec![patients::module()]).await;
    let grace = world.hospital("grace").await;
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    let names = ["Ade", "Bola", "Chike", "Dayo", "Efe", "Femi", "Gozie", "Hauwa", "Idris", "Jide"];
    let families = ["Okafor", "Lawal", "Bello", "Musa", "Eze", "Danjuma", "Ojo", "Ibe", "Sani", "Uche"];
    let all = (0..200).map(|n| {
        let desk = grace.staff("receptionist");
        let born = format!("{}-{:02}-{:02}", 1930 + n % 90, 1 + n % 12, 1 + n % 28);
        let body = person(
            names[n % 10],
            families[(n / 10) % 10],
            &born,
            &format!("0803{:07}", 1_000_000 + n * 7919),
        );
        tokio::spawn(async move { desk.post("/v1/patients", body).await })
    });
    let mut numbers = vec![];
    for reply in futures::future::join_all(all).await {
        numbers.push(reply.unwrap().created()["number"].as_str().unwrap().to_string());
    }
    numbers.sort();
    let wanted: Vec<String> = (1..=200).map(|n| format!("PT-2026-{n:05}")).collect();
    assert_eq!(numbers, wanted, "distinct, and without a gap since nothing failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_desks_register_one_person_once() {
    let world = World::contended(vec![patients::module()]).await;
    let grace = world.hospital("grace").await;
    let post = |body: Value| {
        let desk = grace.staff("receptionist");
        tokio::spawn(async move { desk.post("/v1/patients", body).await })
    };
    for (n, (body, code)) in [
        (ngozi(), vec!["possible-duplicate", "duplicate-patient"]),
        (json!({"given_names": "A", "family_name": "Bello", "birth_date": "1970-01-01", "gender": "male", "phones": [], "no_phone_reason": "none", "identifiers": [{"type": "nin", "value": "12345678901"}]}), vec!["identifier-taken", "possible-duplicate"]),
    ]
    .into_iter()
    .enumerate()
    {
        let (a, b) = (post(body.clone()), post(body));
        let (a, b) = (a.await.unwrap(), b.await.unwrap());
        let (won, lost) = if a.status == 201 { (a, b) } else { (b, a) };
        let won = won.created();
        assert_eq!(lost.status, 409, "{n}: {}", lost.body);
        assert!(code.contains(&lost.code()), "{n}: {}", lost.body);
        assert!(lost.body.to_string().contains(&desk::id(&won)), "it names who won");
    }
}

// ---- cost

#[tokio::test]
async fn registering_costs_what_its_route_says() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    registered(&desk, person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    world.rounds();
    world.trips();
    registered(&desk, ngozi()).await;
    world.spends(3, "one wave of search, one counter, one commit");
    assert!(world.trips().is_none_or(|trips| trips <= 15), "at most twelve queries and a batch in the wave");
    desk.post("/v1/patients", with(ngozi(), json!({"given_names": "Amara"}))).await.created();
    world.spends(desk::budget("patient.create"), "one wave more, since there is somebody like her");
}
