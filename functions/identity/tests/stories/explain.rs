//! Overrides act, and explain says why. IDN-4

use crate::support::*;
use serde_json::json;

#[tokio::test]
async fn an_override_takes_a_right_away_and_explain_names_it() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await.with("enrol", "");
    let ask = format!("/v1/identity/explain?permission=patient.create&user={user}");
    let before = scene.admin.get(&ask).await.ok();
    assert_eq!((&before["allowed"], &before["decided_by"]), (&json!(true), &json!("grant")));
    let body = json!({"role": "receptionist", "permission": "patient.create", "reach": "none"});
    let call = scene
        .admin
        .call("POST", "/v1/identity/overrides")
        .because("registration moves to the office")
        .body(body);
    let made = call.send().await.created();
    let after = scene.admin.get(&ask).await.ok();
    assert_eq!((&after["allowed"], &after["decided_by"]), (&json!(false), &json!("override")));
    assert_eq!(after["trace"][0]["overridden"], "none");
    assert!(bisi.get("/v1/me").await.ok()["permissions"].get("patient.create").is_none());
    let path = format!("/v1/identity/overrides/{}", made["id"].as_str().unwrap());
    scene.admin.call("DELETE", &path).because("back again").send().await.done();
    assert_eq!(bisi.get("/v1/me").await.ok()["permissions"]["patient.create"], "site");
}

#[tokio::test]
async fn no_override_reaches_above_the_ceiling() {
    let scene = scene().await;
    let body = json!({"role": "patient", "permission": "role.edit", "reach": "own"});
    let call = scene.admin.call("POST", "/v1/identity/overrides").because("a try").body(body);
    let refused = call.send().await.refused(422, "above-ceiling");
    assert_eq!(refused["exceeds"][0]["ceiling"], "none");
    let overrides = scene.admin.get("/v1/identity/overrides").await.ok();
    assert_eq!(overrides["data"], json!([]), "nothing was written");
}

#[tokio::test]
async fn an_override_ends_by_itself() {
    let scene = scene().await;
    let until = scene.world.clock.now() + jiff::SignedDuration::from_hours(1);
    let body =
        json!({"role": "receptionist", "permission": "patient.create", "reach": "none", "expires": until});
    scene
        .admin
        .call("POST", "/v1/identity/overrides")
        .because("for an hour")
        .body(body)
        .send()
        .await
        .created();
    let user = scene.hires("bisi", "receptionist").await;
    let desk = scene.signs_in(&user).await.with("enrol", "");
    let may = || async { desk.get("/v1/me").await.ok()["permissions"].get("patient.create").is_some() };
    assert!(!may().await);
    scene.world.clock.advance(jiff::SignedDuration::from_mins(61));
    let desk = desk.clone().seen(scene.world.clock.now(), 15);
    let may = || async { desk.get("/v1/me").await.ok()["permissions"].get("patient.create").is_some() };
    assert!(may().await);
}

#[tokio::test]
async fn the_matrix_prints_what_is_in_force() {
    let scene = scene().await;
    let matrix = scene.admin.get("/v1/identity/matrix").await.ok();
    let line = |m: &serde_json::Value, p: &str| {
        m["permissions"].as_array().unwrap().iter().find(|l| l["permission"] == p).cloned().unwrap()
    };
    assert_eq!(line(&matrix, "user.create")["reach"]["tenant_admin"], "all");
    assert!(line(&matrix, "user.create")["reach"].get("nurse").is_none());
    assert!(!matrix["roles"].as_array().unwrap().contains(&json!("carer")), "no role of another edition");
    let body = json!({"role": "receptionist", "permission": "patient.create", "reach": "none"});
    scene.admin.call("POST", "/v1/identity/overrides").because("a test").body(body).send().await.created();
    let matrix = scene.admin.get("/v1/identity/matrix").await.ok();
    assert!(line(&matrix, "patient.create")["reach"].get("receptionist").is_none());
}

#[tokio::test]
async fn explain_tells_nothing_of_a_record_one_may_not_know_of() {
    let scene = scene().await;
    let mercy = scene.world.hospital("mercy").await;
    let other =
        mercy.staff("tenant_admin").post("/v1/identity/users", person("eve", "nurse")).await.created();
    let other = other["id"].as_str().unwrap();
    let ask = format!("/v1/identity/explain?permission=user.view&record={other}");
    scene.admin.get(&ask).await.missing();
    scene.admin.get(&format!("/v1/identity/explain?permission=user.view&user={other}")).await.missing();
    scene.admin.get("/v1/identity/explain?permission=no.such").await.refused(400, "validation");
    let user = scene.hires("ada", "doctor").await;
    let own = scene.admin.get(&format!("/v1/identity/explain?permission=user.view&record={user}")).await.ok();
    assert_eq!((&own["allowed"], &own["reach_needed"]), (&json!(true), &json!("site")));
}
