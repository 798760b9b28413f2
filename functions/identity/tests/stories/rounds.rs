//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::support::*;
use jiff::SignedDuration;
use kernel::{Id, PatientId};
use serde_json::{Value, json};
use store::facts;

const WHY: &str = "the insurer asks for it, since Monday";

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

async fn made(scene: &Scene, path: &str, body: Value) -> Value {
    scene.admin.call("POST", path).because(WHY).body(body).send().await.created()
}

#[tokio::test]
async fn a_user_makes_their_round() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let path = "/v1/identity/users";
    let round = scene.admin.round(path, &user).refuses("delete", 422, "state");
    round.patch(json!({"given_name": "Adebisi"})).await;
    scene.admin.post(&format!("{path}/{user}/disable"), json!({"reason": "has left us"})).await.ok();
    scene.admin.round(path, &user).patch(json!({"given_name": "Bisi"})).await;
}

#[tokio::test]
async fn whoever_is_suspended_comes_back_for_a_reason_and_signs_in_again() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    scene.signs_in(&user).await;
    let path = format!("/v1/identity/users/{user}");
    let gives = async |command: &str, body: Value| scene.admin.post(&format!("{path}/{command}"), body).await;
    gives("reactivate", json!({"reason": "was cleared"})).await.refused(422, "state");
    assert_eq!(gives("suspend", json!({"reason": "is looked into"})).await.ok()["status"], "suspended");
    assert!(scene.token(&user, "TokenGeneration_HostedAuth").await.is_err());
    gives("reactivate", json!({})).await.refused(422, "reason-required");
    assert_eq!(gives("reactivate", json!({"reason": "was cleared"})).await.ok()["status"], "active");
    scene.world.deliver().await;
    let bisi = scene.signs_in(&user).await;
    assert_eq!(bisi.get("/v1/identity/me").await.ok()["id"], user);
}

#[tokio::test]
async fn roles_overrides_and_access_rules_make_their_rounds() {
    let scene = scene().await;
    let grants = json!([{"permission": "patient.view", "reach": "site"}]);
    let role =
        json!({"slug": "x_ward_clerk", "name": "Ward clerk", "based_on": "receptionist", "grants": grants});
    let rule = json!({"role": "finance", "mode": "enforce", "allow_cidr": ["196.6.103.0/24"]});
    let narrower = json!({"role": "receptionist", "permission": "patient.create", "reach": "none"});
    for (path, body, change) in [
        ("/v1/identity/roles", role, json!({"name": "Clerk of a ward"})),
        ("/v1/identity/overrides", narrower, json!({"reach": "own"})),
        ("/v1/identity/access-rules", rule, json!({"mode": "report"})),
    ] {
        let record = made(&scene, path, body).await;
        scene
            .admin
            .patch(&format!("{path}/{}", id(&record)), change.clone())
            .await
            .refused(422, "reason-required");
        scene.admin.round(path, id(&record)).because(WHY).patch(change).await;
    }
}

#[tokio::test]
async fn a_team_makes_its_round() {
    let scene = scene().await;
    let ada = scene.hires("ada", "nurse").await;
    let body = json!({"name": "Night shift", "site": scene.grace.sites[0], "lead": ada, "members": [ada]});
    let team = scene.admin.post("/v1/identity/teams", body).await.created();
    scene.admin.round("/v1/identity/teams", id(&team)).patch(json!({"name": "Late shift"})).await;
}

#[tokio::test]
async fn an_elevation_makes_its_round() {
    let scene = scene().await;
    let user = scene.hires("ola", "pharmacist").await;
    let ola = scene.signs_in(&user).await.with("enrol", "");
    let asked =
        json!({"role": "tenant_admin", "hours": 2, "reason": "the administrator is away for two days"});
    let asked = ola.post("/v1/identity/elevations", asked).await.created();
    let approve = format!("/v1/identity/elevations/{}/approve", id(&asked));
    scene.admin.post(&approve, json!({})).await.ok();
    scene.admin.round("/v1/identity/elevations", id(&asked)).await;
    ola.round("/v1/identity/elevations", id(&asked)).await;
}

#[tokio::test]
async fn a_broken_glass_is_judged_when_it_is_closed_and_makes_its_round() {
    let scene = scene().await;
    let patient = PatientId::at(scene.world.clock.now());
    let store = scene.grace.store().await;
    store.commit().fact(facts::PATIENT, patient, &json!({"live": true})).run().await.unwrap();
    let (nurse, quality) = (scene.grace.staff("nurse"), scene.grace.staff("quality"));
    let path = "/v1/identity/break-glass";
    let body = json!({"record": patient, "reason_code": "cover", "reason": "unconscious in the corridor, allergies unknown"});
    let glass = nurse.post(path, body).await.created();
    let gives = |command: &str| format!("{path}/{}/{command}", id(&glass));
    let judged = json!({"outcome": "unjustified", "note": "was not on shift"});
    quality.post(&gives("review"), judged.clone()).await.refused(422, "state");
    nurse.post(&gives("close"), json!({})).await.ok();
    nurse.post(&gives("review"), judged.clone()).await.refused(403, "forbidden");
    let reviewed = quality.post(&gives("review"), judged).await.ok();
    assert_eq!(
        (&reviewed["status"], &reviewed["review"]["by"]),
        (&json!("reviewed"), &json!(quality.user()))
    );
    quality.round(path, id(&glass)).await;
    quality.get(&format!("{path}?status=open")).await.ok()["data"].as_array().unwrap().iter().for_each(|g| {
        assert_ne!(g["id"], glass["id"], "it is open no more");
    });
}

#[tokio::test]
async fn an_administrator_sees_somebodys_sessions_and_ends_one() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    bisi.get("/v1/me").await.ok();
    scene.hears().await;
    let theirs = format!("/v1/identity/users/{user}/sessions");
    let sessions = scene.admin.get(&theirs).await.ok();
    let one = format!("/v1/identity/sessions/{}", id(&sessions["data"][0]));
    scene.grace.staff("receptionist").delete(&one).await.missing();
    scene.admin.delete(&one).await.done();
    scene.admin.delete(&one).await.done();
    bisi.get("/v1/me").await.refused(401, "session-ended");
    scene.world.clock.advance(SignedDuration::from_mins(1));
    let again = scene.signs_in(&user).await;
    let logins = again.get("/v1/identity/me/logins").await.ok();
    let outcomes: Vec<&Value> = logins["data"].as_array().unwrap().iter().map(|l| &l["outcome"]).collect();
    assert_eq!(outcomes, [&json!("success"), &json!("success")], "{logins:#}");
    let ended = scene.admin.get(&theirs).await.ok();
    assert_eq!(ended["data"][1]["end_reason"], "ended by an administrator", "{ended:#}");
}

/// Who joins finance does so by two people, of whom the second may say no.
#[tokio::test]
async fn an_approval_makes_its_round_and_is_rejected_for_a_reason_by_somebody_else() {
    let scene = scene().await;
    let store = scene.grace.store().await;
    store.commit().drop_fact(facts::APPROVAL_POLICY, "role.grant").run().await.unwrap();
    scene.world.app.policies().forget(scene.grace.scope());
    let (ada, bola) = (scene.grace.staff("tenant_admin"), scene.grace.staff("tenant_admin"));
    for who in [&ada, &bola] {
        scene.grace.present(who).await;
    }
    let asked =
        ada.post("/v1/identity/users", person("chi", "finance")).await.refused(428, "approval-required");
    let approval = asked["approval"].as_str().unwrap();
    let path = "/v1/identity/approvals";
    let round = bola.round(path, approval).derives("request").derives("preview").derives("approve_url");
    round.await;
    let reject = format!("{path}/{approval}/reject");
    ada.post(&reject, json!({"reason": "no"})).await.refused(403, "own-request");
    bola.post(&reject, json!({})).await.refused(422, "reason-required");
    assert_eq!(bola.post(&reject, json!({"reason": "not now"})).await.ok()["status"], "rejected");
    bola.post(&format!("{path}/{approval}/approve"), json!({})).await.refused(409, "already-decided");
    scene.world.deliver().await;
    assert!(scene.world.letters.letters("chi@grace.example").is_empty(), "nobody was invited");
}
