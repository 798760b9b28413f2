//! From an invitation to the first token. IDN-1, IDN-5

use crate::support::*;
use serde_json::json;

#[tokio::test]
async fn an_invited_doctor_sets_a_password_and_signs_in() {
    let scene = scene().await;
    let made = scene.invites("ada", "doctor").await;
    let user = made["id"].as_str().unwrap();
    assert_eq!((&made["status"], &made["login"]), (&json!("invited"), &json!("pending")));
    assert_eq!(scene.user(user).await["login"], "made");
    assert_eq!(scene.pool.account(user).tenant, scene.grace.id.prefix());

    let link = scene.link("ada@grace.example");
    let stranger = scene.world.stranger();
    let page = stranger.get(&link).await.ok();
    assert_eq!((&page["slug"], &page["login_name"]), (&json!("grace"), &json!("ada@grace.example")));
    stranger.post(&link, json!({"password": "short"})).await.refused(422, "weak-password");
    let taken = stranger.post(&link, json!({"password": PASSWORD})).await.ok();
    assert_eq!(taken["login_hint"], "grace/ada@grace.example");
    stranger.post(&link, json!({"password": PASSWORD})).await.refused(409, "invitation-used");
    let account = scene.pool.account(user);
    assert_eq!(account.password.as_deref(), Some(PASSWORD));
    assert_eq!(account.alias.as_deref(), Some("grace/ada@grace.example"));

    let said = scene.token(user, "TokenGeneration_HostedAuth").await.unwrap();
    let claims = &said["claimsToAddOrOverride"];
    assert_eq!(claims["tenant"], scene.grace.id.prefix());
    assert_eq!(
        (&claims["user"], &claims["roles"], &claims["sites"]),
        (&made["id"], &json!("doctor"), &json!("*"))
    );
    assert_eq!(
        (&claims["gen"], &claims["enrol"], &claims["client"]),
        (&json!("1"), &json!("mfa"), &json!("web"))
    );
    assert_eq!(said["scopesToAdd"], json!(["api/use"]));
    assert_eq!(said["scopesToSuppress"], json!([]), "the scope is needed to set the second factor up");
    assert!(claims.as_object().unwrap().values().all(|v| v.is_string()), "texts only: {claims}");
    assert_eq!(scene.user(user).await["status"], "active");
    let names = scene.world.deliver().await;
    assert!(
        names.contains(&"user.activated".into()) && names.contains(&"user.signed_in".into()),
        "{names:?}"
    );
}

#[tokio::test]
async fn the_pool_may_fail_and_nobody_is_lost() {
    let scene = scene().await;
    scene.pool.break_down(true);
    let made = scene.admin.post("/v1/identity/users", person("ada", "nurse")).await.created();
    let user = made["id"].as_str().unwrap();
    let event = scene.world.events().await.into_iter().find(|e| e.kind == "user.invited").unwrap();
    let module = &scene.world.modules[0];
    let message = web::Message::Event(event.clone());
    assert!(web::consume(module, &scene.world.app, &message).await.is_err(), "the queue keeps it");
    assert_eq!(scene.user(user).await["login"], "pending");
    assert!(!scene.pool.has(user));
    scene.pool.break_down(false);
    web::consume(module, &scene.world.app, &message).await.unwrap();
    web::consume(module, &scene.world.app, &message).await.unwrap();
    assert_eq!(scene.user(user).await["login"], "made");
    scene.accepts("ada@grace.example").await;
}

#[tokio::test]
async fn an_invitation_lapses_after_seven_days_and_a_new_one_replaces_it() {
    let scene = scene().await;
    let made = scene.invites("ada", "nurse").await;
    let user = made["id"].as_str().unwrap();
    let old = scene.link("ada@grace.example");
    scene.world.clock.advance(jiff::SignedDuration::from_hours(7 * 24));
    scene.world.stranger().get(&old).await.refused(409, "invitation-ended");
    scene.world.ring().await;
    scene.world.app.gates().forget(scene.grace.scope());
    assert_eq!(scene.user(user).await["status"], "lapsed");
    let path = format!("/v1/identity/users/{user}/resend");
    scene.admin.post(&path, json!({})).await.ok();
    scene.world.deliver().await;
    let new = scene.link("ada@grace.example");
    assert_ne!(old, new);
    scene.world.stranger().get(&old).await.refused(409, "invitation-ended");
    scene.world.stranger().get(&new).await.ok();
}

#[tokio::test]
async fn an_altered_link_is_not_found() {
    let scene = scene().await;
    scene.invites("ada", "nurse").await;
    let link = scene.link("ada@grace.example");
    let other = scene.world.hospital("mercy").await;
    let stranger = scene.world.stranger();
    for at in [40, 60, 80, link.len() - 2] {
        let mut altered: Vec<char> = link.chars().collect();
        altered[at] = if altered[at] == 'A' { 'B' } else { 'A' };
        let altered: String = altered.into_iter().collect();
        stranger.get(&altered).await.missing();
    }
    // Another organisation's signature does not count here, nor ours there.
    let bytes = data_encoding::BASE64URL_NOPAD.decode(link.rsplit('/').next().unwrap().as_bytes()).unwrap();
    let mut moved = kernel::Id::ulid(other.id).to_bytes().to_vec();
    moved.extend(&bytes[16..]);
    let moved = data_encoding::BASE64URL_NOPAD.encode(&moved);
    stranger.get(&format!("/v1/identity/invitations/{moved}")).await.missing();
    stranger.get("/v1/identity/invitations/nonsense").await.missing();
}

#[tokio::test]
async fn the_first_administrator_comes_from_the_sign_up() {
    let scene = scene().await;
    let store = scene.grace.store().await;
    let sealed = |text: &str| seal::Sealed(text.to_string());
    #[derive(serde::Serialize)]
    struct First {
        given_name: seal::Sealed<String>,
        family_name: seal::Sealed<String>,
        email: seal::Sealed<String>,
        phone: seal::Sealed<String>,
    }
    let first = First {
        given_name: sealed("Ngozi"),
        family_name: sealed("Eze"),
        email: sealed("ngozi@grace.example"),
        phone: sealed("0803 123 4567"),
    };
    let key = store::Key::item("admin", "first", ".");
    store.commit().put(&key, &first).run().await.unwrap();
    let event = |kind: &str, version: u64| events::Envelope {
        id: format!("org#org_1#{version}"),
        tenant: scene.grace.id.prefix(),
        kind: kind.into(),
        at: scene.world.clock.now().to_string(),
        by: "system".into(),
        record: "org_1".into(),
        version,
        cause: vec![],
        data: json!({}),
    };
    scene.world.hand_over(&event("tenant.prepared", 1)).await;
    scene.world.hand_over(&event("tenant.prepared", 1)).await;
    let names = scene.world.deliver().await;
    assert_eq!(names.iter().filter(|n| *n == "user.prepared").count(), 1, "{names:?}");
    assert!(
        scene.world.letters.letters("ngozi@grace.example").is_empty(),
        "not before the organisation is open"
    );
    scene.world.hand_over(&event("tenant.provisioned", 2)).await;
    let names = scene.world.deliver().await;
    assert!(names.contains(&"user.invited".into()), "{names:?}");
    scene.accepts("ngozi@grace.example").await;
    let users = scene.admin.get("/v1/identity/users?role=tenant_admin").await.ok();
    let user = users["data"][0]["id"].as_str().unwrap();
    assert_eq!(users["data"][0]["phone"], "+2348031234567");
    assert_eq!(scene.signs_in(user).await.claims["roles"], "tenant_admin");
    let lies_open = scene.grace.dump().await;
    for secret in ["Ngozi", "Eze", "ngozi@", "8031234567"] {
        assert!(!lies_open.contains(secret), "{secret} lies open");
    }
}

/// After a restore (`docs/restore.md`) the pool has each login again, under an identity of its own choice.
#[tokio::test]
async fn a_login_that_the_pool_has_lost_begins_anew_with_an_invitation() {
    let scene = scene().await;
    let user = scene.hires("ada", "doctor").await;
    let before = scene.signs_in(&user).await;
    let stranger = Account { sub: "another".into(), tenant: scene.grace.id.prefix(), ..Account::default() };
    scene.pool.accounts.lock().unwrap().insert(user.clone(), stranger);
    assert!(scene.token(&user, "TokenGeneration_HostedAuth").await.is_err(), "let in by name");
    scene.world.clock.advance(jiff::SignedDuration::from_secs(1));

    let path = format!("/v1/identity/users/{user}/renew-login");
    scene.admin.post(&path, json!({})).await.refused(422, "reason-required");
    let renewed = scene.admin.post(&path, json!({"reason": "restored from an export"})).await.ok();
    assert_eq!((&renewed["status"], &renewed["login"]), (&json!("invited"), &json!("pending")));
    assert_eq!(scene.user(&user).await["roles"], json!(["doctor"]), "what they may do is theirs still");
    scene.world.deliver().await;
    scene.accepts("ada@grace.example").await;
    let again = scene.signs_in(&user).await;
    assert_eq!(again.claims["enrol"], "mfa", "the second factor is set up anew");
    assert_eq!(scene.user(&user).await["status"], "active");
    scene.world.app.gates().forget(scene.grace.scope());
    before.get("/v1/me").await.refused(401, "token-stale");
    scene.admin.post(&format!("/v1/identity/users/{user}/resend"), json!({})).await.refused(422, "state");
}
