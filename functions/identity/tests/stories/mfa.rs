//! The second factor, and losing it. IDN-5

use crate::support::*;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::Actor;

async fn post(actor: &Actor, path: &str, body: Value) -> testkit::Reply {
    actor.call("POST", path).header("authorization", "Bearer their.own.token").body(body).send().await
}

/// Sets the factor up; the recovery codes.
async fn enrols(actor: &Actor) -> Vec<String> {
    let secret = post(actor, "/v1/identity/me/mfa/totp", json!({})).await.ok();
    assert!(secret["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{secret}");
    post(actor, "/v1/identity/me/mfa/verify", json!({"code": "000000"})).await.refused(422, "wrong-code");
    let done = post(actor, "/v1/identity/me/mfa/verify", json!({"code": CODE})).await.ok();
    done["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_string()).collect()
}

#[tokio::test]
async fn whoever_needs_a_second_factor_does_nothing_before_it() {
    let scene = scene().await;
    let user = scene.hires("ada", "doctor").await;
    let ada = scene.signs_in(&user).await;
    assert_eq!(ada.claims["enrol"], "mfa");
    ada.get("/v1/identity/users").await.refused(403, "mfa-enrolment-required");
    assert_eq!(ada.get("/v1/me").await.ok()["mfa"]["enrolling"], true);
    let codes = enrols(&ada).await;
    assert_eq!(codes.len(), 10);
    assert!(scene.pool.account(&user).totp);
    ada.get("/v1/me").await.refused(401, "token-stale");
    let fresh = scene.refreshes(&user, &ada).await.unwrap();
    assert_eq!(
        (fresh.claims.get("enrol"), fresh.claims.get("mfa")),
        (None, None),
        "no factor was given in this session yet"
    );
    fresh.get("/v1/identity/users?role=nurse").await.ok();
    let said = scene.token(&user, "TokenGeneration_HostedAuth").await.unwrap();
    assert_eq!(said["scopesToSuppress"], json!(["aws.cognito.signin.user.admin"]));
    assert!(said["claimsToAddOrOverride"]["mfa"].is_string(), "given at this sign-in");
    assert!(
        scene.world.letters.letters("ada@grace.example").iter().any(|l| l.text.contains("second factor"))
    );
    let lies_open = scene.grace.dump().await;
    assert!(codes.iter().all(|c| !lies_open.contains(c.as_str())), "a recovery code lies open");
}

#[tokio::test]
async fn who_need_not_may_begin_by_themselves() {
    let scene = scene().await;
    let clinic = scene.world.clinic("mercy").await;
    let admin = clinic.staff("tenant_admin");
    admin.post("/v1/identity/users", person("bisi", "receptionist")).await.created();
    scene.world.deliver().await;
    scene.accepts("bisi@grace.example").await;
    let users = admin.get("/v1/identity/users?role=receptionist").await.ok();
    let user = users["data"][0]["id"].as_str().unwrap();
    let bisi = scene.signs_in(user).await;
    assert_eq!(bisi.claims.get("enrol"), None, "a clinic's receptionist need not");
    post(&bisi, "/v1/identity/me/mfa/totp", json!({})).await.refused(403, "mfa-not-begun");
    bisi.post("/v1/identity/me/mfa/begin", json!({})).await.accepted();
    let bisi = scene.refreshes(user, &bisi).await.unwrap();
    assert_eq!(bisi.claims["enrol"], "mfa");
    assert_eq!(enrols(&bisi).await.len(), 10);
}

#[tokio::test]
async fn a_lost_telephone_is_replaced_by_a_code_on_paper_and_one_by_letter() {
    let scene = scene().await;
    let user = scene.hires("ada", "doctor").await;
    let ada = scene.signs_in(&user).await;
    let codes = enrols(&ada).await;
    let ada = scene.signs_in(&user).await;
    scene.world.deliver().await;
    let stranger = scene.world.stranger();
    let ask = |code: &str, mail: Option<&str>| {
        let mut body = json!({"slug": "grace", "login_name": "ada@grace.example", "recovery_code": code});
        if let Some(mail) = mail {
            body["code"] = json!(mail);
        }
        stranger.call("POST", "/v1/identity/recover").body(body)
    };
    ask("WRONG-WRONG", None).send().await.accepted();
    let mailed = || -> Vec<String> {
        let letters = scene.world.letters.letters("ada@grace.example");
        let digits = |l: &web::Letter| {
            l.text
                .split_whitespace()
                .find(|w| w.len() == 6 && w.bytes().all(|b| b.is_ascii_digit()))
                .map(String::from)
        };
        letters.iter().filter_map(digits).collect()
    };
    assert!(mailed().is_empty(), "a wrong code sends no letter");
    ask(&codes[3], None).send().await.accepted();
    let mail = mailed().pop().expect("a letter with a code");
    let wrong = if mail == "000000" { "000001" } else { "000000" };
    ask(&codes[3], Some(wrong)).send().await.refused(422, "recovery-refused");
    ask("WRONG-WRONG", Some(&mail)).send().await.refused(422, "recovery-refused");
    ask(&codes[3], Some(&mail)).send().await.ok();
    scene.world.deliver().await;
    let account = scene.pool.account(&user);
    assert!(!account.totp && account.signed_out == 1);
    ada.get("/v1/me").await.refused(401, "token-stale");
    assert_eq!(
        scene.signs_in(&user).await.claims["enrol"],
        "mfa",
        "a new factor is set up at the next sign-in"
    );
    ask(&codes[3], Some(&mail)).send().await.refused(422, "recovery-refused");
    ask(&codes[4], Some(&mail)).send().await.refused(422, "recovery-refused");
}

#[tokio::test]
async fn whoever_has_no_address_gets_the_code_by_sms_on_a_confirmed_telephone_alone() {
    let scene = scene().await;
    let user = scene.hires("ada", "doctor").await;
    let codes = enrols(&scene.signs_in(&user).await).await;
    let store = scene.grace.store().await;
    let confirm = |at: Option<jiff::Timestamp>| {
        let (store, user) = (store.clone(), user.parse().unwrap());
        async move {
            let old = store.fresh::<identity::user::User>(user).await.unwrap();
            let mut new = old.next(store.now());
            (new.body.email, new.body.phone) = (None, Some("+2348031234567".into()));
            new.body.phone_verified_at = at;
            store.commit().update("update", &old, &new).run().await.unwrap();
        }
    };
    let stranger = scene.world.stranger();
    let ask = |code: Option<&str>| {
        let mut body = json!({"slug": "grace", "login_name": "ada@grace.example", "recovery_code": codes[3]});
        body.as_object_mut().unwrap().extend(code.map(|c| ("code".to_string(), json!(c))));
        stranger.call("POST", "/v1/identity/recover").body(body)
    };
    confirm(None).await;
    ask(None).send().await.accepted();
    assert!(scene.texts().await.is_empty(), "nobody has shown that it is theirs");
    confirm(Some(store.now())).await;
    ask(None).send().await.accepted();
    let sms = scene.texts().await.remove(0);
    assert_eq!(sms.to.as_str(), "+2348031234567");
    ask(Some(&sms.text[..6])).send().await.ok();
}

#[tokio::test]
async fn guessing_recovery_codes_is_slow() {
    let scene = scene().await;
    scene.hires("ada", "doctor").await;
    let stranger = scene.world.stranger();
    let body = json!({"slug": "grace", "login_name": "ada@grace.example", "recovery_code": "AAAAA-AAAAA"});
    for _ in 0..10 {
        stranger.post("/v1/identity/recover", body.clone()).await.accepted();
    }
    stranger.post("/v1/identity/recover", body.clone()).await.refused(429, "rate-limited");
    scene.world.clock.advance(SignedDuration::from_hours(1));
    stranger.post("/v1/identity/recover", body).await.accepted();
}

#[tokio::test]
async fn an_administrator_takes_a_lost_factor_off_with_a_reason() {
    let scene = scene().await;
    let user = scene.hires("ada", "doctor").await;
    enrols(&scene.signs_in(&user).await).await;
    let path = format!("/v1/identity/users/{user}/reset-mfa");
    scene.admin.post(&path, json!({})).await.refused(422, "reason-required");
    scene.admin.post(&path, json!({"reason": "lost at sea, seen in person"})).await.ok();
    scene.world.deliver().await;
    assert!(!scene.pool.account(&user).totp);
    assert_eq!(scene.signs_in(&user).await.claims["enrol"], "mfa");
}
