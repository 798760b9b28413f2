//! INT-2: webhooks.

use crate::{
    doubles::{Received, status},
    stage::{Stage, digits},
};
use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// As a receiver's library verifies it: one of the signatures fits.
fn verifies(got: &Received, secret: &str) -> bool {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = text(got);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let fits = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|s| BASE64_STANDARD.decode(s).ok());
        bytes.is_some_and(|bytes| hmac::verify(&key, &signed, &bytes).is_ok())
    };
    got.header("webhook-signature").split(' ').any(fits)
}

fn text(got: &Received) -> Vec<u8> {
    let head = format!("{}.{}.", got.header("webhook-id"), got.header("webhook-timestamp"));
    [head.as_bytes(), &got.body].concat()
}

/// Story 3, with an event that there is.
#[tokio::test]
async fn a_receiver_verifies_what_it_gets_and_finds_ids_alone() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    let secret = hook["signing_secret"].as_str().unwrap();
    let ada = s.registers("Okonkwo").await;
    s.spreads().await;
    let mut all = s.receivers.take();
    assert_eq!(all.len(), 1);
    let mut got = all.remove(0);
    assert!(verifies(&got, secret));
    let body = got.json();
    assert_eq!((&body["type"], &body["data"]["id"]), (&json!("patient.registered"), &json!(ada)));
    assert_eq!((&body["data"]["kind"], &body["data"]["version"]), (&json!("pat"), &json!(1)));
    assert_eq!(body["data"]["tenant"], json!(s.grace.id));
    assert!(got.header("webhook-id").starts_with("msg_"));
    assert_eq!(got.header("webhook-timestamp"), s.world.clock.now().as_second().to_string());
    let sent = String::from_utf8(got.body.clone()).unwrap();
    for name in ["Okonkwo", "Ngozi", "1990-05-17", &digits("Okonkwo")] {
        assert!(!sent.contains(name), "{sent}");
    }
    got.body[10] ^= 1;
    assert!(!verifies(&got, secret), "a changed byte");
    let log = s.deliveries(&hook, "delivered").await;
    assert_eq!((log.len(), &log[0]["attempts"][0]["status"]), (1, &json!(200)));
}

#[tokio::test]
async fn the_secret_is_shown_once_and_lies_sealed() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.*"], json!({"headers": {"authorization": "Bearer theirs"}})).await;
    let secret = hook["signing_secret"].as_str().unwrap();
    assert!(s.shows("webhooks", &hook).await.get("signing_secret").is_none());
    let history = s.admin.get(&s.path("webhooks", &hook, "history")).await.ok();
    assert!(!history.to_string().contains(secret));
    let dump = s.grace.dump().await;
    assert!(!dump.contains(secret) && !dump.contains("Bearer theirs"));
    s.registers("Okonkwo").await;
    s.spreads().await;
    assert_eq!(s.receivers.take()[0].header("authorization"), "Bearer theirs");
}

#[tokio::test]
async fn the_same_event_told_three_times_is_sent_once() {
    let s = Stage::set().await;
    s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    let events = s.world.events().await;
    let told = events.iter().find(|e| e.kind == "patient.registered").unwrap();
    for _ in 0..3 {
        s.world.hand_over(told).await;
    }
    s.works().await;
    assert_eq!(s.receivers.take().len(), 1);
}

#[tokio::test]
async fn a_worker_that_dies_before_sending_loses_nothing() {
    let s = Stage::set().await;
    s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.world.deliver().await;
    // What it had put into the queue is gone with it.
    s.world.letters.take(web::Queue::Integrations);
    s.world.ring().await;
    assert!(s.receivers.take().is_empty(), "not yet");
    s.world.clock.advance(jiff::SignedDuration::from_secs(61));
    s.world.ring().await;
    assert_eq!(s.receivers.take().len(), 1);
}

#[tokio::test]
async fn only_what_an_endpoint_asks_for_is_sent_to_it() {
    let s = Stage::set().await;
    s.hooks(&["patient.merged", "allergy.*"], json!({})).await;
    let elsewhere = s.grace.sites[1].to_string();
    s.hooks(&["patient.registered"], json!({"sites": [elsewhere], "url": "https://other.insurer.com/"}))
        .await;
    s.registers("Okonkwo").await;
    s.spreads().await;
    assert!(s.receivers.take().is_empty());
}

#[tokio::test]
async fn for_a_day_both_secrets_sign() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    let rotated = s.admin.post(&s.path("webhooks", &hook, "rotate_secret"), json!({})).await.ok();
    let (old, new) = (hook["signing_secret"].as_str().unwrap(), rotated["signing_secret"].as_str().unwrap());
    s.admin.post(&s.path("webhooks", &hook, "rotate_secret"), json!({})).await.refused(422, "state");
    s.registers("Okonkwo").await;
    s.spreads().await;
    let got = s.receivers.take().remove(0);
    assert!(verifies(&got, old) && verifies(&got, new));
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
    s.later(24);
    s.rings().await;
    s.registers("Balogun").await;
    s.spreads().await;
    let got = s.receivers.take().remove(0);
    assert!(!verifies(&got, old) && verifies(&got, new));
    s.admin.post(&s.path("webhooks", &hook, "rotate_secret"), json!({})).await.ok();
}

#[tokio::test]
async fn an_ed25519_receiver_holds_no_secret_of_ours() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({"scheme": "ed25519"})).await;
    assert!(hook.get("signing_secret").is_none());
    let public = hook["public_key"].as_str().unwrap().strip_prefix("whpk_").unwrap();
    let key = UnparsedPublicKey::new(&ED25519, BASE64_STANDARD.decode(public).unwrap());
    s.registers("Okonkwo").await;
    s.spreads().await;
    let got = s.receivers.take().remove(0);
    let signature = got.header("webhook-signature").strip_prefix("v1a,").unwrap();
    assert!(key.verify(&text(&got), &BASE64_STANDARD.decode(signature).unwrap()).is_ok());
    let other = json!({"scheme": "hmac"});
    s.admin.patch(&s.path("webhooks", &hook, ""), other).await.refused(422, "scheme-fixed");
}

/// Story 5, first half.
#[tokio::test]
async fn an_address_that_is_not_public_is_refused_at_once() {
    let s = Stage::set().await;
    for url in [
        "https://169.254.169.254/",
        "http://hooks.insurer.com/",
        "https://10.0.0.5/",
        "https://insurer.com:8443/x",
    ] {
        let body = json!({"url": url, "event_types": ["patient.*"]});
        s.admin.post("/v1/integrations/webhooks", body).await.refused(422, "unsafe-url");
    }
    let hook = s.hooks(&["patient.*"], json!({})).await;
    let moved = json!({"url": "https://127.0.0.1/"});
    s.admin.patch(&s.path("webhooks", &hook, ""), moved).await.refused(422, "unsafe-url");
}

/// A rule asks that an endpoint be told; answers the action.
async fn asks(s: &Stage, endpoint: &Value) -> String {
    let answer = |n: u8, kind: &str| format!("{kind}_01ARZ3NDEKTSV4RRFFQ69G5FA{n}");
    let action = <kernel::RuleActionId as kernel::Id>::at(s.world.clock.now());
    let wish = json!({"rule": answer(1, "wfr"), "firing": answer(2, "frn"), "action": action, "owner": answer(3, "usr"),
        "event": "incident.reported", "record": answer(4, "inc"), "endpoint": endpoint, "fields": {"severity": "high"}});
    let asked: events::workflow::RuleAsked = serde_json::from_value(wish).unwrap();
    let body = web::RuleAnswer {
        rule: asked.rule,
        firing: asked.firing,
        action,
        record: asked.record.clone(),
        problem: None,
    };
    let record = store::Record::new(s.world.clock.now(), body);
    let wish = events::WorkflowEvent::RuleWebhookRequested(asked);
    s.grace.store().await.commit().create(&record).emit(wish).run().await.unwrap();
    action.to_string()
}

/// What the rule has heard of it.
async fn answers(s: &Stage, action: &str) -> Vec<(String, Value)> {
    let ours = |e: &events::Envelope| e.data["action"] == action && e.kind.starts_with("rule.action_");
    s.world.events().await.into_iter().filter(ours).map(|e| (e.kind, e.data)).collect()
}

#[tokio::test]
async fn a_rule_of_the_organisation_names_the_endpoint_itself_and_hears_once_that_it_arrived() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.merged"], json!({})).await;
    s.hooks(&["rule.*"], json!({"url": "https://other.insurer.com/"})).await;
    let action = asks(&s, &hook["id"]).await;
    s.receivers.say(vec![status(500)]);
    s.spreads().await;
    assert!(answers(&s, &action).await.is_empty(), "it is tried again");
    s.later(1);
    s.rings().await;
    s.spreads().await;
    let (got, others): (Vec<Received>, Vec<Received>) =
        s.receivers.take().into_iter().partition(|got| got.url == "https://hooks.insurer.com/lumina");
    assert_eq!(got.len(), 2);
    assert_eq!(got[1].json()["data"]["codes"]["fields"]["severity"], "high");
    assert!(others.iter().all(|got| got.json()["type"] != "rule.webhook_requested"), "it is nobody else's");
    let heard = answers(&s, &action).await;
    assert_eq!((heard.len(), heard[0].0.as_str()), (1, "rule.action_done"));
    assert_eq!(heard[0].1["done"], got[1].header("webhook-id"));
}

#[tokio::test]
async fn a_rule_hears_in_words_why_nothing_arrived_and_of_a_replay_that_does() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.merged"], json!({})).await;
    s.receivers.always(status(410));
    let action = asks(&s, &hook["id"]).await;
    s.spreads().await;
    s.spreads().await;
    let heard = answers(&s, &action).await;
    assert_eq!((heard.len(), heard[0].0.as_str()), (1, "rule.action_failed"));
    assert_eq!(heard[0].1["problem"], "the endpoint says that it is gone");
    // By now it is disabled.
    let again = asks(&s, &hook["id"]).await;
    s.spreads().await;
    assert_eq!(answers(&s, &again).await[0].1["problem"], "the endpoint is disabled");
    let gone = asks(&s, &json!("whe_01ARZ3NDEKTSV4RRFFQ69G5FA0")).await;
    s.spreads().await;
    assert_eq!(answers(&s, &gone).await[0].1["problem"], "the endpoint is gone");
    s.receivers.always(status(200));
    s.admin.post(&s.path("webhooks", &hook, "enable"), json!({})).await.ok();
    let log = s.deliveries(&hook, "abandoned").await;
    s.admin.post(&s.path("deliveries", &log[0], "replay"), json!({})).await.created();
    s.works().await;
    let kinds: Vec<String> = answers(&s, &action).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.iter().filter(|k| *k == "rule.action_done").count(), 1, "{kinds:?}");
    s.grace.change_gate(|gate| gate.features.clear()).await;
    let unlicensed = asks(&s, &hook["id"]).await;
    s.spreads().await;
    assert_eq!(answers(&s, &unlicensed).await[0].1["problem"], "the organisation's plan has no webhooks");
}

#[tokio::test]
async fn a_machine_keeps_endpoints_of_its_own_for_what_it_may_read() {
    let s = Stage::set().await;
    let everywhere = s.hooks(&["patient.*"], json!({})).await;
    let mut wish = s.key("Insurer", &["patient.view", "webhook.view", "webhook.edit", "webhook.replay"]);
    let site = s.grace.sites[0].to_string();
    wish["sites"] = json!([site]);
    let machine = s.machine(&s.makes(wish).await).await;
    let make = |types: Value, sites: Value| json!({"url": "https://mine.insurer.com/", "event_types": types, "sites": sites});
    let path = "/partner/v1/integrations/webhooks";
    let wide = machine.post(path, make(json!(["allergy.recorded"]), json!([site]))).await;
    wide.refused(403, "scope-exceeds-grant");
    machine.post(path, make(json!(["patient.*"]), json!([]))).await.refused(403, "scope-exceeds-grant");
    let mine = machine.post(path, make(json!(["patient.*"]), json!([site]))).await.created();
    let listed = machine.get(path).await.ok();
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["id"]), (1, &mine["id"]));
    machine.get(&s.path("webhooks", &everywhere, "")).await.missing();
    machine.get("/partner/v1/integrations/deliveries").await.refused(403, "list-too-wide");
    let others = format!(
        "/partner/v1/integrations/deliveries?webhook={}&status=pending",
        everywhere["id"].as_str().unwrap()
    );
    machine.get(&others).await.missing();
}

#[tokio::test]
async fn what_is_wrong_with_an_endpoint_is_named() {
    let s = Stage::set().await;
    let body = json!({
        "url": "https://hooks.insurer.com/", "event_types": ["patient.registered", "everything", "patient.reg*"],
        "headers": {"Webhook-Id": "x"},
    });
    let wrong = s.admin.post("/v1/integrations/webhooks", body).await;
    let faults: Vec<String> = wrong.faults().into_iter().map(|(at, _)| at).collect();
    assert_eq!(faults, ["/event_types/1", "/event_types/2", "/headers"]);
    let grants =
        json!({"url": "https://hooks.insurer.com/", "event_types": ["patient.*"], "status": "disabled"});
    s.admin.post("/v1/integrations/webhooks", grants).await.refused(400, "validation");
    s.grace.change_gate(|gate| gate.features.clear()).await;
    let plain = json!({"url": "https://hooks.insurer.com/", "event_types": ["patient.*"]});
    s.admin.post("/v1/integrations/webhooks", plain.clone()).await.refused(403, "feature-not-licensed");
    s.grace.staff("doctor").post("/v1/integrations/webhooks", plain).await.refused(403, "forbidden");
}

#[tokio::test]
async fn an_organisation_has_twenty_endpoints_at_most() {
    let s = Stage::set().await;
    let mut last = Value::Null;
    for _ in 0..20 {
        last = s.hooks(&["patient.*"], json!({})).await;
    }
    let one_more = json!({"url": "https://hooks.insurer.com/", "event_types": ["patient.*"]});
    s.admin.post("/v1/integrations/webhooks", one_more).await.refused(409, "limit-reached");
    s.admin.delete(&s.path("webhooks", &last, "")).await.done();
    s.hooks(&["patient.*"], json!({})).await;
    s.admin.post(&s.path("webhooks", &last, "restore"), json!({})).await.refused(409, "limit-reached");
}
