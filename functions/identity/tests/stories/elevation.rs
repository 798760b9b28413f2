//! A role for some hours. IDN-8

use crate::support::*;
use jiff::SignedDuration;
use serde_json::json;

const WHY: &str = "the administrator is away for two days";

#[tokio::test]
async fn a_pharmacist_runs_the_organisation_for_two_hours_and_not_a_minute_longer() {
    let scene = scene().await;
    let user = scene.hires("ola", "pharmacist").await;
    let ola = scene.signs_in(&user).await.with("enrol", "");
    ola.get("/v1/identity/roles").await.refused(403, "forbidden");
    let asked = ola
        .post("/v1/identity/elevations", json!({"role": "tenant_admin", "hours": 2, "reason": WHY}))
        .await
        .created();
    let path = format!("/v1/identity/elevations/{}", asked["id"].as_str().unwrap());
    ola.post(&format!("{path}/approve"), json!({})).await.refused(403, "forbidden");
    let given = scene.admin.post(&format!("{path}/approve"), json!({})).await.ok();
    assert_eq!(given["status"], "active");
    let second = scene.grace.staff("tenant_admin").post(&format!("{path}/approve"), json!({})).await.ok();
    assert_eq!((&second["approver"], &second["until"]), (&given["approver"], &given["until"]));
    ola.get("/v1/identity/roles").await.ok();
    let me = ola.get("/v1/me").await.ok();
    assert_eq!((&me["elevated"], &me["permissions"]["role.edit"]), (&json!(["tenant_admin"]), &json!("all")));
    let made = ola.post("/v1/identity/users", person("temi", "nurse")).await.created();
    let history =
        scene.admin.get(&format!("/v1/identity/users/{}/history", made["id"].as_str().unwrap())).await.ok();
    assert_eq!(history["data"].as_array().unwrap().last().unwrap()["elevated"], asked["id"]);
    scene.world.clock.advance(SignedDuration::from_mins(120));
    let ola = ola.seen(scene.world.clock.now(), 15);
    ola.get("/v1/identity/roles").await.refused(403, "forbidden");
    assert!(scene.world.ring().await.contains(&"due.elv.end".into()));
    assert_eq!(scene.admin.get(&path).await.ok()["status"], "ended");
    let names = scene.world.deliver().await;
    assert!(names.contains(&"elevation.ended".into()), "{names:?}");
}

#[tokio::test]
async fn nobody_approves_their_own_request_or_gives_what_they_could_not() {
    let scene = scene().await;
    let admin = scene.hires("ngozi", "tenant_admin").await;
    let ngozi = scene.signs_in(&admin).await.with("enrol", "");
    let asked = ngozi
        .post("/v1/identity/elevations", json!({"role": "finance", "hours": 1, "reason": WHY}))
        .await
        .created();
    let path = format!("/v1/identity/elevations/{}", asked["id"].as_str().unwrap());
    ngozi.post(&format!("{path}/approve"), json!({})).await.refused(403, "own-request");
    scene.grace.staff_at("hr", &[0]).post(&format!("{path}/approve"), json!({})).await.missing();
    scene.admin.post(&format!("{path}/deny"), json!({"reason": "no need"})).await.ok();
    scene.admin.post(&format!("{path}/approve"), json!({})).await.refused(422, "state");
    let short = ngozi
        .post("/v1/identity/elevations", json!({"role": "finance", "hours": 73, "reason": "short"}))
        .await;
    assert_eq!(short.faults().len(), 2);
    short.refused(400, "validation");
}

#[tokio::test]
async fn an_elevation_is_ended_early_by_its_holder() {
    let scene = scene().await;
    let user = scene.hires("ola", "nurse").await;
    let ola = scene.signs_in(&user).await.with("enrol", "");
    let asked = ola
        .post("/v1/identity/elevations", json!({"role": "quality", "hours": 8, "reason": WHY}))
        .await
        .created();
    let path = format!("/v1/identity/elevations/{}", asked["id"].as_str().unwrap());
    scene.admin.post(&format!("{path}/approve"), json!({})).await.ok();
    assert_eq!(ola.get("/v1/me").await.ok()["elevated"], json!(["quality"]));
    ola.post(&format!("{path}/end"), json!({})).await.ok();
    assert_eq!(ola.get("/v1/me").await.ok()["elevated"], json!([]));
    let own = ola.get("/v1/identity/elevations").await.ok();
    assert_eq!(own["data"].as_array().unwrap().len(), 1);
    let other = scene.grace.staff("nurse").get("/v1/identity/elevations").await.ok();
    assert_eq!(other["data"], json!([]));
}
