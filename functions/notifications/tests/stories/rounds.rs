//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::stage::{Stage, phone};
use serde_json::{Value, json};

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

/// Something to do for Ada, by push, e-mail and her inbox.
async fn told(stage: &Stage, of: &testkit::Actor) -> Value {
    let data = json!({"task": "tsk_01J00000000000000000000000", "assignee": of.user(), "priority": "normal"});
    stage.happens(&stage.event("task.assigned", data)).await;
    stage.inbox(of).await.remove(0)
}

#[tokio::test]
async fn a_notification_makes_its_round_with_whom_it_is_for() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let told = told(&stage, &ada).await;
    ada.post(&format!("/v1/notifications/{}/read", id(&told)), json!({})).await.ok();
    ada.round("/v1/notifications", id(&told)).await;
    let bola = stage.staff("Bola Ahmed", "nurse").await;
    bola.get(&format!("/v1/notifications/{}", id(&told))).await.missing();
}

#[tokio::test]
async fn a_message_to_many_makes_its_round() {
    let stage = Stage::set().await;
    let admin = stage.staff("Hadiza Bello", "tenant_admin").await;
    stage.staff("Ada Okafor", "nurse").await;
    let path = "/v1/notifications/broadcasts";
    let draft =
        json!({"audience": {"roles": ["nurse"]}, "title": "Water", "body": "The water is off on Monday."});
    let draft = admin.post(path, draft).await.created();
    admin.post(&format!("{path}/{}/cancel", id(&draft)), json!({"reason": "it is not"})).await.ok();
    admin.round(path, id(&draft)).await;
}

#[tokio::test]
async fn a_text_makes_its_round() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let path = "/v1/notifications/templates";
    let text =
        |body: &str| json!({"code": "appointment_reminder", "medium": "sms", "language": "ha", "body": body});
    let written = admin.post(path, text("Tunatarwa: {{ data.start | datetime }}")).await.created();
    let round = admin.round(path, id(&written));
    round.patch(json!({"body": "Tunatarwa, {{ data.start | datetime }}"})).await;
}

/// A rule that the product ships is shown like one of the organisation's own.
#[tokio::test]
async fn a_rule_makes_its_round() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let path = "/v1/notifications/rules";
    let all = admin.get(path).await.ok();
    let shipped = all["data"].as_array().unwrap().iter().find(|r| r["code"] == "document_expiring").unwrap();
    let one = format!("{path}/{}", id(shipped));
    assert_eq!(admin.get(&one).await.ok()["version"], 0, "nobody has changed it");
    let change = json!({"channels": ["sms"]});
    let round = admin.round(path, id(shipped)).because("letters are not read here");
    round.patch(change).await;
}

/// It is night: what waits for the morning can still be called off, and then nobody hears it.
#[tokio::test]
async fn what_is_held_can_be_cancelled_and_makes_its_round() {
    let stage = Stage::set().await;
    stage.at("2026-11-21T01:00:00Z");
    let patient = stage.patient("Ada Okafor", Value::Null).await;
    let data = json!({"appointment": "apt_01J00000000000000000000001", "patient": patient, "site": stage.grace.sites[0],
        "start": "2026-11-21T10:00:00Z", "minutes": 30, "sequence": 0});
    stage.happens(&stage.event("appointment.reminder_due", data)).await;
    let held = stage.deliveries("held").await.remove(0);
    let admin = stage.grace.staff("tenant_admin");
    let path = "/v1/notifications/deliveries";
    admin.round(path, id(&held)).listed_by("?status=held").await;

    let cancel = format!("{path}/{}/cancel", id(&held));
    stage
        .staff("Bola Ahmed", "nurse")
        .await
        .post(&cancel, json!({"reason": "x"}))
        .await
        .refused(403, "forbidden");
    let cancelled = admin.post(&cancel, json!({"reason": "the clinic is closed"})).await.ok();
    assert_eq!(cancelled["status"], "cancelled");
    admin.post(&cancel, json!({"reason": "again"})).await.refused(422, "state");
    stage.at("2026-11-21T07:30:00Z");
    stage.beat().await;
    assert_eq!(stage.sms.to(&phone("Ada Okafor")).len(), 0, "nobody heard of it");
}

#[tokio::test]
async fn an_address_that_is_to_be_left_alone_is_and_makes_its_round() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let admin = stage.grace.staff("tenant_admin");
    let path = "/v1/notifications/suppressions";
    let asked = json!({"channel": "email", "address": "Ada.Okafor@example.org"});
    admin.post(path, asked.clone()).await.refused(422, "reason-required");
    let push = json!({"channel": "push", "address": "token", "reason": "x"});
    admin.post(path, push).await.refused(422, "unsupported");
    let mut given = asked;
    given["reason"] = json!("she asked for it");
    let kept = admin.post(path, given).await.created();
    assert!(!stage.grace.dump().await.contains("ada.okafor@example.org"), "it is known, and not readable");
    told(&stage, &ada).await;
    assert_eq!(stage.email.all().len(), 0, "nothing is sent there");
    admin.round(path, id(&kept)).await;
    admin.post(&format!("{path}/{}/lift", id(&kept)), json!({"reason": "she asked for it"})).await.ok();
    let path = format!("{path}/{}/history/diff?from=1&to=2", id(&kept));
    assert_eq!(admin.get(&path).await.ok()["data"][0]["path"], "/active");
}

#[tokio::test]
async fn what_was_recorded_instead_of_sent_is_for_those_who_see_all_of_it() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let outbox = admin.get("/v1/notifications/outbox").await.ok();
    assert_eq!(outbox["data"], json!([]), "these carriers send");
    stage
        .staff("Ada Okafor", "nurse")
        .await
        .get("/v1/notifications/outbox")
        .await
        .refused(403, "list-too-wide");
}

#[tokio::test]
async fn an_address_outside_makes_its_round() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let path = "/v1/notifications/outside_addresses";
    admin.post(path, json!({"name": "Nobody's desk"})).await.refused(400, "validation");
    let desk = json!({"name": "Safeguarding desk", "email": "desk@council.example"});
    let desk = admin.post(path, desk).await.created();
    admin.round(path, id(&desk)).patch(json!({"name": "Adults' safeguarding desk"})).await;
}
