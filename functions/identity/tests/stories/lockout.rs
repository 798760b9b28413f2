//! Wrong passwords. IDN-5

use crate::support::*;
use jiff::SignedDuration;
use serde_json::json;

#[tokio::test]
async fn the_fifth_attempt_locks_for_a_quarter_of_an_hour() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    let attempt = || token::answer(&scene.world.app, scene.event(&user, "PreAuthentication_Authentication"));
    for _ in 0..5 {
        attempt().await.expect("not locked yet");
    }
    assert!(scene.world.deliver().await.contains(&"user.locked".into()));
    assert!(scene.user(&user).await["locked_until"].is_string());
    scene.world.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(attempt().await.err().unwrap().code(), "locked");
    assert_eq!(scene.refreshes(&user, &bisi).await.err().unwrap().code(), "locked");
    scene.world.clock.advance(SignedDuration::from_mins(2));
    attempt().await.expect("the lock has ended");
    scene.signs_in(&user).await;
    assert_eq!(scene.user(&user).await.get("locked_until"), None, "a success clears it");
    let logins = scene.admin.get(&format!("/v1/identity/users/{user}/logins")).await.ok();
    let locked = logins["data"].as_array().unwrap().iter().filter(|l| l["outcome"] == json!("locked"));
    assert_eq!(locked.count(), 2);
}

#[tokio::test]
async fn the_right_password_at_the_fifth_attempt_still_opens() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let attempt = || token::answer(&scene.world.app, scene.event(&user, "PreAuthentication_Authentication"));
    for _ in 0..5 {
        attempt().await.expect("not locked yet");
    }
    scene.signs_in(&user).await;
    attempt().await.expect("cleared by the success");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_refused_by_the_pool_and_not_by_us() {
    let scene = scene().await;
    let event = json!({
        "version": "1", "triggerSource": "PreAuthentication_Authentication", "userName": "nobody",
        "callerContext": {"clientId": CLIENT}, "request": {"userAttributes": {}, "userNotFound": true}, "response": {},
    });
    let answer = token::answer(&scene.world.app, event).await.expect("no hint");
    assert_eq!((&answer["request"]["userNotFound"], &answer["response"]), (&json!(true), &json!({})));
}
