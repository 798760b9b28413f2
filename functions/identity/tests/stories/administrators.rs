//! One administrator always stays; races have one winner. IDN-2

use crate::support::*;
use futures::future::join_all;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_administrators_disabling_each_other_exactly_one_succeeds() {
    let scene = scene_of(true).await;
    let (a, b) = (scene.hires("ngozi", "tenant_admin").await, scene.hires("bola", "tenant_admin").await);
    let ngozi = scene.signs_in(&a).await.with("enrol", "");
    let bola = scene.signs_in(&b).await.with("enrol", "");
    let out = |user: &str| format!("/v1/identity/users/{user}/disable");
    let (of_b, of_a) = (out(&b), out(&a));
    let because = || json!({"reason": "a quarrel"});
    let (first, second) = futures::join!(ngozi.post(&of_b, because()), bola.post(&of_a, because()));
    let mut said = [(first.status, first.code().to_string()), (second.status, second.code().to_string())];
    said.sort();
    assert_eq!(said, [(200, String::new()), (409, "last-administrator".into())]);
}

#[tokio::test]
async fn the_last_administrator_is_neither_disabled_nor_demoted() {
    let scene = scene().await;
    let user = scene.hires("ngozi", "tenant_admin").await;
    scene.signs_in(&user).await;
    let path = format!("/v1/identity/users/{user}");
    let call = scene.admin.call("PATCH", &path).because("smaller shoes").body(json!({"roles": ["hr"]}));
    call.send().await.refused(409, "last-administrator");
    for command in ["suspend", "disable", "bar"] {
        let refused = scene.admin.post(&format!("{path}/{command}"), json!({"reason": "a test"})).await;
        refused.refused(409, "last-administrator");
    }
    let other = scene.hires("bola", "tenant_admin").await;
    scene
        .admin
        .post(&format!("{path}/disable"), json!({"reason": "too early"}))
        .await
        .refused(409, "last-administrator");
    scene.signs_in(&other).await;
    scene.admin.post(&format!("{path}/disable"), json!({"reason": "replaced"})).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_invitations_to_one_address_one_is_sent() {
    let scene = scene_of(true).await;
    let all = (0..8).map(|_| scene.admin.post("/v1/identity/users", person("ada", "nurse")));
    let mut said: Vec<u16> = join_all(all).await.iter().map(|r| r.status).collect();
    said.sort();
    assert_eq!(said, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_changed_at_the_same_moment_are_all_in_the_gate() {
    let scene = scene_of(true).await;
    let mut users = vec![];
    for n in ["ada", "ben", "chi", "dayo", "eve", "femi"] {
        users.push(scene.invites(n, "nurse").await["id"].as_str().unwrap().to_string());
    }
    let paths: Vec<String> = users.iter().map(|u| format!("/v1/identity/users/{u}/signout")).collect();
    for reply in join_all(paths.iter().map(|p| scene.admin.post(p, json!({})))).await {
        reply.ok();
    }
    let fact: serde_json::Value =
        scene.grace.store().await.fact(store::facts::ACCESS, "self").await.unwrap().unwrap();
    assert!(users.iter().all(|u| fact["revoked"][u]["generation"] == 2), "{fact}");
    assert_eq!(fact["version"], 6);
}

#[tokio::test]
async fn barring_somebody_takes_two_administrators() {
    let scene = scene().await;
    let user = scene.hires("eve", "nurse").await;
    let eve = scene.signs_in(&user).await;
    let path = format!("/v1/identity/users/{user}");
    scene.admin.post(&format!("{path}/bar"), json!({"reason": "stole medicines"})).await.ok();
    scene
        .admin
        .post(&format!("{path}/confirm-bar"), json!({"reason": "sure"}))
        .await
        .refused(403, "own-request");
    let second = scene.grace.staff("tenant_admin");
    assert_eq!(
        second.post(&format!("{path}/confirm-bar"), json!({"reason": "agreed"})).await.ok()["status"],
        "disabled"
    );
    assert!(scene.world.deliver().await.contains(&"user.barred".to_string()));
    eve.get("/v1/me").await.refused(401, "session-ended");
    let account = scene.pool.account(&user);
    assert!(account.disabled && account.signed_out > 0, "{account:?}");
    second.post(&format!("{path}/enable"), json!({"reason": "regret"})).await.refused(409, "user-barred");
    scene.admin.post("/v1/identity/users", person("eve", "nurse")).await.refused(409, "duplicate");
}

#[tokio::test]
async fn a_command_that_does_not_exist_in_a_state_is_refused() {
    let scene = scene().await;
    let made = scene.invites("ada", "nurse").await;
    let path = format!("/v1/identity/users/{}", made["id"].as_str().unwrap());
    for command in ["suspend", "reactivate", "enable", "confirm-bar"] {
        scene
            .admin
            .post(&format!("{path}/{command}"), json!({"reason": "a test"}))
            .await
            .refused(422, "state");
    }
    scene.admin.delete(&path).await.refused(422, "state");
    scene.admin.post(&format!("{path}/disable"), json!({"reason": "not coming"})).await.ok();
    scene.admin.delete(&path).await.done();
    scene.admin.get(&path).await.missing();
    assert_eq!(scene.admin.post(&format!("{path}/restore"), json!({})).await.ok()["status"], "disabled");
}
