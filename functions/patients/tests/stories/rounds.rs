//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::desk::{hospital, id, ngozi, person, registered, with};
use serde_json::{Value, json};
use store::facts;
use testkit::{Actor, Tenant, World};

/// A patient, a desk and a nurse.
struct Ward {
    world: World,
    grace: Tenant,
    desk: Actor,
    nurse: Actor,
    patient: String,
}

impl Ward {
    async fn open() -> Self {
        let (world, grace) = hospital().await;
        world.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
        let (desk, nurse) = (grace.staff("receptionist"), grace.staff("nurse"));
        let patient = registered(&desk, ngozi()).await;
        Self { world, grace, desk, nurse, patient }
    }
    fn path(&self, part: &str) -> String {
        format!("/v1/patients/{}/{part}", self.patient)
    }
    async fn adds(&self, who: &Actor, part: &str, body: Value) -> String {
        id(&who.call("POST", &self.path(part)).because("seen").body(body).send().await.created())
    }
    async fn gives(&self, who: &Actor, part: &str, one: &str, command: &str, body: Value) -> testkit::Reply {
        who.post(&format!("{}/{one}/{command}", self.path(part)), body).await
    }
    async fn allergies(&self) -> Value {
        let fact: Option<Value> =
            self.grace.store().await.fact(facts::ALLERGIES, &self.patient).await.unwrap();
        let mut codes = fact.unwrap_or_default()["codes"].clone();
        codes.as_array_mut().unwrap().sort_by_key(ToString::to_string);
        codes
    }
}

fn allergy(code: &str) -> Value {
    json!({"substance": {"system": "atc", "code": code, "text": code}, "category": "medication"})
}

fn hmo() -> Value {
    json!({"payer_type": "hmo", "payer_id": "hygeia", "member_number": "HY/77", "relation": "principal",
           "valid_from": "2026-01-01", "valid_to": "2026-12-31", "primary": true})
}

#[tokio::test]
async fn a_patient_makes_their_round() {
    let w = Ward::open().await;
    let admin = w.grace.staff("tenant_admin");
    let round = admin.round("/v1/patients", &w.patient).listed_by("?q=okonkwo").because("the card was seen");
    round.patch(json!({"occupation": "tailor"})).await;
}

#[tokio::test]
async fn what_a_patient_has_makes_its_rounds() {
    let w = Ward::open().await;
    let one = w.adds(&w.nurse, "allergies", allergy("J01C")).await;
    w.nurse.round(&w.path("allergies"), &one).patch(json!({"note": "as a child"})).await;

    let flag = json!({"code": "fall_risk", "severity": "warning", "visibility": "clinical"});
    let one = w.adds(&w.nurse, "flags", flag).await;
    w.nurse.round(&w.path("flags"), &one).patch(json!({"severity": "danger"})).await;

    let one = w.adds(&w.desk, "coverages", hmo()).await;
    w.desk.round(&w.path("coverages"), &one).patch(json!({"valid_to": "2027-12-31"})).await;

    let kin = json!({"name": "Emeka Okonkwo", "relationship": "spouse"});
    let one = w.adds(&w.desk, "related_persons", kin).await;
    w.desk.round(&w.path("related_persons"), &one).patch(json!({"relationship": "sibling"})).await;

    let doctor = w.grace.staff("doctor");
    let habits = |text: &str| json!({"conditions": [{"text": text}]});
    let made = doctor.patch(&w.path("background"), habits("nothing of note")).await.ok();
    let patient = format!("/v1/patients/{}", w.patient);
    let round = doctor.round(&patient, "background").known_as(&id(&made)).apart("list");
    round.patch(habits("smokes")).await;
}

#[tokio::test]
async fn an_allergy_is_confirmed_resolved_or_was_a_mistake_and_prescribers_see_the_open_ones_alone() {
    let w = Ward::open().await;
    let [first, second] = [
        w.adds(&w.nurse, "allergies", allergy("J01C")).await,
        w.adds(&w.nurse, "allergies", allergy("N02B")).await,
    ];
    w.gives(&w.desk, "allergies", &first, "confirm", json!({})).await.refused(403, "forbidden");
    let confirmed = w.gives(&w.nurse, "allergies", &first, "confirm", json!({})).await.ok();
    assert_eq!((&confirmed["verification_status"], &confirmed["version"]), (&json!("confirmed"), &json!(2)));
    assert_eq!(w.allergies().await, json!(["J01C", "N02B"]));

    w.gives(&w.nurse, "allergies", &first, "resolve", json!({})).await.refused(422, "reason-required");
    let outgrown = json!({"reason": "outgrown"});
    let resolved = w.gives(&w.nurse, "allergies", &first, "resolve", outgrown.clone()).await.ok();
    assert_eq!(resolved["clinical_status"], "resolved");
    assert_eq!(w.allergies().await, json!(["N02B"]));
    w.gives(&w.nurse, "allergies", &first, "resolve", outgrown).await.refused(422, "state");

    w.gives(&w.nurse, "allergies", &second, "entered_in_error", json!({}))
        .await
        .refused(422, "reason-required");
    let mistake = json!({"reason": "another patient's"});
    let error = w.gives(&w.nurse, "allergies", &second, "entered_in_error", mistake).await.ok();
    assert_eq!(error["verification_status"], "entered_in_error");
    assert_eq!(w.allergies().await, json!([]));
    w.gives(&w.nurse, "allergies", &second, "confirm", json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn a_cover_is_cancelled_a_flag_ends_and_somebody_is_related_no_more() {
    let w = Ward::open().await;
    let cover = w.adds(&w.desk, "coverages", hmo()).await;
    w.gives(&w.desk, "coverages", &cover, "cancel", json!({})).await.refused(422, "reason-required");
    let cancelled =
        w.gives(&w.desk, "coverages", &cover, "cancel", json!({"reason": "left the scheme"})).await.ok();
    assert_eq!(cancelled["status"], "cancelled");
    let standing: Value = w.grace.store().await.fact(facts::COVERAGE, &w.patient).await.unwrap().unwrap();
    assert_eq!(standing["coverages"], json!([]), "nobody is billed by it");
    w.gives(&w.desk, "coverages", &cover, "resume", json!({})).await.refused(422, "state");

    let flag = json!({"code": "interpreter", "severity": "info", "visibility": "all_staff"});
    let flag = w.adds(&w.nurse, "flags", flag).await;
    assert_eq!(w.desk.get("/v1/patients?q=okonkwo").await.ok()["data"][0]["flags"], json!(["interpreter"]));
    w.gives(&w.nurse, "flags", &flag, "end", json!({})).await.refused(422, "reason-required");
    let ended = w.gives(&w.nurse, "flags", &flag, "end", json!({"reason": "speaks English"})).await.ok();
    assert_eq!(ended["status"], "ended");
    assert_eq!(w.desk.get("/v1/patients?q=okonkwo").await.ok()["data"][0]["flags"], json!([]));
    w.gives(&w.nurse, "flags", &flag, "end", json!({"reason": "again"})).await.refused(422, "state");

    let kin = json!({"name": "Emeka", "relationship": "spouse", "roles": ["next_of_kin"], "priority": 1});
    let one = w.adds(&w.desk, "related_persons", kin.clone()).await;
    let other = with(kin.clone(), json!({"name": "Ify", "relationship": "sibling"}));
    w.desk.post(&w.path("related_persons"), other.clone()).await.refused(409, "next-of-kin-taken");
    assert_eq!(w.gives(&w.desk, "related_persons", &one, "end", json!({})).await.ok()["ended"], true);
    w.gives(&w.desk, "related_persons", &one, "end", json!({})).await.refused(422, "state");
    w.desk.post(&w.path("related_persons"), other).await.created();
    w.world.deliver().await;
}

#[tokio::test]
async fn a_merge_is_shown_and_the_wish_to_take_a_death_back_makes_its_round() {
    let w = Ward::open().await;
    let admin = w.grace.staff("tenant_admin");
    let other = registered(&w.desk, person("Gozi", "Nwosu", "1990-06-01", "08051112222")).await;
    let body =
        json!({"survivor": w.patient, "duplicate": other, "choices": {}, "reason": "one and the same"});
    let merge = admin.post("/v1/patients/merges", body).await.created();
    let shown = admin.get(&format!("/v1/patients/merges/{}", id(&merge))).await.ok();
    assert_eq!((&shown["survivor"], &shown["duplicate"]), (&json!(w.patient), &json!(other)));
    w.nurse.get(&format!("/v1/patients/merges/{}", id(&merge))).await.refused(403, "forbidden");

    let doctor = w.grace.staff("doctor");
    let death = json!({"at": "2026-11-20T08:00:00Z", "precision": "minute", "source": "clinician", "reason": "found dead"});
    doctor.post(&w.path("deceased"), death).await.ok();
    let second = w.grace.staff("tenant_admin");
    w.grace.present(&admin).await;
    let asked = admin.post(&w.path("reverse_death"), json!({"reason": "the wrong record"})).await;
    let asked = asked.refused(428, "approval-required");
    let round = second.round("/v1/patients/approvals", asked["approval"].as_str().unwrap());
    round.derives("request").derives("preview").derives("approve_url").await;
    let reject = format!("/v1/patients/approvals/{}/reject", asked["approval"].as_str().unwrap());
    admin.post(&reject, json!({"reason": "no"})).await.refused(403, "own-request");
    second.post(&reject, json!({})).await.refused(422, "reason-required");
    let rejected = second.post(&reject, json!({"reason": "the certificate is here"})).await.ok();
    assert_eq!(rejected["status"], "rejected");
    assert_eq!(admin.get(&format!("/v1/patients/{}", w.patient)).await.ok()["status"], "deceased");
}
