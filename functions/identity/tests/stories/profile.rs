//! Oneself. IDN-10

use crate::support::*;
use serde_json::json;

#[tokio::test]
async fn a_profile_says_how_somebody_is_reached_and_shown_things() {
    let scene = scene().await;
    let user = scene.hires("ada", "nurse").await;
    let ada = scene.signs_in(&user).await;
    let patch = json!({
        "language": "ha", "time_zone": "Africa/Lagos", "preferred_name": "Adaeze",
        "contact_preference": {"channel": "sms", "quiet_hours": {"from": "22:00", "to": "06:30"}},
        "accessibility": {"text_scale": 1.5, "high_contrast": true},
    });
    let changed = ada.patch("/v1/identity/me", patch).await.ok();
    assert_eq!(changed["accessibility"]["text_scale"], 1.5);
    let me = ada.get("/v1/me").await.ok();
    assert_eq!((&me["language"], &me["name"]), (&json!("ha"), &json!("Adaeze Okafor")));
    assert_eq!(
        (&me["contact_preference"]["channel"], &me["tenant"]["slug"]),
        (&json!("sms"), &json!("grace"))
    );
    let store = scene.grace.store().await;
    let contact: serde_json::Value = store.fact(store::facts::CONTACT, &user).await.unwrap().unwrap();
    assert_eq!(
        (&contact["preferred"], &contact["language"], &contact["name"]),
        (&json!("sms"), &json!("ha"), &json!("Adaeze Okafor"))
    );
    assert!(!scene.grace.dump().await.contains("Adaeze"), "the contact's name is sealed");
}

#[tokio::test]
async fn rights_are_not_part_of_a_profile() {
    let scene = scene().await;
    let user = scene.hires("ada", "nurse").await;
    let ada = scene.signs_in(&user).await;
    for field in ["roles", "sites", "email", "status", "generation", "sub"] {
        let reply = ada.patch("/v1/identity/me", json!({field: "x"})).await;
        assert_eq!(reply.faults(), [(format!("/{field}"), "unknown".to_string())], "{field}");
    }
    let bad = json!({"time_zone": "Africa/Nowhere", "accessibility": {"text_scale": 9}});
    let faults = ada.patch("/v1/identity/me", bad).await.faults();
    assert_eq!(faults, [("/accessibility/text_scale".to_string(), "range".to_string())]);
    ada.call("PATCH", "/v1/identity/me")
        .if_match(1)
        .body(json!({"language": "yo"}))
        .send()
        .await
        .refused(412, "stale");
}

#[tokio::test]
async fn a_new_address_is_confirmed_by_a_code_sent_to_it() {
    let scene = scene().await;
    let user = scene.hires("ada", "nurse").await;
    scene.invites("ben", "nurse").await;
    let ada = scene.signs_in(&user).await;
    ada.post("/v1/identity/me/email", json!({"email": "ben@grace.example"})).await.refused(409, "duplicate");
    ada.post("/v1/identity/me/email", json!({"email": "new@ada.example"})).await.accepted();
    let letter = scene.world.letters.letters("new@ada.example").pop().expect("a letter");
    let code = letter
        .text
        .split_whitespace()
        .find(|w| w.len() == 6 && w.bytes().all(|b| b.is_ascii_digit()))
        .unwrap();
    let wrong = if code == "123456" { "654321" } else { "123456" };
    ada.post("/v1/identity/me/email/verify", json!({"code": wrong})).await.refused(422, "wrong-code");
    let changed = ada.post("/v1/identity/me/email/verify", json!({"code": code})).await.ok();
    assert_eq!(
        (&changed["email"], &changed["login_name"]),
        (&json!("new@ada.example"), &json!("ada@grace.example"))
    );
    ada.post("/v1/identity/me/email/verify", json!({"code": code})).await.refused(422, "wrong-code");
    assert!(scene.world.letters.letters("ada@grace.example").iter().any(|l| l.text.contains("was changed")));
    scene.world.deliver().await;
    let stranger = scene.world.stranger();
    let asked = async |address: &str| {
        let before = scene.world.letters.letters(address).len();
        stranger.post("/v1/identity/discover", json!({"login_name": address})).await.accepted();
        scene.world.letters.letters(address).len() - before
    };
    assert_eq!((asked("new@ada.example").await, asked("ada@grace.example").await), (1, 0));
}

#[tokio::test]
async fn a_telephone_is_confirmed_by_a_code_sent_to_it_and_gets_five_an_hour() {
    let scene = scene().await;
    let user = scene.hires("ada", "nurse").await;
    let ada = scene.signs_in(&user).await;
    let path = "/v1/identity/me/phone";
    let wrong = ada.post(path, json!({"phone": "12345"})).await.faults();
    assert_eq!(wrong[0].0, "/phone");
    for _ in 0..5 {
        ada.post(path, json!({"phone": "0803 123 4567"})).await.accepted();
    }
    ada.post(path, json!({"phone": "0803 123 4567"})).await.refused(429, "too-many-codes");
    let sms = scene.texts().await;
    assert_eq!((sms.len(), sms[4].to.as_str()), (5, "+2348031234567"));
    let code = sms[4].text[..6].to_string();
    assert!(!scene.grace.dump().await.contains(&code), "it waits sealed");
    ada.post(&format!("{path}/verify"), json!({"code": "00000"})).await.refused(400, "validation");
    let other = if code == "000000" { "000001" } else { "000000" };
    ada.post(&format!("{path}/verify"), json!({"code": other})).await.refused(422, "wrong-code");
    let changed = ada.post(&format!("{path}/verify"), json!({"code": code})).await.ok();
    assert_eq!(changed["phone"], "+2348031234567");
    assert!(changed["phone_verified_at"].is_string());
    assert!(
        scene.world.letters.letters("ada@grace.example").iter().any(|l| l.text.contains("telephone of your"))
    );
}

#[tokio::test]
async fn a_code_is_guessed_five_times_at_most() {
    let scene = scene().await;
    let user = scene.hires("ada", "nurse").await;
    let ada = scene.signs_in(&user).await;
    ada.post("/v1/identity/me/email", json!({"email": "new@ada.example"})).await.accepted();
    let letter = scene.world.letters.letters("new@ada.example").pop().unwrap();
    let code = letter
        .text
        .split_whitespace()
        .find(|w| w.len() == 6 && w.bytes().all(|b| b.is_ascii_digit()))
        .unwrap();
    let wrong = if code == "123456" { "654321" } else { "123456" };
    for _ in 0..5 {
        ada.post("/v1/identity/me/email/verify", json!({"code": wrong})).await.refused(422, "wrong-code");
    }
    ada.post("/v1/identity/me/email/verify", json!({"code": code})).await.refused(422, "wrong-code");
}

#[tokio::test]
async fn who_am_i_is_answered_while_the_organisation_is_suspended() {
    let scene = scene().await;
    let user = scene.hires("ada", "nurse").await;
    let ada = scene.signs_in(&user).await;
    scene.grace.change_gate(|gate| gate.status = web::gate::Status::Suspended).await;
    assert_eq!(ada.get("/v1/me").await.ok()["tenant"]["status"], "suspended");
    ada.patch("/v1/identity/me", json!({"language": "yo"})).await.refused(423, "tenant-suspended");
}
