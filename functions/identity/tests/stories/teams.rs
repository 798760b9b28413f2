//! Teams and who leads whom. IDN-3

use crate::support::*;
use serde_json::json;

#[tokio::test]
async fn a_team_has_active_members_and_one_of_them_leads() {
    let scene = scene().await;
    let (ada, ben) = (scene.hires("ada", "nurse").await, scene.hires("ben", "nurse").await);
    let site = scene.grace.sites[0].to_string();
    let body = json!({"name": "Night shift", "site": site, "lead": ada, "members": [ada, ben]});
    let made = scene.admin.post("/v1/identity/teams", body.clone()).await.created();
    scene.admin.post("/v1/identity/teams", body).await.refused(409, "duplicate");
    let id = made["id"].as_str().unwrap();
    let members = || async {
        let dump = scene.world.scan().await;
        let pk = format!("{}#fact#members#team~{id}", scene.grace.id.prefix());
        dump.iter().filter(|i| i["pk"] == json!(pk)).count()
    };
    assert_eq!(members().await, 2);
    let path = format!("/v1/identity/teams/{id}");
    let outside = scene.admin.patch(&path, json!({"members": [ben]})).await;
    assert_eq!(outside.faults(), [("/lead".to_string(), "not-a-member".to_string())]);
    scene.admin.patch(&path, json!({"members": [ben], "lead": ben})).await.ok();
    assert_eq!(members().await, 1);
    let gone = "usr_01J00000000000000000000000";
    scene.admin.patch(&path, json!({"members": [ben, gone]})).await.refused(422, "user-unknown");
    scene.admin.delete(&path).await.done();
    assert_eq!(members().await, 0);
}

#[tokio::test]
async fn everybody_may_be_led_by_an_active_colleague_and_others_find_who_that_is() {
    let scene = scene().await;
    let (ada, ben) = (scene.hires("ada", "nurse").await, scene.hires("ben", "nurse").await);
    let manager = || async {
        let fact = scene.grace.store().await.fact::<serde_json::Value>(store::facts::MANAGER, &ada).await;
        fact.unwrap().map(|f| f["manager"].clone())
    };
    let path = format!("/v1/identity/users/{ada}");
    assert_eq!(manager().await, None);
    scene.admin.patch(&path, json!({"manager": ben})).await.ok();
    assert_eq!(manager().await, Some(json!(ben)));
    scene.admin.patch(&path, json!({"manager": ada})).await.refused(422, "own-manager");
    let gone = "usr_01J00000000000000000000000";
    scene.admin.patch(&path, json!({"manager": gone})).await.refused(422, "manager-unknown");
    let reason = json!({"reason": "left us"});
    scene.admin.post(&format!("{path}/disable"), reason).await.ok();
    assert_eq!(manager().await, Some(json!(ben)), "their work goes to the manager now");
    scene.admin.delete(&path).await.done();
    assert_eq!(manager().await, None);
    let mut new = person("cyn", "nurse");
    new["manager"] = json!(gone);
    scene.admin.post("/v1/identity/users", new.clone()).await.refused(422, "manager-unknown");
    new["manager"] = json!(ben);
    assert_eq!(scene.admin.post("/v1/identity/users", new).await.created()["manager"], json!(ben));
}
