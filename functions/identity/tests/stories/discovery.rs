//! Where and how to sign in. IDN-1

use crate::support::*;
use serde_json::json;

#[tokio::test]
async fn a_name_is_completed_without_a_look_up() {
    let scene = scene().await;
    let stranger = scene.world.stranger();
    scene.world.trips();
    let said = stranger
        .post("/v1/identity/discover", json!({"slug": "nowhere", "login_name": "Ada@X.example"}))
        .await
        .ok();
    assert_eq!(said, json!({"method": "password", "login_hint": "nowhere/ada@x.example"}));
    scene.world.calls(0, "discover");
}

#[tokio::test]
async fn an_address_alone_gets_a_letter_and_the_asker_learns_nothing() {
    let scene = scene().await;
    scene.hires("ada", "nurse").await;
    let mercy = scene.world.clinic("mercy").await;
    mercy.staff("tenant_admin").post("/v1/identity/users", person("ada", "nurse")).await.created();
    scene.world.deliver().await;
    let stranger = scene.world.stranger();
    let ask = |name: &str| stranger.call("POST", "/v1/identity/discover").body(json!({"login_name": name}));
    let known = ask("ada@grace.example").send().await;
    let unknown = ask("nobody@grace.example").send().await;
    assert_eq!((known.status, &known.bytes), (202, &unknown.bytes));
    let document = web::openapi::document("Lumina", "1", &scene.world.modules);
    let responses = &document["paths"]["/v1/identity/discover"]["post"]["responses"];
    assert_eq!(responses["202"], responses["200"], "both are documented");
    let letter = scene.world.letters.letters("ada@grace.example").pop().unwrap();
    assert!(letter.text.contains("grace") && letter.text.contains("mercy"), "{}", letter.text);
    assert!(scene.world.letters.letters("nobody@grace.example").is_empty());
    ask("no-address").send().await.refused(400, "validation");
    for _ in 0..18 {
        ask("ada@grace.example").send().await.accepted();
    }
    ask("ada@grace.example").send().await.refused(429, "rate-limited");
}
