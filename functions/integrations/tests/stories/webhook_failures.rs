//! INT-2: what becomes of deliveries when a receiver fails, and what a replay tells it.

use crate::{doubles::status, stage::Stage};
use integrations::outgoing::{Answered, Failed};
use serde_json::{Value, json};

/// Story 4.
#[tokio::test]
async fn a_dead_endpoint_is_tried_ten_times_then_disabled_and_a_replay_tells_it_all() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.receivers.always(Err(Failed::Unreachable));
    s.registers("Okonkwo").await;
    s.spreads().await;
    let mut sent = s.receivers.take();
    // Every ten minutes for five and a half days.
    for _ in 0..(132 * 6) {
        s.world.clock.advance(jiff::SignedDuration::from_mins(10));
        s.rings().await;
        sent.extend(s.receivers.take());
    }
    assert_eq!(sent.len(), 10);
    let times: Vec<i64> = sent.iter().map(|r| r.header("webhook-timestamp").parse().unwrap()).collect();
    let span = times[9] - times[0];
    assert!((2 * 86_400..4 * 86_400).contains(&span), "{span} s");
    assert!(sent.iter().all(|r| r.header("webhook-id") == sent[0].header("webhook-id")));
    let shown = s.shows("webhooks", &hook).await;
    assert_eq!((&shown["status"], &shown["disabled_because"]), (&json!("disabled"), &json!("failing")));
    assert_eq!(s.events_of(&hook).await, ["webhook.failing", "webhook.disabled"]);
    let failed = s.deliveries(&hook, "failed").await;
    assert_eq!(failed[0]["attempts"].as_array().unwrap().len(), 10);
    assert_eq!(failed[0]["attempts"][9]["error"], "not-reached");
    // Something happens while nobody is told.
    s.registers("Balogun").await;
    s.spreads().await;
    assert!(s.receivers.take().is_empty());
    let cannot = s.admin.post(&s.path("webhooks", &hook, "enable"), json!({})).await;
    assert_eq!(cannot.refused(422, "ping-failed")["ping"]["error"], "not-reached");
    s.receivers.always(status(200));
    let enabled = s.admin.post(&s.path("webhooks", &hook, "enable"), json!({})).await.ok();
    assert_eq!(enabled["status"], "enabled");
    assert_eq!(s.receivers.take().last().unwrap().json()["type"], "webhook.ping");
    s.world.clock.advance(jiff::SignedDuration::from_mins(3));
    s.rings().await;
    assert_eq!(s.receivers.take().len(), 1, "what happened in the last three days");
    let window = json!({"since": "2026-11-23T00:00:00Z", "types": ["patient.registered"]});
    s.admin.post(&s.path("webhooks", &hook, "replay"), window).await.accepted();
    s.works().await;
    let again = s.receivers.take();
    assert_eq!(again.len(), 2, "the one of then, and the one of when nobody was told");
    assert!(
        again
            .iter()
            .any(|r| r.header("webhook-id") == sent[0].header("webhook-id") && r.body == sent[0].body)
    );
}

#[tokio::test]
async fn an_endpoint_that_comes_back_is_enabled_and_forgotten_to_have_failed() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.receivers.always(status(500));
    s.registers("Okonkwo").await;
    s.spreads().await;
    for _ in 0..7 {
        s.world.clock.advance(jiff::SignedDuration::from_mins(10));
        s.rings().await;
    }
    assert_eq!(s.shows("webhooks", &hook).await["status"], "failing");
    s.receivers.always(status(202));
    s.registers("Balogun").await;
    s.spreads().await;
    let shown = s.shows("webhooks", &hook).await;
    assert_eq!((&shown["status"], shown.get("failing_since")), (&json!("enabled"), None));
    s.later(24 * 6);
    s.rings().await;
    assert_eq!(s.shows("webhooks", &hook).await["status"], "enabled");
    assert!(s.deliveries(&hook, "pending").await.is_empty());
}

#[tokio::test]
async fn gone_means_gone() {
    let s = Stage::set().await;
    s.world.calm();
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.receivers.say(vec![status(410)]);
    s.registers("Okonkwo").await;
    s.spreads().await;
    assert_eq!(s.shows("webhooks", &hook).await["disabled_because"], "gone");
    assert_eq!(s.deliveries(&hook, "abandoned").await.len(), 1);
    assert_eq!(s.events_of(&hook).await, ["webhook.disabled"]);
}

#[tokio::test]
async fn a_redirection_is_a_failure_and_who_asks_for_time_gets_it() {
    let s = Stage::set().await;
    s.world.calm();
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    let later = Ok(Answered { status: 429, retry_after: Some(600), body: vec![] });
    s.receivers.say(vec![status(302), later]);
    s.registers("Okonkwo").await;
    s.spreads().await;
    let waiting = &s.deliveries(&hook, "pending").await[0];
    assert_eq!(
        (&waiting["attempts"][0]["status"], &waiting["attempts"][0]["response"]),
        (&json!(302), &json!("said the receiver"))
    );
    s.world.clock.advance(jiff::SignedDuration::from_secs(66));
    s.rings().await;
    let waiting = &s.deliveries(&hook, "pending").await[0];
    assert_eq!(waiting["attempts"].as_array().unwrap().len(), 2);
    let (at, next) = (&waiting["attempts"][1]["at"], &waiting["next_at"]);
    let time = |v: &Value| v.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time(next).duration_since(time(at)).as_secs(), 600);
    assert!(!s.grace.dump().await.contains("said the receiver"), "sealed");
}

#[tokio::test]
async fn a_suspended_organisation_is_told_nothing_and_everything_once_it_is_open() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.grace.change_gate(|gate| gate.status = web::gate::Status::Suspended).await;
    s.spreads().await;
    for _ in 0..30 {
        s.later(2);
        s.rings().await;
    }
    assert!(s.receivers.take().is_empty());
    s.grace.change_gate(|gate| gate.status = web::gate::Status::Active).await;
    // Within the hour, with what happens meanwhile.
    s.registers("Balogun").await;
    for _ in 0..6 {
        s.world.clock.advance(jiff::SignedDuration::from_mins(10));
        s.spreads().await;
        s.rings().await;
    }
    assert_eq!(s.receivers.take().len(), 2);
    s.later(24);
    s.rings().await;
    assert!(s.receivers.take().is_empty(), "nothing twice");
    for delivered in s.deliveries(&hook, "delivered").await {
        assert_eq!(delivered["attempts"].as_array().unwrap().len(), 1);
    }
}

/// What was delivered, what waited and what was never told, at the moment in which an endpoint was disabled.
#[tokio::test]
async fn whoever_is_enabled_again_hears_of_what_it_missed_and_of_nothing_twice() {
    let s = Stage::set().await;
    s.registers("Adeyemi").await;
    s.spreads().await;
    s.later(2);
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.spreads().await;
    assert_eq!(s.receivers.take().len(), 1, "delivered, and nothing from before it was there");
    s.receivers.always(Err(Failed::Unreachable));
    let waiting = s.registers("Balogun").await;
    s.spreads().await;
    s.receivers.take();
    s.admin.post(&s.path("webhooks", &hook, "disable"), json!({"reason": "maintenance"})).await.ok();
    s.later(1);
    s.rings().await;
    let untold = s.registers("Eze").await;
    s.spreads().await;
    assert!(s.receivers.take().is_empty());
    assert_eq!(s.deliveries(&hook, "failed").await.len(), 1);
    s.receivers.always(status(200));
    s.later(20);
    s.admin.post(&s.path("webhooks", &hook, "enable"), json!({})).await.ok();
    assert!(s.receivers.take().iter().all(|r| r.json()["type"] == "webhook.ping"));
    let after = s.registers("Musa").await;
    s.spreads().await;
    for _ in 0..6 {
        s.world.clock.advance(jiff::SignedDuration::from_mins(10));
        s.rings().await;
    }
    let got = s.receivers.take();
    let mut told: Vec<String> = got.iter().map(|r| r.json()["data"]["id"].as_str().unwrap().into()).collect();
    told.sort();
    let mut all = vec![waiting, untold, after];
    all.sort();
    assert_eq!(told, all);
    let shown = s.shows("webhooks", &hook).await;
    assert_eq!((shown.get("missed_since"), shown.get("catches_up_at")), (None, None));
    // Told once more by the pipeline: it is known.
    for event in s.world.events().await.iter().filter(|e| e.kind == "patient.registered") {
        if event.record != *all.first().unwrap() {
            continue;
        }
        s.world.hand_over(event).await;
    }
    s.works().await;
    assert!(s.receivers.take().is_empty());
}

#[tokio::test]
async fn a_replay_asked_for_twice_is_one() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.spreads().await;
    s.receivers.take();
    let path = s.path("webhooks", &hook, "replay");
    let asks =
        || s.admin.call("POST", &path).key("r-1").body(json!({"since": "2026-11-23T00:00:00Z"})).send();
    let first = asks().await.accepted();
    assert_eq!(asks().await.accepted(), first);
    s.works().await;
    assert_eq!(s.receivers.take().len(), 1);
}

#[tokio::test]
async fn a_deleted_endpoint_hears_nothing_that_was_under_way() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.world.deliver().await;
    s.admin.delete(&s.path("webhooks", &hook, "")).await.done();
    s.works().await;
    assert!(s.receivers.take().is_empty());
    let log = s.deliveries(&hook, "abandoned").await;
    assert_eq!(log[0]["attempts"][0]["error"], "webhook-deleted");
}

#[tokio::test]
async fn one_delivery_is_replayed_under_its_own_id() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.spreads().await;
    let first = s.receivers.take().remove(0);
    let log = s.deliveries(&hook, "delivered").await;
    let again = s.admin.post(&s.path("deliveries", &log[0], "replay"), json!({})).await.created();
    assert_eq!((&again["replay_of"], &again["message_id"]), (&log[0]["id"], &log[0]["message_id"]));
    s.works().await;
    let second = s.receivers.take().remove(0);
    assert_eq!((second.header("webhook-id"), &second.body), (first.header("webhook-id"), &first.body));
}
