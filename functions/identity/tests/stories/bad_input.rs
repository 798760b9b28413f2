//! Whatever is wrong is told at once, and nothing is written. IDN-1

use crate::support::*;
use serde_json::{Value, json};

#[tokio::test]
async fn every_fault_of_an_invitation_is_named_at_once() {
    let scene = scene().await;
    let before = scene.grace.dump().await;
    let cases: Vec<(Value, &[(&str, &str)])> = vec![
        (
            json!({}),
            &[
                ("/family_name", "required"),
                ("/given_name", "required"),
                ("/roles", "required"),
                ("/sites", "required"),
            ],
        ),
        (
            json!({"given_name": 7, "family_name": "x".repeat(61), "roles": [], "sites": "*"}),
            &[("/family_name", "length"), ("/given_name", "type"), ("/roles", "length"), ("/sites", "type")],
        ),
        (
            json!({"given_name": "Ada\u{202e}", "family_name": "O\u{0}", "roles": ["nurse", "nurse"], "sites": ["*"], "emial": "x"}),
            &[
                ("/emial", "unknown"),
                ("/family_name", "hostile"),
                ("/given_name", "hostile"),
                ("/roles/1", "repeated"),
            ],
        ),
        (
            json!({"given_name": "Ada1", "family_name": "Okafor", "roles": ["nurse"], "sites": ["*"], "phone": "12", "time_zone": "Mars/Base", "email": "ada@grace.example"}),
            &[("/given_name", "invalid-name"), ("/phone", "phone-nigerian"), ("/time_zone", "time-zone")],
        ),
        (
            json!({"given_name": "Ada", "family_name": "Okafor", "roles": ["nurse"], "sites": ["*"]}),
            &[("/email", "required")],
        ),
    ];
    for (body, expected) in cases {
        let reply = scene.admin.post("/v1/identity/users", body.clone()).await;
        let expected: Vec<(String, String)> =
            expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        assert_eq!(reply.faults(), expected, "{body}: {:#}", reply.body);
        reply.refused(400, "validation");
    }
    let deep = format!("{}1{}", "[".repeat(3000), "]".repeat(3000));
    let call = |bytes: Vec<u8>| {
        scene.admin.call("POST", "/v1/identity/users").header("content-type", "application/json").raw(bytes)
    };
    assert_eq!(call(deep.into_bytes()).send().await.status, 400);
    assert_eq!(call(vec![b'a'; 10 * 1024 * 1024]).send().await.status, 413);
    let mut body = person("ada", "nurse");
    body["sites"] = json!(["sit_01J00000000000000000000000"]);
    scene.admin.post("/v1/identity/users", body).await.refused(422, "site-unknown");
    assert_eq!(scene.grace.dump().await, before, "something was written");
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_was() {
    let scene = scene().await;
    let call = || scene.admin.call("POST", "/v1/identity/users").key("once").body(person("ada", "nurse"));
    let (first, second) = (call().send().await, call().send().await);
    assert_eq!((first.status, &first.bytes), (201, &second.bytes));
    let other = scene.admin.call("POST", "/v1/identity/users").key("once").body(person("ben", "nurse"));
    other.send().await.refused(422, "key-reused");
    assert_eq!(scene.world.deliver().await.iter().filter(|n| *n == "user.invited").count(), 1);
}

#[tokio::test]
async fn an_invitation_costs_one_round_trip_and_showing_one() {
    let scene = scene().await;
    // Approval policies are read once a minute, as the gate is twice.
    scene.admin.post("/v1/identity/users", person("eve", "nurse")).await.created();
    scene.world.trips();
    let made = scene.admin.post("/v1/identity/users", person("ada", "nurse")).await.created();
    scene.world.calls(1, "create");
    let path = format!("/v1/identity/users/{}", made["id"].as_str().unwrap());
    scene.admin.get(&path).await.ok();
    scene.world.calls(1, "show");
    scene.admin.get("/v1/identity/users?status=invited").await.ok();
    scene.world.calls(1, "list");
    scene.admin.patch(&path, json!({"bio": "on leave"})).await.ok();
    scene.world.calls(2, "update");
    scene
        .admin
        .call("PATCH", &path)
        .because("moved")
        .body(json!({"roles": ["receptionist"]}))
        .send()
        .await
        .ok();
    scene.world.calls(4, "twice read, the gate's fact, one commit");
}

#[tokio::test]
async fn strangers_and_wrong_roles_are_refused_everywhere() {
    let scene = scene().await;
    let stranger = scene.world.stranger();
    let family = scene.grace.staff("guardian");
    for route in &scene.world.modules[0].routes {
        let path = route.path.replace("{id}", "usr_01J00000000000000000000000").replace("{token}", "x");
        let method = route.method.as_str();
        if let web::Door::Permission(permission) = route.door {
            let reply = stranger.call(method, &path).send().await;
            assert_eq!((reply.status, reply.code()), (401, "not-signed-in"), "{method} {path}");
            let held = authz::decide(
                &authz::Holder { roles: &["guardian".to_string()], ..Default::default() },
                permission,
                scene.world.clock.now(),
            );
            let reply = family.call(method, &path).because("to see").send().await;
            assert_eq!(reply.code() == "forbidden", !held.is_allowed(), "{method} {path}: {:#}", reply.body);
        }
    }
}
