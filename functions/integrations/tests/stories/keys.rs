//! INT-1: partner keys.

use crate::stage::Stage;
use serde_json::{Value, json};
use testkit::Actor;

async fn registered(desk: &Actor, family: &str, phone: &str, site: &str) -> String {
    let body = json!({
        "given_names": "Ngozi", "family_name": family, "birth_date": "1990-05-17", "gender": "female",
        "phones": [{"number": phone}], "site_id": site,
    });
    desk.post("/v1/patients", body).await.created()["id"].as_str().unwrap().to_string()
}

/// Story 1.
#[tokio::test]
async fn a_key_reads_a_patient_at_its_site_and_none_elsewhere_and_its_use_is_counted() {
    let s = Stage::set().await;
    let [ikeja, lekki] = [0, 1].map(|n| s.grace.sites[n].to_string());
    let here = registered(&s.grace.staff_at("receptionist", &[0]), "Okonkwo", "0803 123 4567", &ikeja).await;
    let there = registered(&s.grace.staff_at("receptionist", &[1]), "Balogun", "0803 765 4321", &lekki).await;
    let mut wish = s.key("Insurer", &["patient.view"]);
    wish["sites"] = json!([ikeja]);
    let key = s.makes(wish).await;
    let machine = s.machine(&key).await;
    machine.get(&format!("/partner/v1/patients/{here}")).await.ok();
    machine.get(&format!("/partner/v1/patients/{there}")).await.missing();
    s.works().await;
    let usage = s.admin.get(&s.path("keys", &key, "usage")).await.ok();
    let today = &usage["days"]["2026-11-23"];
    assert_eq!((&today["calls"], &today["errors_4xx"]), (&json!(2), &json!(1)));
    assert_eq!((&usage["quota"], &usage["remaining"]), (&json!(2_000_000), &json!(1_999_998)));
    assert_eq!(s.admin.get(&s.path("keys", &key, "")).await.ok()["last_used_on"], "2026-11-23");
}

#[tokio::test]
async fn a_permission_that_the_key_does_not_name_is_refused() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["allergy.view"])).await;
    let machine = s.machine(&key).await;
    let refusal = machine.get("/partner/v1/patients/pat_01ARZ3NDEKTSV4RRFFQ69G5FAV").await;
    refusal.refused(403, "forbidden");
    machine.get("/partner/v1/scheduling/slots").await.missing();
}

#[tokio::test]
async fn the_api_key_and_the_token_must_be_of_the_same_key() {
    let s = Stage::set().await;
    let mine = s.makes(s.key("Insurer", &["patient.view"])).await;
    let other = s.makes(s.key("Laboratory", &["patient.view"])).await;
    let machine = s.machine(&mine).await;
    let path = s.path("keys", &mine, "");
    machine.get(&path).await.ok();
    let swapped = machine.clone().keyed(other["gateway_key_id"].as_str().unwrap());
    swapped.get(&path).await.refused(401, "key-mismatch");
    let mut without = machine;
    without.api_key = None;
    without.get(&path).await.refused(401, "key-mismatch");
}

#[tokio::test]
async fn secrets_are_shown_once_and_lie_nowhere_in_the_open() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let (secret, api_key) = (key["client_secret"].as_str().unwrap(), key["api_key"].as_str().unwrap());
    assert!(secret.starts_with("very-secret-") && api_key.starts_with("api-key-of-pky_"));
    let shown = s.admin.get(&s.path("keys", &key, "")).await.ok();
    assert!(shown.get("client_secret").is_none() && shown.get("api_key").is_none());
    assert_eq!(shown["secrets"][0]["hint"], json!(secret[secret.len() - 4..]));
    let dump = s.grace.dump().await;
    for hidden in [secret, api_key, "it@insurer.example"] {
        assert!(!dump.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_makes_no_second_key() {
    let s = Stage::set().await;
    let wish = s.key("Insurer", &["patient.view"]);
    let send = || s.admin.call("POST", "/v1/integrations/keys").key("k-1").body(wish.clone()).send();
    let first = send().await.created();
    assert_eq!(send().await.created(), first);
    assert_eq!(s.doors.standing().keys.len(), 1);
}

/// Story 2, first half.
#[tokio::test]
async fn rotation_keeps_the_old_secret_for_a_day() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let rotated = s.admin.post(&s.path("keys", &key, "rotate"), json!({"overlap_hours": 24})).await.ok();
    assert_eq!(rotated["status"], "rotating");
    let client = key["client_id"].as_str().unwrap();
    let secrets = || s.doors.standing().clients[client].iter().map(|(_, v)| v.clone()).collect::<Vec<_>>();
    let (old, new) = (key["client_secret"].as_str().unwrap(), rotated["client_secret"].as_str().unwrap());
    assert_eq!(secrets(), [old, new]);
    let again = s.admin.post(&s.path("keys", &key, "rotate"), json!({})).await;
    again.refused(422, "state");
    s.later(23);
    assert!(!s.world.ring().await.contains(&"due.pky.overlap".to_string()));
    s.later(1);
    s.world.ring().await;
    s.world.ring().await;
    assert_eq!(secrets(), [new]);
    let shown = s.admin.get(&s.path("keys", &key, "")).await.ok();
    assert_eq!((&shown["status"], shown["secrets"].as_array().unwrap().len()), (&json!("active"), 1));
}

/// Story 2, the middle.
#[tokio::test]
async fn a_revoked_key_is_refused_whatever_the_age_of_its_token_and_gets_no_other() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let machine = s.machine(&key).await;
    machine.get(&s.path("keys", &key, "")).await.ok();
    s.admin.post(&s.path("keys", &key, "revoke"), json!({})).await.refused(422, "reason-required");
    s.admin.post(&s.path("keys", &key, "revoke"), json!({"reason": "contract ended"})).await.ok();
    s.world.deliver().await;
    s.world.app.gates().forget(s.grace.scope());
    machine.get(&s.path("keys", &key, "")).await.refused(401, "session-ended");
    // Half a day later the token itself would still be good.
    s.later(12);
    s.world.app.gates().forget(s.grace.scope());
    machine.get(&s.path("keys", &key, "")).await.refused(401, "session-ended");
    assert!(s.token(key["client_id"].as_str().unwrap()).await.is_err());
    let standing = s.doors.standing();
    assert!(standing.clients.is_empty() && standing.keys.is_empty());
}

#[tokio::test]
async fn the_news_of_a_key_may_come_in_any_order_and_twice() {
    let s = Stage::set().await;
    let key = s.admin.post("/v1/integrations/keys", s.key("Insurer", &["patient.view"])).await.created();
    s.admin.post(&s.path("keys", &key, "revoke"), json!({"reason": "a mistake"})).await.ok();
    let mut news = s.world.events().await;
    news.reverse();
    for event in news.iter().chain(&news) {
        s.world.hand_over(event).await;
    }
    assert!(s.token(key["client_id"].as_str().unwrap()).await.is_err());
    assert!(s.doors.standing().clients.is_empty());
}

/// Story 2, last part.
#[tokio::test]
async fn a_wider_subscription_moves_its_keys_to_the_wider_plan() {
    let s = Stage::set().await;
    s.grace.change_gate(|gate| gate.plan = "Basic".into()).await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let plan = || s.doors.standing().keys[key["gateway_key_id"].as_str().unwrap()].clone();
    assert_eq!((&key["tier"], plan().as_str()), (&json!("basic"), "basic"));
    s.grace.change_gate(|gate| gate.plan = "Professional".into()).await;
    let event = events::Envelope {
        cause: vec![],
        id: "ten#1#2".into(),
        tenant: s.grace.id.prefix(),
        kind: "tenant.plan_changed".into(),
        at: store::stamp(s.world.clock.now()),
        by: "opr_1".into(),
        record: s.grace.id.to_string(),
        version: 2,
        data: json!({"tenant": s.grace.id, "from": "Basic", "to": "Professional"}),
    };
    s.world.hand_over(&event).await;
    s.world.hand_over(&event).await;
    assert_eq!(plan(), "professional");
    assert_eq!(s.admin.get(&s.path("keys", &key, "")).await.ok()["tier"], "professional");
}

#[tokio::test]
async fn an_organisation_holds_as_many_keys_as_its_tier_allows() {
    let s = Stage::set().await;
    s.grace.change_gate(|gate| gate.plan = "Basic".into()).await;
    let first = s.makes(s.key("One", &["patient.view"])).await;
    s.makes(s.key("Two", &["patient.view"])).await;
    let full = s.admin.post("/v1/integrations/keys", s.key("Three", &["patient.view"])).await;
    assert_eq!(full.refused(409, "limit-reached")["allowed"], 2);
    s.admin.post(&s.path("keys", &first, "revoke"), json!({"reason": "not needed"})).await.ok();
    s.makes(s.key("Three", &["patient.view"])).await;
    let dear = json!({"tier": "enterprise", "name": "Four", "owner_email": "a@b.example", "scopes": ["patient.view"]});
    s.admin.post("/v1/integrations/keys", dear).await.refused(422, "tier-above-plan");
}

#[tokio::test]
async fn nobody_gives_a_machine_more_than_they_hold_or_than_any_machine_may() {
    let s = Stage::set().await;
    for (scope, status, code) in [
        ("patient.edit", 403, "scope-exceeds-grant"),
        ("user.create", 403, "scope-exceeds-grant"),
        ("patient.juggle", 422, "unknown-right"),
    ] {
        let refusal = s.admin.post("/v1/integrations/keys", s.key("Insurer", &[scope])).await;
        let problem = refusal.refused(status, code);
        assert!(problem["detail"].as_str().unwrap().contains(scope), "{problem:#}");
    }
    let mut elsewhere = s.key("Insurer", &["patient.view"]);
    elsewhere["sites"] = json!(["sit_01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    s.admin.post("/v1/integrations/keys", elsewhere).await.refused(422, "site-unknown");
    let mut net = s.key("Insurer", &["patient.view"]);
    net["ip_allow"] = json!(["here"]);
    assert_eq!(s.admin.post("/v1/integrations/keys", net).await.faults()[0].0, "/ip_allow/0");
    let mut late = s.key("Insurer", &["patient.view"]);
    late["expires_at"] = json!("2029-01-01T00:00:00Z");
    s.admin.post("/v1/integrations/keys", late).await.refused(422, "expiry");
    s.grace
        .staff("doctor")
        .post("/v1/integrations/keys", s.key("Mine", &["patient.view"]))
        .await
        .refused(403, "forbidden");
    assert!(s.doors.standing().clients.is_empty());
}

#[tokio::test]
async fn a_key_calls_only_from_the_networks_it_names() {
    let s = Stage::set().await;
    let mut wish = s.key("Insurer", &["patient.view"]);
    wish["ip_allow"] = json!(["196.6.103.0/24"]);
    let key = s.makes(wish).await;
    let machine = s.machine(&key).await;
    s.world.app.gates().forget(s.grace.scope());
    machine.get(&s.path("keys", &key, "")).await.ok();
    machine.from("8.8.8.8").get(&s.path("keys", &key, "")).await.refused(403, "ip-not-allowed");
}

#[tokio::test]
async fn what_could_not_be_made_is_listed_works_never_and_can_be_repaired() {
    let s = Stage::set().await;
    s.doors.standing().refuse_keys = 1;
    let refusal = s.admin.post("/v1/integrations/keys", s.key("Insurer", &["patient.view"])).await;
    let id = refusal.refused(503, "gateway-unavailable")["id"].clone();
    assert!(s.doors.standing().clients.is_empty(), "its login was taken back");
    let listed = s.admin.get("/v1/integrations/keys?status=creating").await.ok();
    assert_eq!(
        (&listed["data"][0]["id"], &listed["data"][0]["actions"]),
        (&id, &json!(["repair", "revoke"]))
    );
    s.admin
        .post("/v1/integrations/keys", s.key("insurer ", &["patient.view"]))
        .await
        .refused(409, "duplicate");
    let key = s.admin.post(&s.path("keys", &id, "repair"), json!({})).await.ok();
    s.world.deliver().await;
    s.machine(&key).await.get(&s.path("keys", &id, "")).await.ok();
    s.admin.post(&s.path("keys", &id, "repair"), json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn what_nobody_repairs_gives_its_name_and_place_back() {
    let s = Stage::set().await;
    s.grace.change_gate(|gate| gate.plan = "Basic".into()).await;
    s.makes(s.key("One", &["patient.view"])).await;
    s.doors.standing().refuse_keys = 1;
    s.admin
        .post("/v1/integrations/keys", s.key("Two", &["patient.view"]))
        .await
        .refused(503, "gateway-unavailable");
    s.later(1);
    s.world.ring().await;
    s.makes(s.key("Two", &["patient.view"])).await;
    let ended = s.admin.get("/v1/integrations/keys?status=revoked").await.ok();
    assert_eq!((&ended["data"][0]["name"], &ended["data"][0]["actions"]), (&json!("Two"), &json!([])));
}

#[tokio::test]
async fn a_key_is_warned_of_four_times_and_then_ends() {
    let s = Stage::set().await;
    let mut wish = s.key("Insurer", &["patient.view"]);
    wish["expires_at"] = json!("2027-01-01T06:00:00Z");
    let key = s.makes(wish).await;
    let machine = s.machine(&key).await;
    for day in ["2026-12-02", "2026-12-18", "2026-12-25", "2026-12-31", "2027-01-01"] {
        s.world.clock.set(format!("{day}T06:00:01Z").parse().unwrap());
        // The clock may ring twice.
        s.world.ring().await;
        s.world.ring().await;
    }
    s.world.deliver().await;
    let told: Vec<Value> = s
        .world
        .events()
        .await
        .into_iter()
        .filter(|e| e.kind == "partner_key.expiring")
        .map(|e| e.data["days"].clone())
        .collect();
    assert_eq!(told, [30, 14, 7, 1]);
    assert_eq!(s.admin.get(&s.path("keys", &key, "")).await.ok()["status"], "expired");
    s.world.app.gates().forget(s.grace.scope());
    machine.get(&s.path("keys", &key, "")).await.refused(401, "session-ended");
    assert!(s.doors.standing().clients.is_empty());
}

#[tokio::test]
async fn a_machine_sees_its_own_key_alone_and_may_rotate_it() {
    let s = Stage::set().await;
    let mine = s.makes(s.key("Insurer", &["patient.view"])).await;
    let other = s.makes(s.key("Laboratory", &["patient.view"])).await;
    let machine = s.machine(&mine).await;
    let listed = machine.get("/partner/v1/integrations/keys").await.ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    machine.get(&s.path("keys", &other, "")).await.missing();
    machine.post(&s.path("keys", &mine, "rotate"), json!({})).await.ok();
    machine.post(&s.path("keys", &mine, "revoke"), json!({"reason": "me"})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn another_organisations_key_is_not_there() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let mercy = s.world.hospital("mercy").await.staff("tenant_admin");
    mercy.get(&s.path("keys", &key, "")).await.missing();
    mercy.post(&s.path("keys", &key, "revoke"), json!({"reason": "x"})).await.missing();
}

#[tokio::test]
async fn more_permissions_than_fit_on_a_token_are_read_from_the_key() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    let machine = s.machine(&key).await.with("scopes", "~");
    machine.get("/partner/v1/patients/pat_01ARZ3NDEKTSV4RRFFQ69G5FAV").await.missing();
    machine.get("/partner/v1/patients").await.refused(403, "forbidden");
}
