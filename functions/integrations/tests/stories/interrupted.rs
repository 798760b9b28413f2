//! Making a key, and a second secret, when somebody is stopped in between or is not alone.

use crate::stage::Stage;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use testkit::Reply;
use tokio::sync::Notify;

/// Sends the wish for the insurer's key under this Idempotency-Key.
async fn asks(s: &Stage, key: &str) -> Reply {
    s.admin
        .call("POST", "/v1/integrations/keys")
        .key(key)
        .body(s.key("Insurer", &["patient.view"]))
        .send()
        .await
}

/// The caller goes away and the function is frozen, while the gateway makes the key.
async fn dies(s: &Stage, key: &str) {
    s.doors.standing().hold_key = Some(Arc::default());
    let gone = tokio::time::timeout(Duration::from_millis(300), asks(s, key)).await;
    assert!(gone.is_err(), "nobody was answered");
}

fn counts(s: &Stage) -> (usize, usize) {
    let standing = s.doors.standing();
    (standing.clients.len(), standing.keys.len())
}

/// A calm stage: what stops here is told by the stories themselves.
async fn calm() -> Stage {
    let s = Stage::set().await;
    s.world.calm();
    s
}

async fn works(s: &Stage, key: &Value) {
    s.world.deliver().await;
    s.machine(key).await.get(&s.path("keys", key, "")).await.ok();
}

#[tokio::test]
async fn a_retry_goes_on_where_the_gateway_did_not_answer() {
    let s = calm().await;
    s.doors.standing().refuse_keys = 1;
    let begun = asks(&s, "k-1").await.refused(503, "gateway-unavailable")["id"].clone();
    let made = asks(&s, "k-1").await.created();
    assert_eq!((&made["id"], &made["status"]), (&begun, &json!("active")));
    works(&s, &made).await;
    assert_eq!(asks(&s, "k-1").await.created(), made);
    assert_eq!(counts(&s), (1, 1));
}

#[tokio::test]
async fn a_retry_goes_on_where_the_first_attempt_died_and_leaves_nothing_of_it() {
    let s = calm().await;
    dies(&s, "k-1").await;
    assert_eq!(counts(&s), (1, 0), "a client that nobody knows of");
    let made = asks(&s, "k-1").await.created();
    works(&s, &made).await;
    assert_eq!(counts(&s), (1, 1));
    let all = s.admin.get("/v1/integrations/keys").await.ok();
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn another_wish_under_the_same_idempotency_key_is_refused() {
    let s = calm().await;
    dies(&s, "k-1").await;
    let other = s.key("Laboratory", &["patient.view"]);
    let refusal = s.admin.call("POST", "/v1/integrations/keys").key("k-1").body(other).send().await;
    refusal.refused(422, "key-reused");
    let others = s.grace.staff("tenant_admin");
    let same =
        others.call("POST", "/v1/integrations/keys").key("k-1").body(s.key("Insurer", &["patient.view"]));
    same.send().await.refused(409, "duplicate");
}

#[tokio::test]
async fn an_attempt_that_was_only_slow_takes_nothing_from_the_one_that_went_on() {
    let s = Stage::contended().await;
    let hold = Arc::new(Notify::new());
    s.doors.standing().hold_key = Some(hold.clone());
    let slow = asks(&s, "k-1");
    let fast = async {
        while s.doors.standing().hold_key.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let made = asks(&s, "k-1").await.created();
        hold.notify_one();
        made
    };
    let (slow, made) = futures::join!(slow, fast);
    assert_eq!(slow.created(), made, "the first answer, byte for byte");
    works(&s, &made).await;
    assert_eq!(counts(&s), (1, 1));
    let client = made["client_id"].as_str().unwrap();
    assert_eq!(s.doors.standing().clients[client][0].1, made["client_secret"]);
}

#[tokio::test]
async fn two_who_repair_at_once_make_one_key() {
    let s = Stage::contended().await;
    s.doors.standing().refuse_keys = 1;
    let id = asks(&s, "k-1").await.refused(503, "gateway-unavailable")["id"].clone();
    let hold = Arc::new(Notify::new());
    s.doors.standing().hold_key = Some(hold.clone());
    let path = s.path("keys", &id, "repair");
    let slow = s.admin.post(&path, json!({}));
    let fast = async {
        while s.doors.standing().hold_key.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let made = s.admin.post(&path, json!({})).await.ok();
        hold.notify_one();
        made
    };
    let (slow, made) = futures::join!(slow, fast);
    assert_eq!(slow.status, 409, "{}", slow.body);
    works(&s, &made).await;
    assert_eq!(counts(&s), (1, 1));
    asks(&s, "k-1").await.refused(409, "made-by-another");
}

#[tokio::test]
async fn what_nobody_goes_on_with_is_taken_away_within_the_hour() {
    let s = calm().await;
    dies(&s, "k-1").await;
    s.later(1);
    s.world.ring().await;
    s.world.deliver().await;
    assert_eq!(counts(&s), (0, 0));
    let ended = s.admin.get("/v1/integrations/keys?status=revoked").await.ok();
    let history = s.admin.get(&s.path("keys", &ended["data"][0], "history")).await.ok();
    let last = history["data"].as_array().unwrap().iter().find(|v| v["action"] == "give_up").unwrap();
    assert_eq!(last["reason"], "nobody finished making it within an hour");
    // Its name is free, and whoever comes back all the same begins again.
    let made = asks(&s, "k-1").await.created();
    works(&s, &made).await;
    assert_eq!(asks(&s, "k-1").await.created(), made);
    assert_eq!(counts(&s), (1, 1));
}

#[tokio::test]
async fn an_unfinished_key_that_is_revoked_leaves_nothing_at_the_gateway() {
    let s = calm().await;
    dies(&s, "k-1").await;
    let all = s.admin.get("/v1/integrations/keys?status=creating").await.ok();
    let revoke = s.path("keys", &all["data"][0], "revoke");
    s.admin.post(&revoke, json!({"reason": "not needed after all"})).await.ok();
    s.world.deliver().await;
    assert_eq!(counts(&s), (0, 0));
}

#[tokio::test]
async fn a_secret_that_nobody_was_shown_does_not_stand_in_the_way_of_the_next() {
    let s = calm().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let client = key["client_id"].as_str().unwrap();
    let orphan = ("sec-orphan".to_string(), "made, and never written down".to_string());
    s.doors.standing().clients.get_mut(client).unwrap().push(orphan);
    let rotated = s.admin.post(&s.path("keys", &key, "rotate"), json!({})).await.ok();
    let secrets: Vec<String> = s.doors.standing().clients[client].iter().map(|(_, v)| v.clone()).collect();
    assert_eq!(json!(secrets), json!([key["client_secret"], rotated["client_secret"]]));
}
