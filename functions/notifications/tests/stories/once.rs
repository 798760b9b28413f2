//! The promise of the whole module: what has to be told is told once, whatever is delivered twice or dies on the way.

use crate::stage::{Stage, Turn, address};
use serde_json::json;
use std::time::Duration;
use web::Queue;

/// A document of hers expires in 30 days.
fn expiring(stage: &Stage, of: &testkit::Actor) -> events::Envelope {
    let data = json!({
        "document": "doc_01J00000000000000000000000", "category": "licence", "subject": of.user(), "days": 30,
        "expires_on": "2026-12-20",
    });
    stage.event("document.expiring", data)
}

#[tokio::test]
async fn a_document_that_expires_warns_its_owner_once_although_the_event_comes_three_times() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let event = expiring(&stage, &ada);
    for _ in 0..3 {
        stage.happens(&event).await;
    }
    assert_eq!(stage.inbox(&ada).await.len(), 1);
    assert_eq!(stage.email.to(&address("Ada Okafor")).len(), 1);
}

#[tokio::test]
async fn the_queue_says_it_three_times_and_the_clock_twice_and_one_letter_goes() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    stage.world.hand_over(&expiring(&stage, &ada)).await;
    let messages = stage.world.letters.take(Queue::Notifications);
    assert_eq!(messages.len(), 1);
    for _ in 0..3 {
        stage.world.hand_over_other(&messages[0]).await;
    }
    stage.later(30);
    stage.beat().await;
    stage.beat().await;
    assert_eq!(stage.email.all().len(), 1);
    assert_eq!(stage.inbox(&ada).await.len(), 1);
}

#[tokio::test]
async fn a_worker_that_dies_before_anything_is_queued_loses_nothing() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let event = expiring(&stage, &ada);
    stage.world.letters.down(true);
    stage.world.hand_over(&event).await;
    stage.world.letters.down(false);
    assert_eq!(stage.email.all().len(), 0, "the message to our own queue was lost");
    stage.later(3);
    stage.beat().await;
    assert_eq!(stage.email.all().len(), 1, "the clock sends what the queue lost");
    stage.happens(&event).await;
    assert_eq!((stage.email.all().len(), stage.inbox(&ada).await.len()), (1, 1));
}

#[tokio::test]
async fn a_worker_that_dies_between_the_providers_yes_and_our_write_sends_no_second_letter() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let event = expiring(&stage, &ada);
    stage.world.hand_over(&event).await;
    let message = stage.world.letters.take(Queue::Notifications).remove(0);
    stage.email.script([Turn::Die]);
    let dying = tokio::time::timeout(Duration::from_millis(400), stage.world.hand_over_other(&message));
    assert!(dying.await.is_err(), "the worker is dead");
    assert_eq!(stage.ways(&ada).await[0]["status"], "sending");
    // The queue delivers it again, the event comes again, a beat passes: somebody has it.
    stage.world.hand_over_other(&message).await;
    stage.happens(&event).await;
    stage.later(1);
    stage.beat().await;
    assert_eq!(stage.email.all().len(), 1);
    // The provider tells that it has the letter before anybody asks again.
    let told = json!({
        "eventType": "Delivery",
        "mail": {"messageId": "m1", "tags": {"tenant": [stage.grace.id.prefix()], "delivery": [message["id"]]}},
    });
    stage.world.hand_over_other(&json!({"type": "ses.event", "event": told})).await;
    assert_eq!(stage.ways(&ada).await[0]["status"], "delivered");
    for _ in 0..5 {
        stage.later(2);
        stage.beat().await;
    }
    assert_eq!((stage.email.all().len(), stage.inbox(&ada).await.len()), (1, 1));
}

#[tokio::test]
async fn a_worker_that_died_before_the_provider_had_it_is_followed_by_another() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    stage.world.hand_over(&expiring(&stage, &ada)).await;
    let message = stage.world.letters.take(Queue::Notifications).remove(0);
    // It takes the delivery, and the provider never answers.
    stage.email.script([Turn::Die]);
    let dying = tokio::time::timeout(Duration::from_millis(400), stage.world.hand_over_other(&message));
    assert!(dying.await.is_err());
    stage.later(2);
    stage.beat().await;
    assert_eq!(stage.ways(&ada).await[0]["status"], "sending", "the provider has two minutes to tell");
    stage.later(2);
    stage.beat().await;
    let way = stage.ways(&ada).await.remove(0);
    assert_eq!(way["status"], "sent");
    let codes: Vec<&str> =
        way["attempts"].as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["lapsed", "sent"]);
}

#[tokio::test]
async fn an_answer_of_the_table_that_gets_lost_doubles_nothing() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let event = expiring(&stage, &ada);
    stage.world.lose_answers(1);
    // The read that is lost fails the message, which comes again; a write that is lost is found done.
    let message = web::Message::Event(event.clone());
    for _ in 0..4 {
        let _ = web::consume(&stage.world.modules[0], &stage.world.app, &message).await;
    }
    stage.queue().await;
    assert_eq!((stage.email.all().len(), stage.inbox(&ada).await.len()), (1, 1));
}

#[tokio::test]
async fn nothing_that_we_say_of_ourselves_is_told_of() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    stage.happens(&expiring(&stage, &ada)).await;
    let names = stage.world.deliver().await;
    assert_eq!(names, ["notification.created"]);
    stage.queue().await;
    assert_eq!(stage.world.deliver().await, [] as [String; 0], "a message causes no message");
    assert_eq!(stage.inbox(&ada).await.len(), 1);
}

#[tokio::test]
async fn another_organisation_sees_and_gets_nothing() {
    let stage = Stage::set().await;
    let hope = stage.world.clinic("hope").await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let hr = stage.staff_of(&hope, "Hadiza Bello", "hr", "*").await;
    let admin = hope.staff("tenant_admin");
    stage.happens(&expiring(&stage, &ada)).await;
    assert_eq!(stage.email.to(&address("Hadiza Bello")).len(), 0, "hr of another organisation");
    assert_eq!(stage.inbox(&hr).await.len(), 0);
    let item = stage.inbox(&ada).await.remove(0);
    let id = item["id"].as_str().unwrap();
    for path in ["", "/deliveries", "/history"] {
        admin.get(&format!("/v1/notifications/{id}{path}")).await.missing();
    }
    admin.post(&format!("/v1/notifications/{id}/read"), json!({})).await.missing();
    let way = stage.ways(&ada).await.remove(0);
    let way = way["id"].as_str().unwrap();
    admin.get(&format!("/v1/notifications/deliveries/{way}")).await.missing();
    admin.post(&format!("/v1/notifications/deliveries/{way}/resend"), json!({})).await.missing();
    let sent = admin.get("/v1/notifications/deliveries?status=sent").await.ok();
    assert_eq!(sent["data"].as_array().unwrap().len(), 0);
    // The event that names the other organisation finds nobody of ours there.
    let mut forged = expiring(&stage, &ada);
    forged.tenant = hope.id.prefix();
    stage.happens(&forged).await;
    assert_eq!(stage.inbox(&ada).await.len(), 1);
}

#[tokio::test]
async fn nothing_personal_lies_open_in_the_table() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    stage.happens(&expiring(&stage, &ada)).await;
    let dump = stage.grace.dump().await;
    for secret in ["Okafor", "example.org", "+234803", "expires on 20 December"] {
        assert!(!dump.contains(secret), "{secret}");
    }
    assert!(dump.contains("document.expiring"));
}
