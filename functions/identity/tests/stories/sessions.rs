//! Sessions, signing out, being disabled. IDN-1, IDN-5, IDN-9

use crate::support::*;
use jiff::SignedDuration;
use serde_json::json;

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_stays_out() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    bisi.get("/v1/me").await.ok();
    let path = format!("/v1/identity/users/{user}");
    scene.admin.post(&format!("{path}/disable"), json!({})).await.refused(422, "reason-required");
    scene.admin.post(&format!("{path}/disable"), json!({"reason": "has left us"})).await.ok();
    bisi.get("/v1/me").await.refused(401, "session-ended");
    assert_eq!(scene.refreshes(&user, &bisi).await.err().unwrap().code(), "user-not-active");
    assert_eq!(
        scene.token(&user, "TokenGeneration_HostedAuth").await.err().unwrap().code(),
        "user-not-active"
    );
    scene.world.deliver().await;
    let account = scene.pool.account(&user);
    assert!(account.disabled && account.signed_out == 1);
    let logins = scene.admin.get(&format!("{path}/logins")).await.ok();
    let outcomes: Vec<_> = logins["data"].as_array().unwrap().iter().map(|l| l["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("refused"), json!("refused"), json!("success")]);
    let facts = scene.grace.dump().await;
    assert!(!facts.contains(&format!("#fact#active_user#{user}")), "nobody may be assigned to a leaver");
    scene.admin.post(&format!("{path}/enable"), json!({"reason": "is back"})).await.ok();
    scene.world.deliver().await;
    assert!(!scene.pool.account(&user).disabled);
    scene.signs_in(&user).await.get("/v1/me").await.ok();
}

#[tokio::test]
async fn signing_somebody_out_ends_every_token_and_lets_them_sign_in_again() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    scene.admin.post(&format!("/v1/identity/users/{user}/signout"), json!({})).await.ok();
    bisi.get("/v1/me").await.refused(401, "token-stale");
    scene.world.deliver().await;
    assert_eq!(scene.pool.account(&user).signed_out, 1);
    scene.signs_in(&user).await.get("/v1/me").await.ok();
}

#[tokio::test]
async fn an_idle_session_ends_and_a_busy_one_never_does() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let mut bisi = scene.signs_in(&user).await;
    for _ in 0..36 {
        scene.world.clock.advance(SignedDuration::from_mins(5));
        bisi.get("/v1/me").await.ok();
        scene.hears().await;
        bisi = scene.refreshes(&user, &bisi).await.expect("a busy session goes on");
    }
    scene.world.clock.advance(SignedDuration::from_mins(16));
    bisi.get("/v1/me").await.refused(401, "session-idle");
    assert_eq!(scene.refreshes(&user, &bisi).await.err().unwrap().code(), "session-idle");
    let again = scene.signs_in(&user).await;
    again.get("/v1/me").await.ok();
}

#[tokio::test]
async fn however_busy_a_session_ends_after_twelve_hours() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    bisi.get("/v1/me").await.ok();
    scene.hears().await;
    for _ in 0..71 {
        scene.world.clock.advance(SignedDuration::from_mins(10));
        let seen = json!({
            "type": "session.seen", "tenant": scene.grace.id.prefix(), "session": bisi.claims["origin_jti"],
            "user": user, "at": scene.world.clock.now(),
        });
        scene.world.hand_over_other(&seen).await;
    }
    scene.refreshes(&user, &bisi).await.expect("11 h 50 min");
    scene.world.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(scene.refreshes(&user, &bisi).await.err().unwrap().code(), "session-ended");
}

#[tokio::test]
async fn one_session_is_ended_and_the_others_go_on() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let phone = scene.signs_in(&user).await;
    phone.get("/v1/me").await.ok();
    scene.hears().await;
    scene.world.clock.advance(SignedDuration::from_mins(1));
    let desk = scene.signs_in(&user).await;
    desk.get("/v1/me").await.ok();
    scene.hears().await;
    let sessions = desk.get("/v1/identity/me/sessions").await.ok();
    let all = sessions["data"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["current"], &all[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(all[0]["ip"], "196.6.103.10");
    let path = format!("/v1/identity/me/sessions/{}", all[1]["id"].as_str().unwrap());
    desk.delete(&path).await.done();
    desk.delete(&path).await.done();
    phone.get("/v1/me").await.refused(401, "session-ended");
    desk.get("/v1/me").await.ok();
    let stranger = scene.hires("eve", "receptionist").await;
    let eve = scene.signs_in(&stranger).await;
    eve.delete(&format!("/v1/identity/me/sessions/{}", all[0]["id"].as_str().unwrap())).await.missing();
}

#[tokio::test]
async fn a_token_needs_the_login_that_belongs_to_the_user() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let refused = |mut event: serde_json::Value, change: fn(&mut serde_json::Value)| {
        change(&mut event);
        let app = scene.world.app.clone();
        async move { token::answer(&app, event).await.expect_err("a refusal").code() }
    };
    let event = || scene.event(&user, "TokenGeneration_HostedAuth");
    assert_eq!(
        refused(event(), |e| e["request"]["userAttributes"]["sub"] = json!("another")).await,
        "no-user"
    );
    assert_eq!(
        refused(event(), |e| e["request"]["userAttributes"]["custom:tenant"] = json!("platform")).await,
        "no-user"
    );
    let unknown = |e: &mut serde_json::Value| {
        e["request"]["userAttributes"]["custom:user"] = json!("usr_01J00000000000000000000000");
    };
    assert_eq!(refused(event(), unknown).await, "no-user");
    scene.grace.change_gate(|gate| gate.status = web::gate::Status::Suspended).await;
    assert_eq!(refused(event(), |_| ()).await, "tenant-not-open");
    scene.grace.change_gate(|gate| gate.status = web::gate::Status::PastDue).await;
    token::answer(&scene.world.app, event()).await.expect("past due is still open");
}

#[tokio::test]
async fn an_app_client_of_another_organisation_gets_no_token_and_a_machine_gets_its_own() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let mercy = scene.world.hospital("mercy").await;
    let platform =
        scene.world.app.vault().open(store::Scope::Platform, store::Caller::default()).await.unwrap();
    let key = |id: &str| store::Key::item("client", id, ".");
    let theirs = json!({"tenant": mercy.id.prefix(), "kind": "sso"});
    platform.commit().put(&key(CLIENT), &theirs).run().await.unwrap();
    assert_eq!(
        scene.token(&user, "TokenGeneration_HostedAuth").await.err().unwrap().code(),
        "client-of-another"
    );
    let pky = "pky_01J00000000000000000000000";
    let machine = json!({
        "tenant": scene.grace.id.prefix(), "kind": "machine", "key": pky, "generation": 1,
        "sites": ["*"], "modules": ["patients"], "scopes": ["patient.view"],
    });
    platform.commit().put(&key("machine1"), &machine).run().await.unwrap();
    let event = json!({
        "version": "3", "triggerSource": "TokenGeneration_ClientCredentials", "userName": "ClientCredentials",
        "callerContext": {"clientId": "machine1"}, "request": {"userAttributes": {}, "scopes": []}, "response": {},
    });
    let answer = token::answer(&scene.world.app, event.clone()).await.unwrap();
    let said = &answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
    assert_eq!(said["scopesToAdd"], json!(["api/partner"]));
    assert_eq!(said["claimsToAddOrOverride"]["user"], pky);
    assert_eq!(said["claimsToAddOrOverride"]["scopes"], "patient.view");
    let mut unknown = event;
    unknown["callerContext"]["clientId"] = json!("nobody");
    assert_eq!(token::answer(&scene.world.app, unknown).await.err().unwrap().code(), "no-client");
}

#[tokio::test]
async fn a_refresh_costs_no_writing_and_a_sign_in_one_commit() {
    let scene = scene().await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    scene.world.trips();
    scene.refreshes(&user, &bisi).await.unwrap();
    scene.world.calls(2, "the batch, and the client's look-up beside it");
    scene.token(&user, "TokenGeneration_HostedAuth").await.unwrap();
    scene.world.calls(3, "a sign-in");
}
