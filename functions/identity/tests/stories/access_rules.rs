//! From where, and for how long. IDN-9

use crate::support::*;
use jiff::SignedDuration;
use serde_json::{Value, json};

async fn make(scene: &Scene, rule: Value) -> Value {
    let call =
        scene.admin.call("POST", "/v1/identity/access-rules").because("the insurer asks for it").body(rule);
    call.send().await.created()
}

#[tokio::test]
async fn finance_works_from_the_office_only() {
    let scene = scene().await;
    let rule = json!({"role": "finance", "mode": "enforce", "allow_cidr": ["196.6.103.0/24", "2001:db8::/32"], "allow_countries": ["NG"]});
    let made = make(&scene, rule).await;
    let books = scene.grace.staff("finance");
    let ask = |from: &str, country: Option<&str>| {
        let (actor, country) = (books.clone().from(from), country.map(String::from));
        async move {
            let call = actor.call("GET", "/v1/identity/elevations");
            match country {
                Some(c) => call.header("cloudfront-viewer-country", &c).send().await,
                None => call.send().await,
            }
        }
    };
    ask("196.6.103.77", Some("NG")).await.ok();
    ask("2001:db8::7", None).await.ok();
    ask("203.0.113.9", Some("NG")).await.refused(403, "ip-not-allowed");
    // Whoever sends the header says what they like: without a front that sets it, it is not believed.
    ask("196.6.103.77", Some("FR")).await.ok();
    scene.grace.staff("nurse").from("203.0.113.9").get("/v1/identity/elevations").await.ok();
    make(&scene, json!({"role": "auditor", "mode": "enforce", "deny_unknown_country": true})).await;
    scene.grace.staff("auditor").get("/v1/identity/users").await.refused(403, "ip-not-allowed");
    let path = format!("/v1/identity/access-rules/{}", made["id"].as_str().unwrap());
    let report = scene.admin.call("PATCH", &path).because("a trial first").body(json!({"mode": "report"}));
    report.send().await.ok();
    ask("203.0.113.9", Some("FR")).await.ok();
}

#[tokio::test]
async fn a_rule_never_locks_out_whoever_makes_it() {
    let scene = scene().await;
    let rule = json!({"role": "tenant_admin", "mode": "enforce", "allow_cidr": ["10.0.0.0/8"]});
    let call = scene.admin.call("POST", "/v1/identity/access-rules").because("tight").body(rule);
    call.send().await.refused(422, "locks-you-out");
    let unknown = json!({"role": "tenant_admin", "mode": "enforce", "deny_unknown_country": true});
    let call = scene.admin.call("POST", "/v1/identity/access-rules").because("tighter").body(unknown);
    call.send().await.refused(422, "locks-you-out");
    let bad = json!({"role": "finance", "mode": "enforce", "allow_cidr": ["10.0.0.0/8", "nonsense"], "allow_countries": ["XX"]});
    let call = scene.admin.call("POST", "/v1/identity/access-rules").because("typos").body(bad);
    let faults = call.send().await.faults();
    let at: Vec<_> = faults.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(at, ["/allow_cidr/1", "/allow_countries/0"]);
}

#[tokio::test]
async fn a_rule_shortens_how_long_a_role_may_be_idle() {
    let scene = scene().await;
    make(&scene, json!({"role": "receptionist", "mode": "enforce", "idle_minutes": 5, "absolute_hours": 2}))
        .await;
    let user = scene.hires("bisi", "receptionist").await;
    let bisi = scene.signs_in(&user).await;
    assert_eq!(bisi.claims["idle"], "5");
    scene.world.clock.advance(SignedDuration::from_mins(6));
    bisi.get("/v1/me").await.refused(401, "session-idle");
    let both = scene.hires("ola", "nurse receptionist").await;
    assert_eq!(scene.signs_in(&both).await.claims["idle"], "5", "the shortest counts");
    let admin = scene.hires("ngozi", "tenant_admin").await;
    assert_eq!(scene.signs_in(&admin).await.claims["idle"], "30");
}
