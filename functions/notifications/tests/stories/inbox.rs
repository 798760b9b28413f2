//! The inbox: read on one device, gone from the badge of the other.

use crate::stage::{Stage, words};
use serde_json::{Value, json};

async fn told(stage: &Stage, of: &testkit::Actor, times: usize) {
    for _ in 0..times {
        let data =
            json!({"task": "tsk_01J00000000000000000000000", "assignee": of.user(), "priority": "normal"});
        stage.happens(&stage.event("task.assigned", data)).await;
        stage.later(1);
    }
}

async fn badge(of: &testkit::Actor) -> (i64, bool) {
    let count = of.get("/v1/notifications/count").await.ok();
    (count["unread"].as_i64().unwrap(), count["more"].as_bool().unwrap())
}

#[tokio::test]
async fn what_is_read_on_one_device_leaves_the_badge_of_the_other() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    told(&stage, &ada, 3).await;
    let phone = ada.clone().with("origin_jti", "ses-phone");
    assert_eq!(badge(&phone).await, (3, false));
    let newest = stage.inbox(&ada).await.remove(0);
    assert_eq!(newest["title"], "A task for you");
    let id = newest["id"].as_str().unwrap().to_string();
    let read = ada.post(&format!("/v1/notifications/{id}/read"), json!({})).await.ok();
    assert_eq!(read["status"], "read");
    assert_eq!(badge(&phone).await, (2, false));
    let unread = phone.get("/v1/notifications?unread=true").await.ok();
    assert!(!words(&unread["data"], "id").contains(&id));
    // Again is no error and no other version; unread again is.
    let again = ada.post(&format!("/v1/notifications/{id}/read"), json!({})).await.ok();
    assert_eq!(again["version"], read["version"]);
    ada.post(&format!("/v1/notifications/{id}/unread"), json!({})).await.ok();
    assert_eq!(badge(&phone).await, (3, false));
    ada.post(&format!("/v1/notifications/{id}/archive"), json!({})).await.ok();
    assert_eq!(badge(&phone).await, (2, false));
}

#[tokio::test]
async fn everything_up_to_a_moment_is_read_at_once() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    told(&stage, &ada, 4).await;
    let before = stage.world.clock.now();
    stage.later(1);
    told(&stage, &ada, 1).await;
    let done = ada.post("/v1/notifications/read_all", json!({"before": before})).await.ok();
    assert_eq!(done, json!({"read": 4, "more": false}));
    assert_eq!(badge(&ada).await, (1, false));
    let done = ada.post("/v1/notifications/read_all", json!({})).await.ok();
    assert_eq!((done["read"].clone(), badge(&ada).await), (json!(1), (0, false)));
}

#[tokio::test]
async fn more_than_a_hundred_are_read_by_and_by() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    told(&stage, &ada, 105).await;
    assert_eq!(badge(&ada).await, (100, true));
    let done = ada.post("/v1/notifications/read_all", json!({})).await.accepted();
    assert_eq!(done, json!({"read": 100, "more": true}));
    stage.queue().await;
    assert_eq!(badge(&ada).await, (0, false));
}

#[tokio::test]
async fn nobody_reads_anothers_inbox() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let bola = stage.staff("Bola Ahmed", "nurse tenant_admin").await;
    told(&stage, &ada, 1).await;
    let id = stage.inbox(&ada).await.remove(0)["id"].as_str().unwrap().to_string();
    assert_eq!(stage.inbox(&bola).await.len(), 0);
    bola.get(&format!("/v1/notifications/{id}")).await.missing();
    for command in ["read", "archive", "ack"] {
        bola.post(&format!("/v1/notifications/{id}/{command}"), json!({})).await.missing();
    }
    bola.get(&format!("/v1/notifications?person={}", ada.user())).await.missing();
    stage.world.stranger().get("/v1/notifications").await.refused(401, "not-signed-in");
}

#[tokio::test]
async fn a_guardian_sees_what_was_told_to_whom_they_are_linked_to() {
    let stage = Stage::set().await;
    let child = stage.patient("Chidi Eze", Value::Null).await;
    let guardian = stage.staff("Ngozi Eze", "guardian").await;
    stage
        .happens(&stage.event(
            "patient.registered",
            json!({"patient": child, "number": "G-1", "site": stage.grace.sites[0]}),
        ))
        .await;
    let path = format!("/v1/notifications?person={child}");
    guardian.get(&path).await.missing();
    let link = json!({"scopes": ["appointments"], "basis": "guardian"});
    let place = format!("{}~{child}", guardian.user());
    stage.grace.store().await.commit().fact(store::facts::LINKED, place, &link).run().await.unwrap();
    let seen = guardian.get(&path).await.ok();
    assert_eq!(words(&seen["data"], "event"), ["patient.registered"]);
}

#[tokio::test]
async fn what_a_person_declined_stands_in_the_inbox_as_read() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let wish = json!({"categories": {"task": {"inapp": false}}});
    ada.patch("/v1/notifications/preferences", wish).await.ok();
    told(&stage, &ada, 1).await;
    assert_eq!(badge(&ada).await, (0, false));
    assert_eq!(stage.inbox(&ada).await[0]["status"], "read");
}

#[tokio::test]
async fn preferences_are_ones_own_and_account_messages_cannot_be_declined() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let first = ada.get("/v1/notifications/preferences").await.ok();
    assert_eq!((first["digest_hour"].clone(), first["user"].clone()), (json!(8), json!(ada.user())));
    let set = json!({"quiet": {"from": "20:00:00", "to": "06:00:00", "days": [1, 7]}, "preferred": "sms"});
    let set = ada.patch("/v1/notifications/preferences", set).await.ok();
    assert_eq!((set["preferred"].clone(), set["version"].clone()), (json!("sms"), json!(1)));
    let again = ada.patch("/v1/notifications/preferences", json!({"digest_hour": 18})).await.ok();
    assert_eq!((again["preferred"].clone(), again["version"].clone()), (json!("sms"), json!(2)));
    let declined = json!({"categories": {"account": {"email": false}}});
    ada.patch("/v1/notifications/preferences", declined).await.refused(422, "protected-notification");
    let unknown = ada.patch("/v1/notifications/preferences", json!({"categories": {"tasks": {}}})).await;
    assert_eq!(unknown.faults(), [("/categories/tasks".into(), "unknown".into())]);
    assert!(unknown.body["errors"][0]["detail"].as_str().unwrap().contains("nearest: task"));
    let zone = ada.patch("/v1/notifications/preferences", json!({"time_zone": "Lagos"})).await;
    assert_eq!(zone.faults(), [("/time_zone".into(), "time-zone".into())]);
    let foreign = ada.patch("/v1/notifications/preferences", json!({"user": "usr_x"})).await;
    assert_eq!(foreign.status, 400);
}
