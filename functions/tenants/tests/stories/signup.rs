//! TEN-1 and TEN-10: an organisation signs itself up.

use crate::common::scene;
use jiff::SignedDuration;
use serde_json::{Value, json};

const SIGNUPS: &str = "/v1/tenants/signups";

#[tokio::test]
async fn an_organisation_signs_itself_up_step_by_step() {
    let scene = scene().await;
    let first = json!({"organisation_name": "Grace Hospital", "edition": "hospital", "country": "NG", "region": "af-south-1"});
    let grace = scene.begins(first).await;
    let draft = grace.get().await.ok();
    assert_eq!((&draft["status"], draft.get("token")), (&json!("draft"), None), "the token is shown once");
    assert!(draft["missing"].as_array().unwrap().contains(&json!("admin_email")));
    let mut rest = scene.form("grace", "Professional");
    for given in ["organisation_name", "edition", "country", "region"] {
        rest.as_object_mut().unwrap().remove(given);
    }
    let filled = grace.patch(rest).await.ok();
    assert_eq!(filled["missing"], json!([]));
    assert_eq!(filled["phone"], "+2348031234567");
    grace.post("submit", json!({})).await.refused(422, "state");
    let code = scene.code("ada@grace.example");
    assert_eq!(grace.post("verify-email", json!({"code": code})).await.ok()["status"], "verified");
    assert_eq!(grace.post("submit", json!({})).await.ok()["status"], "submitted");
    assert_eq!(grace.post("submit", json!({})).await.ok()["status"], "submitted", "the same answer again");
    grace.patch(json!({"city": "Abuja"})).await.refused(422, "state");
    let waiting = scene.admin.get(&format!("{SIGNUPS}?status=submitted")).await.ok();
    assert_eq!(waiting["data"][0]["actions"], json!(["approve", "reject"]));
}

#[tokio::test]
async fn a_form_that_is_not_complete_is_told_all_that_is_missing() {
    let scene = scene().await;
    let mut form = scene.form("grace", "Basic");
    for gone in ["city", "plan", "accepted_terms"] {
        form.as_object_mut().unwrap().remove(gone);
    }
    let grace = scene.begins(form).await;
    let code = scene.code("ada@grace.example");
    grace.post("verify-email", json!({"code": code})).await.ok();
    let refusal = grace.post("submit", json!({})).await;
    assert_eq!(refusal.code(), "incomplete");
    let pointers: Vec<String> = refusal.faults().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/accepted_terms", "/city", "/plan"]);
}

#[tokio::test]
async fn nobody_reaches_a_draft_without_its_token() {
    let scene = scene().await;
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    let path = format!("{SIGNUPS}/{}", grace.id);
    let other = format!("{SIGNUPS}/sgn_01J00000000000000000000000");
    let strange = |path: &str| grace.who.call("GET", path).header("x-signup-token", "guess").send();
    let (mine, none) = (strange(&path).await, strange(&other).await);
    let plain =
        |reply: &testkit::Reply| (reply.status, reply.body["detail"].clone(), reply.body["type"].clone());
    assert_eq!(plain(&mine), plain(&none), "a draft that is there is answered like one that is not");
    assert_eq!(mine.status, 404);
    grace.who.get(&path).await.missing();
    grace.who.patch(&path, json!({"city": "Kano"})).await.missing();
}

#[tokio::test]
async fn token_and_code_lie_nowhere_in_the_open() {
    let scene = scene().await;
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    let code = scene.code("ada@grace.example");
    let dump = scene.world.scan().await.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let secrets =
        [grace.token.as_str(), "Adaeze", "Okafor", "ada@grace.example", "+2348031234567", "12 Marina Road"];
    for secret in secrets {
        assert!(!dump.contains(secret), "{secret} lies open");
    }
    assert!(!dump.contains(&format!("\"{code}\"")), "the code lies open");
}

#[tokio::test]
async fn a_code_is_good_for_five_guesses_and_a_quarter_of_an_hour() {
    let scene = scene().await;
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    let right = scene.code("ada@grace.example");
    let wrong = if right == "000000" { "000001" } else { "000000" };
    grace.post("verify-email", json!({"code": "12345"})).await.refused(400, "validation");
    for _ in 0..5 {
        grace.post("verify-email", json!({"code": wrong})).await.refused(422, "code-wrong");
    }
    grace.post("verify-email", json!({"code": right})).await.refused(429, "code-tries");
    scene.world.clock.advance(SignedDuration::from_secs(61));
    grace.post("resend-code", json!({})).await.ok();
    let late = scene.code("ada@grace.example");
    scene.world.clock.advance(SignedDuration::from_mins(16));
    grace.post("verify-email", json!({"code": late})).await.refused(422, "code-expired");
    grace.post("resend-code", json!({})).await.ok();
    let fresh = scene.code("ada@grace.example");
    grace.post("verify-email", json!({"code": fresh})).await.ok();
}

#[tokio::test]
async fn codes_are_sent_once_a_minute_and_five_times_again() {
    let scene = scene().await;
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    let early = grace.post("resend-code", json!({})).await;
    assert!(early.retry_after.is_some());
    early.refused(429, "code-just-sent");
    for _ in 0..5 {
        scene.world.clock.advance(SignedDuration::from_secs(61));
        grace.post("resend-code", json!({})).await.ok();
    }
    scene.world.clock.advance(SignedDuration::from_secs(61));
    grace.post("resend-code", json!({})).await.refused(429, "codes-exhausted");
    assert_eq!(scene.world.letters.letters("ada@grace.example").len(), 6);
}

#[tokio::test]
async fn another_address_has_to_be_proven_again() {
    let scene = scene().await;
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    let code = scene.code("ada@grace.example");
    grace.post("verify-email", json!({"code": code})).await.ok();
    let changed = grace.patch(json!({"admin_email": "eve@grace.example"})).await.ok();
    assert_eq!(changed["status"], "draft");
    grace.post("submit", json!({})).await.refused(422, "state");
    grace.post("verify-email", json!({"code": scene.code("eve@grace.example")})).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clinics_ask_for_one_slug_and_exactly_one_gets_it() {
    let scene = crate::common::contended().await;
    let mut other = scene.form("grace", "Basic");
    other["registration_number"] = "RC-2".into();
    let (one, two) = (scene.stranger(1), scene.stranger(2));
    let (a, b) = tokio::join!(one.post(SIGNUPS, scene.form("grace", "Basic")), two.post(SIGNUPS, other));
    let mut statuses = [a.status, b.status];
    statuses.sort();
    assert_eq!(statuses, [201, 409]);
    let loser = if a.status == 409 { a } else { b };
    assert_eq!(loser.code(), "slug-taken");
    assert!(!loser.body.to_string().contains("ten_"), "nothing is told about the holder: {:#}", loser.body);
}

#[tokio::test]
async fn a_registration_number_signs_up_once_however_it_is_spelled() {
    let scene = scene().await;
    scene.submits("grace", "Basic").await;
    let mut form = scene.form("mercy", "Basic");
    form["registration_number"] = "rc grace".into();
    let mercy = scene.begins(form).await;
    mercy.post("verify-email", json!({"code": scene.code("ada@mercy.example")})).await.ok();
    let refusal = mercy.post("submit", json!({})).await.refused(409, "already-registered");
    assert!(refusal.get("record").is_none());
}

#[tokio::test]
async fn a_slug_is_looked_up_and_held_while_the_sign_up_lives() {
    let scene = scene().await;
    let free = async |slug: &str| scene.stranger(9).get(&format!("/v1/tenants/slugs/{slug}")).await.ok();
    assert_eq!(free("grace").await["available"], true);
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    assert_eq!(free("grace").await, json!({"slug": "grace", "available": false}));
    grace.patch(json!({"slug": "grace-two"})).await.ok();
    assert_eq!(free("grace").await["available"], true, "the old one is let go");
    scene.world.clock.advance(SignedDuration::from_hours(7 * 24 + 1));
    assert_eq!(scene.world.ring().await, ["due.sgn.expiry"]);
    assert_eq!(free("grace-two").await["available"], true);
    assert_eq!(grace.get().await.ok()["status"], "expired");
    grace.patch(json!({"city": "Kano"})).await.refused(422, "state");
    assert_eq!(scene.world.deliver().await, ["signup.expired"]);
    scene.stranger(9).get("/v1/tenants/slugs/api").await.refused(400, "validation");
    scene.stranger(9).get("/v1/tenants/slugs/Gr%C3%A2ce").await.refused(400, "validation");
}

#[tokio::test]
async fn an_organisation_of_another_region_is_sent_there_and_nothing_is_stored() {
    let scene = scene().await;
    let before = scene.world.scan().await.len();
    let mut form = scene.form("grace", "Basic");
    (form["country"], form["region"]) = ("GB".into(), "eu-west-1".into());
    form.as_object_mut().unwrap().remove("state");
    form["phone"] = "+442079460000".into();
    let refusal = scene.stranger(1).post(SIGNUPS, form).await.refused(422, "wrong-region");
    assert_eq!((&refusal["region"], &refusal["host"]), (&json!("eu-west-1"), &json!("https://eu.app.test")));
    let counter = 1;
    assert_eq!(scene.world.scan().await.len(), before + counter, "only the hourly counter");
}

#[tokio::test]
async fn records_leave_a_country_only_on_a_ground() {
    let scene = scene().await;
    let mut form = scene.form("grace", "Basic");
    form.as_object_mut().unwrap().remove("transfer_basis");
    let grace = scene.begins(form).await;
    grace.post("verify-email", json!({"code": scene.code("ada@grace.example")})).await.ok();
    grace.post("submit", json!({})).await.refused(422, "transfer-basis-required");
    grace.patch(json!({"transfer_basis": "consent"})).await.ok();
    grace.post("submit", json!({})).await.ok();
}

#[tokio::test]
async fn every_field_of_the_form_refuses_what_does_not_belong_there() {
    let scene = scene().await;
    let before = scene.world.scan().await.len();
    let cases = [
        ("organisation_name", json!("x"), "length"),
        ("organisation_name", json!(7), "type"),
        ("edition", json!("spa"), "enum"),
        ("country", json!("nigeria"), "pattern"),
        ("region", json!("us-east-1"), "enum"),
        ("transfer_basis", json!("because"), "enum"),
        ("address", json!("a\u{202e}b"), "hostile"),
        ("city", json!("x".repeat(101)), "length"),
        ("state", json!("Lagos"), "state-unknown"),
        ("phone", json!("0803"), "length"),
        ("phone", json!("0803 12"), "phone-nigerian"),
        ("email", json!("desk at grace"), "format"),
        ("website", json!("http://grace.example"), "format"),
        ("registration_number", json!("x".repeat(51)), "length"),
        ("tax_id", json!("GB123456789"), "tax-id"),
        ("admin_given_name", json!(""), "length"),
        ("admin_family_name", json!("a\u{0}b"), "hostile"),
        ("admin_email", json!("ada@"), "format"),
        ("admin_phone", json!("12345x"), "phone-characters"),
        ("plan", json!("Basic"), "id"),
        ("billing_period", json!("week"), "enum"),
        ("slug", json!("Grace"), "invalid-slug"),
        ("slug", json!("admin"), "slug-reserved"),
        ("accepted_terms", json!({}), "required"),
        ("accepted_terms", json!({"version": "1", "ip": "1.2.3.4"}), "read-only"),
        ("status", json!("approved"), "read-only"),
        ("expires_at", json!("2030-01-01T00:00:00Z"), "read-only"),
        ("sluk", json!("grace"), "unknown"),
    ];
    let count = cases.len();
    for (n, (field, value, code)) in cases.into_iter().enumerate() {
        let mut form = scene.form("grace", "Basic");
        form[field] = value.clone();
        let who = scene.stranger(1 + n as u8);
        let refusal = who.post(SIGNUPS, form).await;
        let found = refusal.faults();
        assert_eq!(refusal.status, 400, "{field} {value}: {:#}", refusal.body);
        assert!(
            found.iter().any(|(p, c)| p.starts_with(&format!("/{field}")) && c == code),
            "{field} {value}: {found:?}"
        );
    }
    let mut form = scene.form("grace", "Basic");
    form["plan"] = "tpn_01J00000000000000000000000".into();
    scene.stranger(200).post(SIGNUPS, form).await.refused(422, "plan-unknown");
    let mut form = scene.form("grace", "Basic");
    form["admin_email"] = "ada@mailinator.com".into();
    scene.stranger(201).post(SIGNUPS, form).await.refused(422, "email-undeliverable");
    let counters =
        scene.world.scan().await.iter().filter(|i| i["pk"].as_str().unwrap().contains("#rate#")).count();
    assert!(counters <= count + 2);
    assert_eq!(scene.world.scan().await.len(), before + counters, "nothing else is written");
}

#[tokio::test]
async fn one_address_begins_thirty_sign_ups_an_hour() {
    let scene = scene().await;
    let who = scene.stranger(1);
    for n in 0..30 {
        let form = json!({"organisation_name": format!("Org {n}"), "edition": "clinic", "country": "NG", "region": "af-south-1"});
        who.post(SIGNUPS, form).await.created();
    }
    let form =
        json!({"organisation_name": "Org 31", "edition": "clinic", "country": "NG", "region": "af-south-1"});
    let refusal = who.post(SIGNUPS, form.clone()).await;
    assert!(refusal.retry_after.is_some());
    refusal.refused(429, "rate-limited");
    scene.stranger(2).post(SIGNUPS, form).await.created();
}

#[tokio::test]
async fn a_step_costs_one_look_and_one_commit() {
    let scene = scene().await;
    let grace = scene.begins(scene.form("grace", "Basic")).await;
    scene.world.trips();
    grace.get().await.ok();
    scene.world.calls(1, "a look");
    grace.patch(json!({"city": "Ikeja"})).await.ok();
    scene.world.calls(4, "the hourly counter, the draft with its proof, the plan it names, the commit");
}

#[tokio::test]
async fn a_sign_up_that_waits_for_a_decision_is_reminded_of_once_a_day() {
    let scene = scene().await;
    scene.submits("grace", "Basic").await;
    scene.world.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(scene.world.ring().await, ["due.sgn.waiting"]);
    assert!(scene.world.ring().await.is_empty(), "until the next day");
    scene.world.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(scene.world.ring().await, ["due.sgn.waiting"]);
}
