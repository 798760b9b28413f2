//! PAT-2: who is this?

use crate::desk::{self, hospital, ngozi, person, registered, with};
use serde_json::{Value, json};
use testkit::{Actor, World};
use web::Queue;

async fn names(desk: &Actor, query: &str) -> Vec<String> {
    let page = desk.get(&format!("/v1/patients?{query}")).await.ok();
    let mut all: Vec<String> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap_or("***").to_string())
        .collect();
    all.sort();
    all
}

async fn town(world: &World, desk: &Actor) -> [String; 3] {
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    let emeka = with(
        person("Emeka", "Okonkwo", "1980-02-03", "08031234567"),
        json!({"gender": "male", "email": "Emeka@Example.org", "identifiers": [{"type": "nin", "value": "12345678901"}],
               "legacy_numbers": [{"system": "paper", "value": "gh/22/17"}], "preferred_name": "Mekky"}),
    );
    [
        registered(desk, emeka).await,
        registered(desk, person("Ada", "Okafor", "1991-06-07", "08051112222")).await,
        registered(desk, person("Ọláyíwọlá", "Ɗanjuma", "1975-12-24", "07061112222")).await,
    ]
}

#[tokio::test]
async fn words_of_a_name_find_a_patient_in_any_order() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    town(&world, &desk).await;
    for (query, found) in [
        ("q=okon", vec!["Emeka Okonkwo"]),
        ("q=oko", vec!["Emeka Okonkwo"]),
        ("q=emeka%20oko", vec!["Emeka Okonkwo"]),
        ("q=OKO%20EMEKA", vec!["Emeka Okonkwo"]),
        ("q=emeka%20oka", vec![]),
        ("q=ada", vec!["Ada Okafor"]),
        ("q=mekk", vec!["Emeka Okonkwo"]),
        ("q=danjuma", vec!["Ọláyíwọlá Ɗanjuma"]),
        ("q=olayiw", vec!["Ọláyíwọlá Ɗanjuma"]),
        ("q=Olayiwola%20Danjuma", vec!["Ọláyíwọlá Ɗanjuma"]),
        ("name=oka&birth_date=1991-06-07", vec!["Ada Okafor"]),
        ("name=oka&birth_date=1991-06-08", vec![]),
        ("q=nobody", vec![]),
    ] {
        assert_eq!(names(&desk, query).await, found, "{query}");
    }
}

#[tokio::test]
async fn numbers_telephones_documents_and_addresses_find_a_patient_too() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    town(&world, &desk).await;
    for query in [
        "q=1",
        "q=00001",
        "q=pt-2026-00001",
        "number=PT-2026-00001",
        "q=08031234567",
        "q=%2B2348031234567",
        "phone=0803%20123%204567",
        "q=12345678901",
        "identifier=1234-5678-901",
        "q=emeka%40example.org",
        "q=GH%2F22%2F17",
        "number=gh%2F22%2F17",
    ] {
        assert_eq!(names(&desk, query).await, ["Emeka Okonkwo"], "{query}");
    }
    for query in ["q=4", "q=09099999999", "q=99999999999", "q=x%40example.org", "q=GH%2F22%2F18"] {
        assert_eq!(names(&desk, query).await, [] as [&str; 0], "{query}");
    }
    world.clock.set("2027-03-01T09:00:00Z".parse().unwrap());
    assert_eq!(names(&desk, "q=2").await, ["Ada Okafor"], "nobody has this year's second number yet");
}

#[tokio::test]
async fn what_would_find_half_the_town_is_refused() {
    let (_, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    for (query, code) in [
        ("q=ok", "query-too-short"),
        ("q=1990-05-17", "birth-date-alone"),
        ("birth_date=1990-05-17", "birth-date-alone"),
        ("name=ada&phone=08031234567", "unsupported-filter"),
        ("colour=red", "unknown"),
        ("phone=12", "phone-length"),
    ] {
        let refused = desk.get(&format!("/v1/patients?{query}")).await.refused(400, "validation");
        assert!(
            desk::codes(&refused)[0].contains(code) || query.starts_with("phone"),
            "{query}: {refused:#}"
        );
    }
    // A name of two letters is found where it is whole.
    registered(&desk, person("Bo", "Li", "1990-01-01", "08031234567")).await;
    registered(&desk, person("Bo", "Lindberg", "1990-01-02", "08031234568")).await;
    assert_eq!(names(&desk, "name=li").await, ["Bo Li"]);
}

#[tokio::test]
async fn a_card_says_who_it_is_and_every_card_shown_is_recorded() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let [emeka, ..] = town(&world, &desk).await;
    world.letters.take(Queue::Access);
    let card = desk.get("/v1/patients?q=okonkwo").await.ok()["data"][0].clone();
    assert_eq!(
        card,
        json!({"id": emeka, "number": "PT-2026-00001", "name": "Emeka Okonkwo", "preferred_name": "Mekky", "gender": "male",
               "age": {"value": 46, "unit": "years"}, "status": "registered", "flags": []})
    );
    let looked = world.letters.take(Queue::Access);
    assert_eq!((&looked[0]["ids"], &looked[0]["action"]), (&json!([emeka]), &json!("patient.list")));
    world.letters.down(true);
    desk.get("/v1/patients?q=okonkwo").await.refused(503, "access-not-recorded");
    world.letters.down(false);
}

#[tokio::test]
async fn each_site_sees_its_own_and_restricted_people_are_a_number() {
    let (world, grace) = hospital().await;
    let [main, branch] = [0, 1].map(|n| grace.staff_at("receptionist", &[n]));
    let here = registered(&main, ngozi()).await;
    registered(&branch, person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    assert_eq!(names(&main, "limit=10").await, ["Ngozi Okonkwo"]);
    assert_eq!(names(&branch, "limit=10").await, ["Tunde Lawal"]);
    assert_eq!(names(&branch, "q=okonkwo").await, [] as [&str; 0]);
    assert_eq!(names(&grace.staff("tenant_admin"), "limit=10").await, ["Ngozi Okonkwo", "Tunde Lawal"]);
    branch.get(&format!("/v1/patients/{here}")).await.refused(403, "no-reach");
    grace.staff_at("receptionist", &[0, 1]).get("/v1/patients").await.refused(400, "validation");

    let admin = grace.staff("tenant_admin");
    let secret = json!({"confidentiality": "R"});
    admin
        .call("PATCH", &format!("/v1/patients/{here}"))
        .because("a colleague")
        .body(secret)
        .send()
        .await
        .ok();
    assert_eq!(names(&main, "q=okonkwo").await, ["***"]);
    let masked = main.get("/v1/patients").await.ok()["data"][0].clone();
    assert_eq!(
        masked,
        json!({"id": here, "number": masked["number"], "status": "registered", "restricted": true})
    );
    main.get(&format!("/v1/patients/{here}")).await.refused(403, "no-reach");
    assert!(!main.get("/v1/patients?q=ngozi").await.body.to_string().contains("Ngozi"));

    // Strangers of another organisation: as if there were nothing.
    let mercy = world.hospital("mercy").await;
    let foreign = mercy.staff("receptionist tenant_admin doctor");
    let (theirs, none) = (
        foreign.get(&format!("/v1/patients/{here}")).await,
        foreign.get("/v1/patients/pat_01J00000000000000000000000").await,
    );
    theirs.clone().missing();
    assert_eq!(stripped(&theirs.body), stripped(&none.body));
    assert_eq!(names(&foreign, "q=okonkwo").await, [] as [&str; 0]);
}

fn stripped(problem: &Value) -> Value {
    let mut problem = problem.clone();
    for name in ["instance", "request_id"] {
        problem.as_object_mut().unwrap().remove(name);
    }
    problem
}

#[tokio::test]
async fn the_register_is_listed_by_status_and_by_time() {
    let (world, grace) = hospital().await;
    let desk = grace.staff_at("receptionist", &[0]);
    world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    registered(&desk, ngozi()).await;
    world.clock.set("2026-11-21T09:00:00Z".parse().unwrap());
    registered(&desk, person("Tunde", "Lawal", "1960-01-02", "08051112222")).await;
    let site = grace.sites[0];
    let of = async |query: &str| names(&desk, query).await;
    assert_eq!(of(&format!("site={site}&status=registered")).await.len(), 2);
    assert_eq!(of(&format!("site={site}&status=discharged")).await.len(), 0);
    assert_eq!(
        of(&format!("site={site}&status=registered&registered_from=2026-11-21T00:00:00Z")).await,
        ["Tunde Lawal"]
    );
    assert_eq!(
        of(&format!("site={site}&status=registered&registered_to=2026-11-20T23:00:00Z")).await,
        ["Ngozi Okonkwo"]
    );
    let first = desk.get("/v1/patients?limit=1").await.ok();
    assert_eq!(first["data"][0]["name"], "Tunde Lawal", "newest first");
    let next = first["next"].as_str().expect("a cursor");
    assert_eq!(names(&desk, &format!("limit=1&cursor={next}")).await, ["Ngozi Okonkwo"]);
}

#[tokio::test]
async fn finding_costs_two_rounds_and_showing_one() {
    let (world, grace) = hospital().await;
    let desk = grace.staff("receptionist");
    let [emeka, ..] = town(&world, &desk).await;
    let show = format!("/v1/patients/{emeka}");
    let history = format!("{show}/history");
    for (path, operation) in [
        ("/v1/patients?q=okonkwo", "patient.list"),
        ("/v1/patients?q=1", "patient.list"),
        ("/v1/patients?q=08031234567", "patient.list"),
        ("/v1/patients?q=12345678901", "patient.list"),
        ("/v1/patients?q=emeka%40example.org", "patient.list"),
        (show.as_str(), "patient.show"),
        (history.as_str(), "patient.history"),
    ] {
        world.rounds();
        desk.get(path).await.ok();
        world.spends(desk::budget(operation), path);
    }
    world.rounds();
    desk.get("/v1/patients").await.ok();
    world.spends(1, "the plain list");
}
