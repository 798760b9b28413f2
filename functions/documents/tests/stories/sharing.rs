//! DOC-7: links for people without a login.

use crate::stage::{Stage, id, pdf};
use serde_json::{Value, json};
use testkit::Reply;
use web::Queue;

async fn shared(s: &Stage, more: Value) -> Value {
    let made = s.verified("2027-05-01").await;
    let mut body = json!({"purpose": "the council asks", "recipient": "council@example.org"});
    crate::stage::merge(&mut body, more);
    s.does(&s.admin, &made, "shares", body).await.created()
}

async fn takes(s: &Stage, share: &Value, body: Value) -> Reply {
    let path = format!("/v1/shared/{}/download", share["token"].as_str().unwrap());
    s.world.stranger().post(&path, body).await
}

/// Story 12.
#[tokio::test]
async fn a_link_gives_the_file_as_often_as_it_says() {
    let s = Stage::set().await;
    let share = shared(&s, json!({"max_downloads": 2})).await;
    let path = format!("/v1/shared/{}", share["token"].as_str().unwrap());
    let outline = s.world.stranger().get(&path).await.ok();
    assert_eq!((&outline["downloads_left"], &outline["passcode_needed"]), (&json!(2), &json!(false)));
    s.world.letters.take(Queue::Access);
    let link = takes(&s, &share, json!({})).await.ok();
    assert_eq!(s.world.files.get(link["url"].as_str().unwrap()).unwrap(), pdf("dbs"));
    let noted = s.world.letters.take(Queue::Access);
    assert_eq!(noted[0]["by"], format!("public:{}", id(&share)));
    takes(&s, &share, json!({})).await.ok();
    takes(&s, &share, json!({})).await.refused(410, "link-used-up");
    s.world.stranger().get(&path).await.refused(410, "link-used-up");
    assert_eq!(s.heard("share.downloaded").await.len(), 2);
    assert!(!s.grace.dump().await.contains(share["token"].as_str().unwrap().rsplit('.').next().unwrap()));
    let listed =
        s.admin.get(&format!("/v1/documents/{}/shares", share["document"].as_str().unwrap())).await.ok();
    assert_eq!(listed["data"][0]["status"], "used_up");
    assert!(listed.to_string().find("token").is_none(), "shown once");
}

/// Story 12.
#[tokio::test]
async fn a_revoked_link_opens_nothing_from_that_moment_on() {
    let s = Stage::set().await;
    let share = shared(&s, json!({})).await;
    takes(&s, &share, json!({})).await.ok();
    s.admin.post(&format!("/v1/documents/shares/{}/revoke", id(&share)), json!({})).await.ok();
    takes(&s, &share, json!({})).await.refused(410, "link-revoked");
}

#[tokio::test]
async fn a_link_ends_with_its_time() {
    let s = Stage::set().await;
    let long = json!({"purpose": "x", "expires_at": "2027-01-23T06:00:00Z"});
    let made = s.verified("2027-05-01").await;
    s.does(&s.admin, &made, "shares", long).await.refused(422, "expires-at");
    let share = shared(&s, json!({"expires_at": "2026-11-24T06:00:00Z"})).await;
    s.at("2026-11-24T06:00:00Z");
    takes(&s, &share, json!({})).await.refused(410, "link-expired");
    s.world.ring().await;
    let shown = s.admin.get(&format!("/v1/documents/shares/{}", id(&share))).await.ok();
    assert_eq!(shown["status"], "expired");
}

/// Story 12.
#[tokio::test]
async fn five_wrong_passcodes_shut_the_link_for_half_an_hour() {
    let s = Stage::set().await;
    let share = shared(&s, json!({"passcode": "tulip-42", "max_downloads": 1})).await;
    takes(&s, &share, json!({})).await.refused(403, "passcode-needed");
    for _ in 0..4 {
        takes(&s, &share, json!({"passcode": "rose-11"})).await.refused(403, "wrong-passcode");
    }
    takes(&s, &share, json!({"passcode": "tulip-42"})).await.refused(429, "locked");
    s.world.clock.advance(jiff::SignedDuration::from_mins(31));
    takes(&s, &share, json!({"passcode": "tulip-42"})).await.ok();
    assert!(!s.grace.dump().await.contains("tulip-42"));
}

#[tokio::test]
async fn whatever_is_no_token_looks_the_same() {
    let s = Stage::set().await;
    let share = shared(&s, json!({})).await;
    let token = share["token"].as_str().unwrap();
    let last = if token.ends_with('A') { 'E' } else { 'A' };
    let other = format!("{}{last}", &token[..token.len() - 1]);
    let mut answers = vec![];
    for wrong in ["x", "a.b.1.c", other.as_str(), &token.replace(".1.", ".2.x"), &token[..60]] {
        let reply = s.world.stranger().get(&format!("/v1/shared/{wrong}")).await;
        let mut body = reply.body.clone();
        (body["instance"], body["request_id"]) = (json!(null), json!(null));
        answers.push((reply.status, body.to_string()));
        reply.missing();
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn the_last_download_raced_by_two_is_one_persons() {
    let s = Stage::contended().await;
    let share = shared(&s, json!({"max_downloads": 1})).await;
    let (a, b, c) = tokio::join!(
        takes(&s, &share, json!({})),
        takes(&s, &share, json!({})),
        takes(&s, &share, json!({})),
    );
    let mut all = [a.status, b.status, c.status];
    all.sort();
    assert_eq!(all, [200, 410, 410]);
    assert_eq!(s.heard("share.downloaded").await.len(), 1);
}

#[tokio::test]
async fn only_what_was_looked_at_is_shared() {
    let s = Stage::set().await;
    let made = s.uploads(&s.carer, &pdf("x"), json!({"subject": s.carer.user()})).await;
    s.does(&s.admin, &made, "shares", json!({"purpose": "x"})).await.refused(409, "not-shareable");
    s.does(&s.carer, &made, "shares", json!({"purpose": "x"})).await.refused(403, "forbidden");
}
