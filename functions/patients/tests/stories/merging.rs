//! PAT-4: two records of one person become one, and two again.

use crate::desk::{codes, event, hospital, id, id_at, ngozi, person, registered, with};
use serde_json::{Value, json};
use store::facts;
use testkit::{Actor, Tenant, World};

struct Pair {
    world: World,
    grace: Tenant,
    desk: Actor,
    admin: Actor,
    survivor: String,
    duplicate: String,
}

impl Pair {
    async fn begin() -> Self {
        let (world, grace) = hospital().await;
        world.clock.set("2026-11-20T08:00:00Z".parse().unwrap());
        let (desk, admin) = (grace.staff("receptionist"), grace.staff("tenant_admin"));
        let survivor = registered(&desk, ngozi()).await;
        let other = with(
            person("Gozi", "Nwosu", "1990-06-01", "08051112222"),
            json!({"identifiers": [{"type": "nin", "value": "12345678901"}]}),
        );
        let duplicate = registered(&desk, other).await;
        Self { world, grace, desk, admin, survivor, duplicate }
    }
    async fn merge(&self, choices: Value) -> testkit::Reply {
        let body = json!({"survivor": self.survivor, "duplicate": self.duplicate, "choices": choices, "reason": "one and the same"});
        self.admin.post("/v1/patients/merges", body).await
    }
    async fn visits(&self, patient: &str, day: u8) {
        for hour in 9..12 {
            let at = format!("2026-11-{day:02}T{hour:02}:00:00Z");
            let data = json!({"patient": patient});
            self.world
                .hand_over(&event(&self.grace, "patient_visit.checked_in", &id_at("pvi", &at), 1, &at, data))
                .await;
        }
    }
    async fn timeline(&self, patient: &str) -> usize {
        let page = self.admin.get(&format!("/v1/patients/{patient}/timeline?limit=100")).await.ok();
        page["data"].as_array().unwrap().len()
    }
    async fn found(&self, query: &str) -> Vec<String> {
        let page = self.desk.get(&format!("/v1/patients?q={query}")).await.ok();
        page["data"].as_array().unwrap().iter().map(id).collect()
    }
    async fn allergies(&self, patient: &str) -> Value {
        self.grace.store().await.fact::<Value>(facts::ALLERGIES, patient).await.unwrap().unwrap_or_default()["codes"].clone()
    }
}

fn allergy(code: &str) -> Value {
    json!({"substance": {"system": "atc", "code": code, "text": code}, "category": "medication"})
}

#[tokio::test]
async fn two_records_become_one_and_two_again() {
    let pair = Pair::begin().await;
    let (a, b) = (pair.survivor.clone(), pair.duplicate.clone());
    let nurse = pair.grace.staff("nurse");
    pair.visits(&a, 20).await;
    pair.visits(&b, 21).await;
    nurse.post(&format!("/v1/patients/{a}/allergies"), allergy("J01C")).await.created();
    nurse.post(&format!("/v1/patients/{b}/allergies"), allergy("N02B")).await.created();

    let body = json!({"survivor": a, "duplicate": b});
    let preview = pair.admin.post("/v1/patients/merges/preview", body).await.ok();
    assert_eq!((&preview["blockers"], &preview["moves"]["allergies"]), (&json!([]), &json!(1)));
    assert!(
        preview["differences"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["field"] == "family_name" && d["duplicate"] == "Nwosu")
    );

    pair.desk
        .post("/v1/patients/merges", json!({"survivor": a, "duplicate": b, "reason": "x"}))
        .await
        .refused(403, "forbidden");
    let merge = pair.merge(json!({"identifiers": "duplicate"})).await.created();
    assert_eq!(pair.timeline(&a).await, 6);
    assert_eq!(pair.timeline(&b).await, 6, "the merged id answers for the survivor");
    let shown = pair.admin.get(&format!("/v1/patients/{b}")).await.ok();
    assert_eq!((&shown["id"], &shown["merged_from"]), (&json!(a), &json!(b)));
    assert_eq!(shown["identifiers"][0]["value"], "12345678901");
    assert_eq!(shown["aliases"], json!([b]));
    assert_eq!(pair.allergies(&a).await, json!(["J01C", "N02B"]), "what either was allergic to");
    assert_eq!(
        nurse.get(&format!("/v1/patients/{a}/allergies")).await.ok()["data"].as_array().unwrap().len(),
        2
    );
    for query in ["okonkwo", "nwosu", "08051112222", "08031234567", "12345678901", "2", "1"] {
        assert_eq!(pair.found(query).await, std::slice::from_ref(&a), "{query}");
    }

    // Writing about the duplicate fails, and says where to go.
    let edit = pair.admin.patch(&format!("/v1/patients/{b}"), json!({"occupation": "Welder"})).await;
    assert_eq!(edit.refused(409, "patient-merged")["survivor"], json!(a));
    let fact: Value = pair.grace.store().await.fact(facts::PATIENT, &b).await.unwrap().unwrap();
    assert_eq!((&fact["live"], &fact["merged_into"]), (&json!(false), &json!(a)));
    // Their number is the survivor's now.
    let again = with(
        person("Halima", "Sani", "1985-01-01", "09011112222"),
        json!({"identifiers": [{"type": "nin", "value": "12345678901"}]}),
    );
    assert_eq!(
        pair.desk.post("/v1/patients", again).await.refused(409, "identifier-taken")["record"],
        json!(a)
    );

    pair.visits(&a, 22).await;
    pair.admin.patch(&format!("/v1/patients/{a}"), json!({"occupation": "Tailor"})).await.ok();
    let undo = format!("/v1/patients/merges/{}/undo", id(&merge));
    pair.admin.post(&undo, json!({})).await.refused(422, "reason-required");
    pair.admin.post(&undo, json!({"reason": "two people after all"})).await.ok();
    assert_eq!(
        (pair.timeline(&a).await, pair.timeline(&b).await),
        (6, 3),
        "what came meanwhile stays with the survivor"
    );
    assert_eq!((pair.allergies(&a).await, pair.allergies(&b).await), (json!(["J01C"]), json!(["N02B"])));
    assert_eq!((pair.found("nwosu").await, pair.found("okonkwo").await), (vec![b.clone()], vec![a.clone()]));
    let (one, two) = (
        pair.admin.get(&format!("/v1/patients/{a}")).await.ok(),
        pair.admin.get(&format!("/v1/patients/{b}")).await.ok(),
    );
    assert_eq!((one.get("identifiers"), &two["identifiers"][0]["value"]), (None, &json!("12345678901")));
    assert_eq!(one["occupation"], "Tailor", "edited since, so it stays");
    let again = with(
        person("Halima", "Sani", "1985-01-01", "09011112222"),
        json!({"identifiers": [{"type": "nin", "value": "12345678901"}]}),
    );
    assert_eq!(
        pair.desk.post("/v1/patients", again).await.refused(409, "identifier-taken")["record"],
        json!(b)
    );
    pair.admin.post(&undo, json!({"reason": "twice"})).await.refused(422, "state");
    let names: Vec<String> =
        pair.world.events().await.into_iter().map(|e| e.kind).filter(|k| k.contains("merged")).collect();
    assert_eq!(names, ["patient.merged", "patient.unmerged"]);
}

#[tokio::test]
async fn a_field_edited_since_the_merge_keeps_its_value_when_it_is_undone() {
    let pair = Pair::begin().await;
    let merge = pair.merge(json!({"birth_date": "duplicate", "family_name": "duplicate"})).await.created();
    let path = format!("/v1/patients/{}", pair.survivor);
    pair.admin
        .call("PATCH", &path)
        .because("certificate seen")
        .body(json!({"birth_date": "1990-05-20"}))
        .send()
        .await
        .ok();
    let undone = pair
        .admin
        .post(&format!("/v1/patients/merges/{}/undo", id(&merge)), json!({"reason": "no"}))
        .await
        .ok();
    assert_eq!(undone["kept"], json!(["birth_date"]));
    let shown = pair.admin.get(&path).await.ok();
    assert_eq!((&shown["birth_date"], &shown["family_name"]), (&json!("1990-05-20"), &json!("Okonkwo")));
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_merge_is_named_and_nothing_moves() {
    let pair = Pair::begin().await;
    let (a, b) = (&pair.survivor, &pair.duplicate);
    let merge = async |survivor: &str, duplicate: &str, choices: Value| {
        let body =
            json!({"survivor": survivor, "duplicate": duplicate, "choices": choices, "reason": "same"});
        pair.admin.post("/v1/patients/merges", body).await
    };
    merge(a, a, json!({})).await.refused(422, "cannot-merge-self");
    merge(a, "pat_01J00000000000000000000000", json!({})).await.missing();
    let foreign = registered(&pair.world.hospital("mercy").await.staff("receptionist"), ngozi()).await;
    merge(a, &foreign, json!({})).await.missing();
    assert_eq!(
        codes(&merge(a, b, json!({"colour": "duplicate"})).await.refused(422, "unknown-field")),
        ["/choices/colour unknown-field"]
    );
    for patient in [a, b] {
        let data = json!({"patient": patient});
        let at = "2026-11-20T10:00:00Z";
        pair.world.hand_over(&event(&pair.grace, "admission.admitted", &id_at("adm", at), 1, at, data)).await;
    }
    merge(a, b, json!({})).await.refused(409, "both-admitted");
    let at = "2026-11-20T11:00:00Z";
    pair.world
        .hand_over(&event(&pair.grace, "admission.died", &id_at("adm", at), 1, at, json!({"patient": b})))
        .await;
    merge(a, b, json!({})).await.refused(409, "death-differs");
    assert_eq!(pair.admin.get(&format!("/v1/patients/{b}")).await.ok()["id"], json!(b));
}

#[tokio::test]
async fn doubtful_merges_wait_for_a_second_person() {
    let pair = Pair::begin().await;
    let path = format!("/v1/patients/{}", pair.survivor);
    let nin = json!({"identifiers": [{"type": "nin", "value": "99999999999"}]});
    pair.admin.call("PATCH", &path).because("card").body(nin).send().await.ok();
    pair.grace.present(&pair.admin).await;
    let asked = pair.merge(json!({})).await.refused(428, "approval-required");
    let approval = format!("/v1/patients/approvals/{}", asked["approval"].as_str().unwrap());
    pair.admin.post(&format!("{approval}/approve"), json!({})).await.refused(403, "own-request");
    let second = pair.grace.staff("tenant_admin");
    assert_eq!(second.get(&approval).await.ok()["actions"], json!(["approve", "reject"]));
    let merge = second.post(&format!("{approval}/approve"), json!({})).await.created();
    assert_eq!(merge["survivor"], json!(pair.survivor));
    assert_eq!(
        pair.admin.get(&format!("/v1/patients/{}", pair.duplicate)).await.ok()["id"],
        json!(pair.survivor)
    );
    pair.merge(json!({})).await.refused(409, "already-merged");
}

#[tokio::test]
async fn merges_are_undone_last_first() {
    let pair = Pair::begin().await;
    let first = pair.merge(json!({})).await.created();
    let third = registered(&pair.desk, person("Tunde", "Lawal", "1960-01-02", "07061112222")).await;
    let body = json!({"survivor": pair.survivor, "duplicate": third, "reason": "same"});
    let second = pair.admin.post("/v1/patients/merges", body).await.created();
    let undo = async |merge: &Value| {
        pair.admin.post(&format!("/v1/patients/merges/{}/undo", id(merge)), json!({"reason": "no"})).await
    };
    undo(&first).await.refused(409, "later-merge-exists");
    undo(&second).await.ok();
    undo(&first).await.ok();
    assert_eq!(pair.found("lawal").await, [third]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_records_merged_into_each_other_at_once_end_as_one() {
    let world = World::contended(vec![patients::module()]).await;
    let grace = world.hospital("grace").await;
    let desk = grace.staff("receptionist");
    let a = registered(&desk, ngozi()).await;
    let b = registered(&desk, person("Gozi", "Nwosu", "1990-06-01", "08051112222")).await;
    let merge = |survivor: &str, duplicate: &str| {
        let (admin, body) = (
            grace.staff("tenant_admin"),
            json!({"survivor": survivor, "duplicate": duplicate, "reason": "same"}),
        );
        tokio::spawn(async move { admin.post("/v1/patients/merges", body).await.status })
    };
    let (one, two) = (merge(&a, &b), merge(&b, &a));
    let mut both = [one.await.unwrap(), two.await.unwrap()];
    both.sort();
    assert_eq!(both, [201, 409]);
}
