//! The door at its edges: panics, other methods, doubled members, paces, places that are not one's own.

use axum::{
    http::Method,
    routing::{get, post},
};
use kernel::{ContextId, Id, OperatorId, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Caller, Entity, List, Record, Scope, facts};
use testkit::{Actor, Tenant, World};
use web::{
    Answer, At, Body, Ctx, Door, Module, Noun, Queue, Reach,
    gate::{AccessGate, AccessRule, Mode, Status},
    noun::{Hooks, Paths, crud},
    route,
};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Shed {
    site: SiteId,
    #[schemars(length(max = 40))]
    name: String,
    #[serde(default)]
    free: Value,
}
impl Entity for Shed {
    type Id = SiteId;
    const NOUN: &'static str = "shed";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}
impl Noun for Shed {
    fn within(record: &Record<Self>, reach: Reach, actor: &web::Actor) -> bool {
        actor.at_site(reach, record.body.site)
    }
}
impl Hooks for Shed {}

async fn panics(_: Ctx) -> Answer {
    panic!("with a secret in it")
}
async fn leaks(_: Ctx) -> Answer {
    Err(kernel::Error::internal("the secret cause").into())
}
async fn me(ctx: Ctx) -> Answer {
    web::ok(&json!({"reach": format!("{:?}", ctx.reach()), "scope": ctx.scope().to_string()}))
}
async fn command(_: Ctx, At(_): At<SiteId>, Body(_): Body<Value>) -> Answer {
    web::ok(&json!({}))
}

fn module() -> Module {
    let mut routes = crud::<Shed>(Paths {
        path: "/v1/sheds",
        view: "site.view",
        create: "site.edit",
        edit: "site.edit",
        delete: "site.edit",
    });
    routes.extend([
        route(Method::GET, "/v1/sheds-panic", Door::SignedIn, "shed.panic", get(panics)),
        route(Method::GET, "/v1/sheds-leak", Door::SignedIn, "shed.leak", get(leaks)),
        route(Method::GET, "/v1/sheds-me", Door::SignedIn, "shed.me", get(me)),
        route(Method::POST, "/v1/sheds/{id}/command", "site.edit", "shed.command", post(command)),
    ]);
    Module::new("tenants", routes)
}

async fn scene() -> (World, Tenant, Actor) {
    let world = World::with(vec![module()]).await;
    let grace = world.hospital("grace").await;
    let admin = grace.staff("tenant_admin");
    (world, grace, admin)
}

async fn rules(world: &World, scope: Scope, role: &str) {
    let store = world.app.vault().open(scope, Caller::default()).await.unwrap();
    let rule = AccessRule {
        role: role.into(),
        mode: Mode::Enforce,
        allow_cidr: vec!["10.0.0.0/8".parse().unwrap()],
        allow_countries: vec![],
        deny_unknown_country: false,
        idle_minutes: None,
        absolute_hours: None,
    };
    let gate = AccessGate { rules: vec![rule], ..AccessGate::default() };
    store.commit().fact(facts::ACCESS, "self", &gate).run().await.unwrap();
    world.app.gates().forget(scope);
}

#[tokio::test]
async fn a_handler_that_panics_answers_500_and_says_nothing_of_it() {
    let (_, _, admin) = scene().await;
    for path in ["/v1/sheds-panic", "/v1/sheds-leak"] {
        let reply = admin.get(path).await;
        assert!(!String::from_utf8_lossy(&reply.bytes).contains("secret"), "{path}");
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        let id = reply.headers["x-request-id"].clone();
        let problem = reply.refused(500, "internal");
        assert_eq!((&problem["request_id"], &problem["instance"]), (&json!(id), &json!(path)));
    }
}

#[tokio::test]
async fn a_known_place_names_its_methods_and_an_unknown_one_is_not_found() {
    let (_, _, admin) = scene().await;
    let reply = admin.call("PUT", "/v1/sheds").send().await;
    let allow = reply.headers["allow"].clone();
    assert!(allow.contains("GET") && allow.contains("POST") && !allow.contains("PUT"), "{allow}");
    reply.refused(405, "method-not-allowed");
    admin.get("/v1/nowhere").await.missing();
    let head = admin.call("HEAD", "/v1/sheds").send().await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    let mut stranger = admin.clone();
    stranger.token = false;
    let reply = stranger.get("/v1/sheds").await;
    assert_eq!(reply.headers["www-authenticate"], "Bearer");
    reply.refused(401, "not-signed-in");
    admin.get("/partner/v1/sheds").await.ok();
}

#[tokio::test]
async fn a_refusal_reaches_the_browser_that_may_ask() {
    let (world, grace, admin) = scene().await;
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    let key = web::cors::allowed_origin("https://app.grace.example", &grace.id.prefix());
    platform.commit().put(&key, &json!({})).run().await.unwrap();
    let reply =
        admin.call("GET", "/v1/sheds/sit_nope").header("origin", "https://app.grace.example").send().await;
    assert_eq!(reply.headers["access-control-allow-origin"], "https://app.grace.example");
    reply.missing();
}

#[tokio::test]
async fn a_body_that_two_readers_could_read_differently_or_the_table_cannot_hold_is_refused() {
    let (_, grace, admin) = scene().await;
    let before = grace.dump().await;
    let site = grace.sites[0];
    let deep = format!("{}1{}", "{\"a\":".repeat(60), "}".repeat(60));
    for free in [
        "{\"a\":1,\"a\":2}",
        "1e300",
        "[1e-300]",
        deep.as_str(),
        "{\"\\u0000sealed\":1}",
        "[\"\\u202e\"]",
        "{\"a\":\"\\u0007\"}",
    ] {
        let body = format!("{{\"site\":\"{site}\",\"name\":\"x\",\"free\":{free}}}");
        admin.call("POST", "/v1/sheds").raw(body.into_bytes()).send().await.refused(400, "validation");
    }
    for (name, value) in
        [("name", json!(1.5)), ("site", json!(1e20)), ("name", json!(18446744073709551615u64))]
    {
        let mut body = json!({"site": site, "name": "x"});
        body[name] = value;
        admin.post("/v1/sheds", body).await.refused(400, "validation");
    }
    assert_eq!(before, grace.dump().await);
    let free = json!({"n": u64::MAX, "f": 0.1, "i": -7, "deep": {"a": [[1, {"b": "ọ"}]]}});
    let made = admin.post("/v1/sheds", json!({"site": site, "name": "x", "free": free})).await.created();
    let path = format!("/v1/sheds/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.ok()["free"], free, "to the last digit");
}

#[tokio::test]
async fn headers_that_are_doubled_or_no_text_are_refused_and_a_star_matches() {
    let (_, grace, admin) = scene().await;
    let made = admin.post("/v1/sheds", json!({"site": grace.sites[0], "name": "x"})).await.created();
    let path = format!("/v1/sheds/{}", made["id"].as_str().unwrap());
    let patch = |admin: &Actor| admin.clone();
    let twice = patch(&admin);
    let twice =
        twice.call("PATCH", &path).header("x-reason", "a").header("x-reason", "b").body(json!({"name": "y"}));
    twice.send().await.refused(400, "validation");
    let long = "x".repeat(2001);
    admin
        .call("PATCH", &path)
        .because(&long)
        .body(json!({"name": "y"}))
        .send()
        .await
        .refused(400, "validation");
    admin.call("PATCH", &path).header("if-match", "*").body(json!({"name": "y"})).send().await.ok();
    admin
        .call("PATCH", &path)
        .header("x-tenant-context", "opx_1")
        .body(json!({}))
        .send()
        .await
        .refused(400, "validation");
}

#[tokio::test]
async fn what_was_deleted_is_restored_and_listed_only_by_those_who_may() {
    let (world, grace, admin) = scene().await;
    let made = admin.post("/v1/sheds", json!({"site": grace.sites[0], "name": "x"})).await.created();
    let path = format!("/v1/sheds/{}", made["id"].as_str().unwrap());
    admin.delete(&path).await.done();
    let restore = format!("{path}/restore");
    let grant = |permission: &str| authz::CustomGrant { permission: permission.into(), reach: Reach::Site };
    let keeper = authz::CustomRole {
        slug: "x_keeper".into(),
        based_on: "tenant_admin".into(),
        grants: vec![grant("site.edit"), grant("site.view")],
    };
    let gate = AccessGate { custom: vec![keeper], ..AccessGate::default() };
    grace.store().await.commit().fact(facts::ACCESS, "self", &gate).run().await.unwrap();
    world.app.gates().forget(grace.scope());
    grace.staff_at("x_keeper", &[1]).post(&restore, json!({})).await.missing();
    let viewer = grace.staff("receptionist");
    assert_eq!(viewer.get("/v1/sheds").await.status, 200);
    viewer.get("/v1/sheds?deleted=true").await.refused(403, "forbidden");
    admin.get("/v1/sheds?deleted=true").await.ok();
    admin.post(&restore, json!({})).await.ok();
}

#[tokio::test]
async fn an_operator_from_elsewhere_does_not_come_in_through_a_context() {
    let (world, grace, _) = scene().await;
    let (id, context) = (OperatorId::at(world.clock.now()), ContextId::at(world.clock.now()));
    let entered = json!({
        "operator": id, "tenant": grace.id.prefix(), "scope": "configuration", "read_only": true,
        "expires_at": world.clock.now() + jiff::SignedDuration::from_hours(1), "reason": "r", "ticket": "t",
    });
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.commit().fact(facts::CONTEXT, context, &entered).run().await.unwrap();
    grace.store().await.commit().fact(facts::CONTEXT, context, &json!({})).run().await.unwrap();
    let operator = world.operator(&id.to_string(), "support");
    let ask = async |operator: &Actor| {
        operator.call("GET", "/v1/sheds-me").header("x-tenant-context", &context.to_string()).send().await
    };
    assert_eq!(ask(&operator).await.ok()["scope"], grace.id.prefix());
    let seen = world.letters.take(Queue::Identity);
    assert_eq!(seen[0]["tenant"], "platform", "an operator's session lives at home");
    rules(&world, Scope::Platform, &id.to_string()).await;
    ask(&operator).await.refused(403, "ip-not-allowed");
    assert_eq!(ask(&operator.from("10.1.2.3")).await.status, 200);
}

#[tokio::test]
async fn an_organisation_without_its_gate_is_shut_and_oneself_is_seen_everywhere() {
    let (world, grace, admin) = scene().await;
    grace.change_gate(|g| g.status = Status::Suspended).await;
    admin.get("/v1/sheds").await.refused(423, "tenant-suspended");
    assert_eq!(admin.get("/v1/sheds-me").await.ok()["reach"], "Own");
    let enrolling = admin.clone().with("enrol", "mfa");
    enrolling.get("/v1/sheds-me").await.ok();
    grace.store().await.commit().drop_fact(facts::TENANT, "self").run().await.unwrap();
    world.app.gates().forget(grace.scope());
    admin.get("/v1/sheds").await.refused(423, "tenant-not-ready");
    let forged = admin.with("user", "system:identity");
    forged.get("/v1/sheds-me").await.refused(401, "token-unreadable");
}

#[tokio::test]
async fn one_person_and_one_organisation_have_a_pace() {
    let (world, grace, admin) = scene().await;
    assert!(!admin.get("/v1/sheds").await.headers.contains_key("ratelimit-limit"), "off unless asked for");
    world.app.pace().off(false);
    grace.change_gate(|g| drop(g.policies.insert("rate.rps".into(), 1.into()))).await;
    let now = world.clock.now();
    world.clock.set(now);
    let mut last = None;
    for n in 0..200 {
        let reply = admin.get("/v1/sheds-me").await;
        if reply.status == 429 {
            last = Some((n, reply));
            break;
        }
        assert!(reply.headers["ratelimit-remaining"].parse::<u64>().unwrap() < 40);
    }
    let (asked, refused) = last.expect("a limit");
    assert!((40..60).contains(&asked), "{asked}: a burst of ten seconds at four times one");
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    refused.refused(429, "rate-limited");
    world.clock.advance(jiff::SignedDuration::from_secs(2));
    admin.get("/v1/sheds-me").await.ok();
    assert_eq!(
        world.hospital("other").await.staff("tenant_admin").get("/v1/sheds-me").await.status,
        200,
        "others go on"
    );
}
