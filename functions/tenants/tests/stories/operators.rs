//! TEN-7 and TEN-11: the platform's people, how they enter an organisation, and personal links.

use crate::common::{Home, Scene, scene};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::Actor;

const OPERATORS: &str = "/v1/tenants/operators";

async fn operator(scene: &Scene, name: &str, roles: Value) -> (Value, Actor) {
    let body = json!({"username": name, "email": format!("{name}@lumina.example"), "first_name": name, "last_name": "O", "roles": roles});
    let made = scene.admin.post(OPERATORS, body).await.created();
    let actor = scene.world.operator(
        made["id"].as_str().unwrap(),
        &roles.as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect::<Vec<_>>().join(" "),
    );
    (made, actor)
}
fn one(operator: &Value) -> String {
    format!("{OPERATORS}/{}", operator["id"].as_str().unwrap())
}
fn wish(scope: &str) -> Value {
    json!({"reason": "numbers of patients are not given out since noon", "ticket": "SUP-17", "scope": scope})
}
fn id(context: &Value) -> String {
    context["id"].as_str().unwrap().into()
}
async fn asks(home: &Home<'_>, who: &Actor, body: Value) -> testkit::Reply {
    who.post(&format!("/v1/tenants/{}/contexts", home.id), body).await
}
/// The settings, read from within an open context.
async fn inside(who: &Actor, context: &str) -> testkit::Reply {
    who.call("GET", "/v1/tenants/self/settings/locale").header("x-tenant-context", context).send().await
}

#[tokio::test]
async fn the_last_administrator_stays_and_nobody_takes_their_own_rights() {
    let scene = scene().await;
    let me = scene.admin.user();
    let own = format!("{OPERATORS}/{me}");
    scene.admin.post(&format!("{own}/suspend"), json!({"reason": "tired"})).await.refused(403, "own-record");
    scene
        .admin
        .call("PATCH", &own)
        .body(json!({"can_delete_tenants": true}))
        .because("I want to")
        .send()
        .await
        .refused(403, "own-record");
    scene.admin.delete(&own).await.refused(403, "own-record");
    let (ada, ada_actor) = operator(&scene, "ada", json!(["platform_admin"])).await;
    ada_actor.post(&format!("{own}/suspend"), json!({"reason": "left us"})).await.ok();
    // Now Ada is the only one.
    let (bola, bola_actor) = {
        let body = json!({"username": "bola", "email": "bola@lumina.example", "first_name": "B", "last_name": "O", "roles": ["platform_admin"], "can_delete_tenants": true});
        let made = ada_actor.post(OPERATORS, body).await.created();
        let actor = scene.world.operator(made["id"].as_str().unwrap(), "platform_admin");
        (made, actor)
    };
    scene.world.calm();
    ada_actor.post(&format!("{}/suspend", one(&bola)), json!({"reason": "on leave"})).await.ok();
    // What a process has cached of it lives for half a minute; until then the last one is kept by the count alone.
    bola_actor
        .post(&format!("{}/suspend", one(&ada)), json!({"reason": "revenge"}))
        .await
        .refused(409, "last-administrator");
    scene.world.app.gates().forget(store::Scope::Platform);
    bola_actor
        .post(&format!("{}/suspend", one(&ada)), json!({"reason": "revenge"}))
        .await
        .refused(401, "session-ended");
    let support = json!({"roles": ["platform_support"]});
    scene
        .admin
        .call("PATCH", &one(&ada))
        .body(support)
        .because("x")
        .send()
        .await
        .refused(401, "session-ended");
    ada_actor.post(&format!("{}/activate", one(&bola)), json!({"reason": "back"})).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_who_suspend_each_other_leave_one() {
    let scene = crate::common::contended().await;
    let (ada, ada_actor) = operator(&scene, "ada", json!(["platform_admin"])).await;
    let root = format!("{OPERATORS}/{}/suspend", scene.admin.user());
    let other = format!("{}/suspend", one(&ada));
    let (a, b) = tokio::join!(
        ada_actor.post(&root, json!({"reason": "first"})),
        scene.admin.post(&other, json!({"reason": "second"})),
    );
    let won = [&a, &b].iter().filter(|r| r.status == 200).count();
    assert_eq!(won, 1, "{} {:#} / {} {:#}", a.status, a.body, b.status, b.body);
}

#[tokio::test]
async fn rights_change_with_a_reason_and_end_the_tokens_that_had_them() {
    let scene = scene().await;
    let (ada, ada_actor) = operator(&scene, "ada", json!(["platform_admin"])).await;
    ada_actor.get("/v1/tenants").await.ok();
    scene
        .admin
        .patch(&one(&ada), json!({"can_suspend_tenants": false}))
        .await
        .refused(422, "reason-required");
    let changed = scene
        .admin
        .call("PATCH", &one(&ada))
        .body(json!({"can_suspend_tenants": false}))
        .because("new duties")
        .send()
        .await
        .ok();
    assert_eq!(changed["generation"], 2);
    scene.world.app.gates().forget(store::Scope::Platform);
    ada_actor.get("/v1/tenants").await.refused(401, "token-stale");
    ada_actor.clone().with("gen", "2").get("/v1/tenants").await.ok();
    scene.admin.delete(&one(&ada)).await.refused(403, "flag-missing");
    scene.admin.post(OPERATORS, json!({"username": "ada", "email": "x@lumina.example", "first_name": "A", "last_name": "B", "roles": ["platform_support"]})).await.refused(409, "username-taken");
    for (field, value, code) in [
        ("username", json!("A B"), "pattern"),
        ("email", json!("nobody"), "format"),
        ("roles", json!(["doctor"]), "enum"),
        ("roles", json!([]), "length"),
        ("ip_allow", json!(["10.0.0.0/99"]), "cidr"),
        ("status", json!("active"), "read-only"),
    ] {
        let mut body = json!({"username": "new", "email": "new@lumina.example", "first_name": "N", "last_name": "N", "roles": ["platform_support"]});
        body[field] = value;
        let refusal = scene.admin.post(OPERATORS, body).await;
        assert!(
            refusal.status == 400 && refusal.faults().iter().any(|(_, c)| c == code),
            "{field}: {:#}",
            refusal.body
        );
    }
}

#[tokio::test]
async fn support_sees_its_own_record_and_no_other() {
    let scene = scene().await;
    let (sade, sade_actor) = operator(&scene, "sade", json!(["platform_support"])).await;
    sade_actor.get(&one(&sade)).await.ok();
    sade_actor.get(&format!("{OPERATORS}/{}", scene.admin.user())).await.missing();
    sade_actor.post(OPERATORS, json!({})).await.refused(403, "tenant-context-required");
    let dump = scene.world.scan().await.iter().map(Value::to_string).collect::<String>();
    assert!(!dump.contains("sade@lumina.example"), "the address lies sealed");
}

#[tokio::test]
async fn an_operator_works_from_their_own_networks_and_not_idle() {
    let scene = scene().await;
    let (ada, ada_actor) = operator(&scene, "ada", json!(["platform_admin"])).await;
    let network = json!({"ip_allow": ["10.1.0.0/16"]});
    scene.admin.call("PATCH", &one(&ada)).body(network).because("office only").send().await.ok();
    scene.world.app.gates().forget(store::Scope::Platform);
    let ada_actor = ada_actor.with("gen", "2");
    ada_actor.clone().from("203.0.113.9").get("/v1/tenants").await.refused(403, "ip-not-allowed");
    ada_actor.clone().from("10.1.2.3").get("/v1/tenants").await.ok();
    scene.admin.get("/v1/tenants").await.ok();
    let seen = ada_actor.from("10.1.2.3").with("origin_jti", "ses-late").seen(scene.world.clock.now(), 30);
    scene.world.clock.advance(SignedDuration::from_mins(32));
    seen.get("/v1/tenants").await.refused(401, "session-idle");
}

#[tokio::test]
async fn without_a_context_an_organisation_is_closed_to_operators() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (_, sade) = operator(&scene, "sade", json!(["platform_support"])).await;
    sade.get("/v1/tenants/self/settings/locale").await.refused(403, "tenant-context-required");
    sade.get("/v1/tenants/self/organisation").await.refused(403, "no-tenant");
    let short = json!({"reason": "curious", "ticket": "SUP-1", "scope": "configuration"});
    asks(&home, &sade, short).await.refused(400, "validation");
    let context = asks(&home, &sade, wish("configuration")).await.created();
    assert_eq!(
        (&context["status"], &context["minutes"], &context["read_only"]),
        (&json!("open"), &json!(60), &json!(true))
    );
    inside(&sade, &id(&context)).await.ok();
    let patch = sade
        .call("PATCH", "/v1/tenants/self/settings/scheduling")
        .header("x-tenant-context", &id(&context))
        .body(json!({"appointment_slot_minutes": 20}));
    patch.send().await.refused(403, "forbidden");
    inside(&scene.admin, &id(&context)).await.refused(403, "context-ended");
    let home_two = scene.opens("mercy", "Basic").await;
    home_two
        .staff("tenant_admin")
        .get(&format!("/v1/tenants/self/contexts/{}", id(&context)))
        .await
        .missing();
    let seen = home.staff("tenant_admin").get("/v1/tenants/self/contexts").await.ok();
    assert_eq!(
        (&seen["data"][0]["reason"], &seen["data"][0]["ticket"]),
        (&wish("")["reason"], &json!("SUP-17"))
    );
}

#[tokio::test]
async fn a_context_ends_at_its_minute() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (_, sade) = operator(&scene, "sade", json!(["platform_support"])).await;
    let context = asks(&home, &sade, wish("configuration")).await.created();
    scene.world.clock.advance(SignedDuration::from_mins(59));
    inside(&sade, &id(&context)).await.ok();
    scene.world.clock.advance(SignedDuration::from_mins(2));
    inside(&sade, &id(&context)).await.refused(403, "context-ended");
    scene.world.ring().await;
    let ended = scene.admin.get(&format!("/v1/tenants/contexts/{}", id(&context))).await.ok();
    assert_eq!((&ended["status"], &ended["ended"]), (&json!("ended"), &json!("expired")));
    let names = scene.world.deliver().await;
    assert!(names.contains(&"context.opened".into()) && names.contains(&"context.ended".into()), "{names:?}");
}

#[tokio::test]
async fn personal_records_wait_for_a_second_operator_and_the_organisation() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (_, sade) = operator(&scene, "sade", json!(["platform_support"])).await;
    let context = asks(&home, &sade, wish("personal")).await.created();
    assert_eq!(context["status"], "requested");
    inside(&sade, &id(&context)).await.refused(403, "context-ended");
    let approve = format!("/v1/tenants/contexts/{}/approve", id(&context));
    sade.post(&approve, json!({})).await.refused(403, "tenant-context-required");
    let (_, own) = operator(&scene, "olu", json!(["platform_admin"])).await;
    let mine = asks(&home, &own, wish("personal")).await.created();
    own.post(&format!("/v1/tenants/contexts/{}/approve", id(&mine)), json!({}))
        .await
        .refused(403, "own-request");
    assert_eq!(
        scene.admin.post(&approve, json!({})).await.ok()["status"],
        "requested",
        "the organisation has not said yes"
    );
    let admin = home.staff("tenant_admin");
    home.staff("receptionist")
        .post(&format!("/v1/tenants/self/contexts/{}/allow", id(&context)), json!({}))
        .await
        .refused(403, "forbidden");
    let allowed =
        admin.post(&format!("/v1/tenants/self/contexts/{}/allow", id(&context)), json!({})).await.ok();
    assert_eq!(allowed["status"], "open");
    inside(&sade, &id(&context)).await.ok();
    admin.post(&format!("/v1/tenants/self/contexts/{}/revoke", id(&context)), json!({})).await.ok();
    inside(&sade, &id(&context)).await.refused(403, "context-ended");
    admin
        .post(&format!("/v1/tenants/self/contexts/{}/revoke", id(&context)), json!({}))
        .await
        .refused(422, "state");
}

#[tokio::test]
async fn an_organisation_that_lets_nobody_in_is_not_entered() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    home.staff("tenant_admin")
        .patch("/v1/tenants/self/organisation", json!({"support_access": "denied"}))
        .await
        .ok();
    asks(&home, &scene.admin, wish("configuration")).await.refused(403, "support-denied");
    home.staff("tenant_admin")
        .patch("/v1/tenants/self/organisation", json!({"support_access": "allowed"}))
        .await
        .ok();
    let context = asks(&home, &scene.admin, wish("personal")).await.created();
    assert_eq!((&context["needs_operator"], &context["needs_consent"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn what_an_operator_changes_names_the_context_on_both_sides() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let mut body = wish("configuration");
    body["read_only"] = false.into();
    let context = asks(&home, &scene.admin, body).await.created();
    let patch = scene
        .admin
        .call("PATCH", "/v1/tenants/self/settings/scheduling")
        .header("x-tenant-context", &id(&context));
    patch.body(json!({"appointment_slot_minutes": 20})).because("asked for in SUP-17").send().await.ok();
    let change = scene
        .world
        .scan()
        .await
        .into_iter()
        .find(|i| i["elevated"] == context["id"])
        .expect("a change under the context");
    assert!(change["pk"].as_str().unwrap().starts_with(&home.id.prefix()));
    assert_eq!(change["by"], scene.admin.user());
    let history = home
        .staff("tenant_admin")
        .get(&format!("/v1/tenants/self/contexts/{}/history", id(&context)))
        .await
        .ok();
    assert_eq!(
        (&history["data"][0]["by"], &history["data"][0]["reason"]),
        (&json!(scene.admin.user()), &wish("")["reason"])
    );
}

#[tokio::test]
async fn a_personal_link_opens_one_request_and_leaves_its_name() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (_, sade) = operator(&scene, "sade", json!(["platform_support"])).await;
    let context = asks(&home, &sade, wish("personal")).await.created();
    scene.admin.post(&format!("/v1/tenants/contexts/{}/approve", id(&context)), json!({})).await.ok();
    let letters = scene.world.letters.letters("desk@grace.example");
    let text = letters.last().expect("a letter").text.clone();
    let link = text.split("https://app.test").nth(1).expect("a link").trim().to_string();
    let anybody = scene.stranger(7);
    let opened = anybody.get(&link).await.ok();
    assert_eq!(
        (&opened["organisation"], &opened["purpose"], &opened["record"]),
        (&json!("grace Hospital"), &json!("context.allow"), &context["id"])
    );
    anybody.post(&link, json!({"decision": "pay"})).await.refused(422, "decision-unknown");
    anybody.post(&link, json!({"decision": "allow"})).await.ok();
    inside(&sade, &id(&context)).await.ok();
    anybody.post(&link, json!({"decision": "refuse"})).await.refused(422, "state");
    let history = home
        .staff("tenant_admin")
        .get(&format!("/v1/tenants/self/contexts/{}/history", id(&context)))
        .await
        .ok();
    let by = history["data"][0]["by"].as_str().unwrap().to_string();
    assert!(by.starts_with("public:"), "{by}");
    // Every altered byte, another organisation's name, and time: nothing is known of it.
    let (tenant, sealed) = link.trim_start_matches("/p/").split_once('.').unwrap();
    let mut altered = sealed.to_string().into_bytes();
    altered[30] = if altered[30] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    let mercy = scene.opens("mercy", "Basic").await;
    for wrong in [
        format!("/p/{tenant}.{altered}"),
        format!("/p/{}.{sealed}", mercy.id.prefix()),
        "/p/x".into(),
        format!("/p/{tenant}."),
    ] {
        anybody.get(&wrong).await.missing();
    }
    scene.world.clock.advance(SignedDuration::from_hours(25));
    anybody.get(&link).await.missing();
}

#[tokio::test]
async fn an_organisation_is_found_by_slug_or_host_once_it_is_open() {
    use axum::{http::Method, routing::get};
    use web::{Anyone, Door, Module, Named, ok, route};
    async fn jobs(anyone: Anyone, Named(name): Named) -> web::Answer {
        let (tenant, store) = anyone.organisation(&name).await?;
        ok(&json!({"tenant": tenant.to_string(), "by": store.caller().by}))
    }
    let form = route(Method::GET, "/v1/forms/{name}", Door::Public, "form.show", get(jobs));
    let world = testkit::World::with(vec![tenants::module(), Module::new("forms", vec![form])]).await;
    let scene = crate::common::on(world).await;
    let grace = scene.submits("grace", "Basic").await;
    let look = async |name: &str| scene.stranger(3).get(&format!("/v1/forms/{name}")).await;
    look("grace").await.missing();
    scene.approves(&grace).await;
    scene.world.deliver().await;
    look("grace").await.missing();
    scene.answers(grace.tenant, "user.prepared").await;
    let found = look("grace").await.ok();
    assert_eq!((&found["tenant"], &found["by"]), (&json!(grace.tenant.to_string()), &json!("public")));
    look("unknown").await.missing();
    let path = format!("/v1/tenants/{}", grace.tenant);
    scene.admin.patch(&path, json!({"domain": "records.grace.ng"})).await.refused(422, "reason-required");
    scene
        .admin
        .call("PATCH", &path)
        .body(json!({"domain": "records.grace.ng"}))
        .because("TXT record seen")
        .send()
        .await
        .ok();
    assert_eq!(look("records.grace.ng").await.ok()["tenant"], grace.tenant.to_string());
    let home = Home { scene: &scene, id: grace.tenant, applicant: grace };
    home.command("suspend", json!({"reason_code": "legal", "reason": "a court says so"})).await.ok();
    look("grace").await.refused(423, "tenant-suspended");
}

#[tokio::test]
async fn health_is_shallow_and_readiness_reads_the_table() {
    let empty = testkit::World::with(vec![tenants::module()]).await;
    assert_eq!(empty.stranger().get("/v1/health").await.ok()["status"], "ok");
    empty.calls(0, "health");
    empty.stranger().get("/v1/ready").await.refused(503, "not-ready");
    let scene = scene().await;
    assert_eq!(scene.world.stranger().get("/v1/ready").await.ok()["status"], "ready");
}

#[tokio::test]
async fn whoever_is_back_from_leave_is_let_in_again() {
    let scene = scene().await;
    let (ada, _) = operator(&scene, "ada", json!(["platform_support"])).await;
    scene.admin.post(&format!("{}/suspend", one(&ada)), json!({"reason": "on leave"})).await.ok();
    assert_eq!(scene.admin.get(&one(&ada)).await.ok()["status"], "suspended");
    scene.admin.post(&format!("{}/activate", one(&ada)), json!({"reason": "back"})).await.ok();
    assert_eq!(scene.admin.get(&one(&ada)).await.ok()["status"], "active");
    let again = scene.admin.post(&format!("{}/activate", one(&ada)), json!({"reason": "back"})).await;
    again.refused(422, "state");
}
