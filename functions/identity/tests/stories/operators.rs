//! Operators of the platform sign in by the same function. IDN-5

use crate::support::*;
use kernel::OperatorId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Caller, Entity, List, Record, Scope};

/// As much of the tenants module's record as the token reads.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Operator {
    roles: Vec<String>,
    status: String,
    generation: u64,
}
impl Entity for Operator {
    type Id = OperatorId;
    const NOUN: &'static str = "operator";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}

#[tokio::test]
async fn an_operator_sets_up_a_second_factor_and_is_out_when_suspended() {
    let scene = scene().await;
    let caller = Caller { by: "system:test".into(), ..Caller::default() };
    let platform = scene.world.app.vault().open(Scope::Platform, caller).await.unwrap();
    let body = Operator { roles: vec!["platform_admin".into()], status: "active".into(), generation: 3 };
    let record = Record::new(scene.world.clock.now(), body);
    let user = record.id.to_string();
    platform.commit().create(&record).run().await.unwrap();
    let pool: identity::Pool = scene.pool.clone();
    let changed = |status: &str| events::Envelope {
        id: format!("opr#{user}#{status}"),
        tenant: "platform".into(),
        kind: "operator.changed".into(),
        at: scene.world.clock.now().to_string(),
        by: "system".into(),
        record: user.clone(),
        version: 1,
        cause: vec![],
        data: json!({"status": status}),
    };
    scene.world.hand_over(&changed("active")).await;
    identity::operator::appoint(&platform, &pool, record.id).await.unwrap();
    let first = scene.signs_in(&user).await;
    let claim = |name: &str| first.claims.get(name).cloned().unwrap_or_default();
    assert_eq!(
        (claim("tenant"), claim("client"), claim("gen")),
        (json!("platform"), json!("platform"), json!("3"))
    );
    assert_eq!((claim("enrol"), claim("idle")), (json!("mfa"), json!("30")));
    let post =
        |path: &'static str, body| first.call("POST", path).header("authorization", "Bearer own").body(body);
    post("/v1/identity/me/mfa/totp", json!({})).send().await.ok();
    post("/v1/identity/me/mfa/verify", json!({"code": CODE})).send().await.ok();
    let second = scene.refreshes(&user, &first).await.unwrap();
    assert_eq!(second.claims.get("enrol"), None);
    assert_eq!(second.get("/v1/me").await.ok()["permissions"]["login.view"], "own");
    second.get("/v1/identity/me/sessions").await.ok();

    let found = platform.fresh::<Operator>(record.id).await.unwrap();
    let mut suspended = found.next(scene.world.clock.now());
    suspended.body.status = "suspended".into();
    platform.commit().update("suspend", &found, &suspended).run().await.unwrap();
    scene.world.hand_over(&changed("suspended")).await;
    assert!(scene.pool.account(&user).disabled);
    assert_eq!(scene.refreshes(&user, &second).await.err().unwrap().code(), "user-not-active");
}

#[tokio::test]
async fn what_the_tenants_module_wrote_into_the_platforms_gate_stays() {
    let scene = scene().await;
    let caller = Caller { by: "system:test".into(), ..Caller::default() };
    let platform = scene.world.app.vault().open(Scope::Platform, caller).await.unwrap();
    let theirs = web::gate::AccessGate::default();
    platform.commit().fact(store::facts::ACCESS, "self", &theirs).run().await.unwrap();
    let (a, b) = (
        identity::access::Access::read(&platform).await.unwrap(),
        identity::access::Access::read(&platform).await.unwrap(),
    );
    let now = scene.world.clock.now();
    let until = now + jiff::SignedDuration::from_hours(1);
    a.end_session("one", until).write(platform.commit()).run().await.unwrap();
    let raced = b.end_session("two", until).write(platform.commit()).run().await;
    assert_eq!(raced.expect_err("written meanwhile").code(), "access-changed");
}
