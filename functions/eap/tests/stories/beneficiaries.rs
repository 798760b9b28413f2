//! EAP-4: the list, and who puts themselves on it.

use crate::{care::Care, stage::id};
use serde_json::{Value, json};

#[tokio::test]
async fn a_number_is_one_employees_and_a_dependant_belongs_to_an_employee() {
    let c = Care::begin().await;
    let ada = c.employee("E 001", json!({})).await;
    let body = |more: Value| {
        let mut body = json!({"client": c.client["id"], "relation": "employee", "name": "Bola", "employee_number": "e001"});
        crate::stage::merge(&mut body, more);
        body
    };
    let post = async |more: Value| c.s.manager.post("/v1/eap/beneficiaries", body(more)).await;
    post(json!({})).await.refused(409, "duplicate");
    let child = json!({"relation": "child", "employee_number": null});
    assert_eq!(post(child).await.faults(), [("/employee".into(), "required".into())]);
    let son =
        post(json!({"relation": "child", "employee_number": null, "employee": ada["id"]})).await.created();
    post(json!({"relation": "child", "employee_number": null, "employee": ada["id"]}))
        .await
        .refused(409, "duplicate");
    post(json!({"relation": "child", "employee_number": null, "employee": son["id"]}))
        .await
        .refused(422, "unknown-employee");
    post(json!({"employee_number": "E2", "unit": "ABV"})).await.refused(422, "unknown-unit");
    let path = format!("/v1/eap/beneficiaries/{}", id(&ada));
    assert_eq!(c.s.manager.patch(&path, json!({"relation": "spouse"})).await.status, 400);
    c.s.manager.post(&format!("{path}/end"), json!({})).await.ok();
    let stats = c.s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&c.client))).await.ok();
    assert_eq!(stats["total_staff"], 0);
    c.s.manager.post(&format!("{path}/reinstate"), json!({})).await.ok();
    let stats = c.s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&c.client))).await.ok();
    assert_eq!(stats["total_staff"], 1);
    c.s.manager.delete(&path).await.done();
    post(json!({})).await.created();
}

/// Whoever got the link claims it with a login of their own, once.
#[tokio::test]
async fn a_link_to_register_is_claimed_by_the_first_login_that_brings_it() {
    let c = Care::begin().await;
    let path = format!("/v1/eap/clients/{}", id(&c.client));
    c.s.manager.patch(&path, json!({"self_registration": "code_and_list"})).await.ok();
    let code = c.s.manager.get(&path).await.ok()["join_code"].clone();
    c.employee("E1", json!({})).await;
    named(&c).await;
    let body = json!({"organisation": "axis", "join_code": code, "email": "e1@example.org",
        "employee_number": "e1", "birth_date": "1990-01-31"});
    assert_eq!(c.s.world.stranger().post("/v1/eap/register", body).await.status, 202);
    for message in c.s.world.letters.take(web::Queue::Eap) {
        c.s.world.hand_over_other(&message).await;
    }
    let text = c.s.world.letters.letters("e1@example.org")[0].text.clone();
    let token = json!({"token": text.split_whitespace().find(|w| w.contains("/p/"))});
    let (login, late) = (c.s.axis.staff("beneficiary"), c.s.axis.staff("beneficiary"));
    login.post("/v1/eap/register/claim", token.clone()).await.ok();
    late.post("/v1/eap/register/claim", token).await.missing();
}

/// Story 8.
#[tokio::test]
async fn a_right_and_a_wrong_code_are_answered_alike_and_only_the_right_one_brings_a_link() {
    let c = Care::begin().await;
    let path = format!("/v1/eap/clients/{}", id(&c.client));
    c.s.manager.patch(&path, json!({"self_registration": "code_and_list"})).await.ok();
    let code = c.s.manager.get(&path).await.ok()["join_code"].as_str().unwrap().to_string();
    c.employee("E1", json!({})).await;
    named(&c).await;
    let ask = async |ip: &str, email: &str, code: &str, more: Value| {
        let mut body = json!({"organisation": "axis", "join_code": code, "email": email});
        crate::stage::merge(&mut body, more);
        c.s.world.stranger().from(ip).post("/v1/eap/register", body).await
    };
    let known = json!({"employee_number": "e1", "birth_date": "1990-01-31"});
    let trips = async |reply: testkit::Reply| (reply.status, reply.bytes, c.s.world.trips());
    c.s.world.trips();
    let right = trips(ask("203.0.113.1", "right@example.org", &code, known.clone()).await).await;
    let wrong = trips(ask("203.0.113.1", "wrong@example.org", "AAAAAAAA", known.clone()).await).await;
    let born = json!({"employee_number": "e1", "birth_date": "1991-01-31"});
    let other = trips(ask("203.0.113.1", "other@example.org", &code, born).await).await;
    assert_eq!(right.0, 202);
    assert_eq!((&right, &right), (&wrong, &other), "the same bytes for the same work");
    for message in c.s.world.letters.take(web::Queue::Eap) {
        assert!(!message.to_string().contains("example.org"), "{message}");
        c.s.world.hand_over_other(&message).await;
    }
    let letters = |to: &str| c.s.world.letters.letters(to);
    assert_eq!((letters("right@example.org").len(), letters("wrong@example.org").len()), (1, 0));
    assert!(letters("other@example.org").is_empty());
    let text = letters("right@example.org")[0].text.clone();
    let url = text.split_whitespace().find(|w| w.contains("/p/")).unwrap().to_string();
    let login = c.s.axis.staff("beneficiary");
    login.post("/v1/eap/register/claim", json!({"token": url})).await.ok();
    login.post("/v1/eap/register/claim", json!({"token": url})).await.missing();
    assert_eq!(login.get("/v1/eap/cases").await.ok()["data"], json!([]));
    assert!(c.s.world.events().await.iter().any(|e| e.kind == "beneficiary.registered"));
    // The sixth try of an address within an hour is one too many.
    for _ in 0..2 {
        ask("203.0.113.1", "sixth@example.org", &code, json!({})).await.accepted();
    }
    ask("203.0.113.1", "sixth@example.org", &code, json!({})).await.refused(429, "rate-limited");
}

/// The organisation's slug, as provisioning publishes it.
pub async fn named(c: &Care) {
    let caller = store::Caller { by: "system:test".into(), ..Default::default() };
    let platform = c.s.world.app.vault().open(store::Scope::Platform, caller).await.unwrap();
    platform.commit().guard::<Organisation>("slug", "taken", "axis", c.s.axis.id).run().await.unwrap();
}

/// Only so much of a tenant as its name needs.
#[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Organisation {}
impl store::Entity for Organisation {
    type Id = kernel::TenantId;
    const NOUN: &'static str = "tenant";
    const LISTS: &'static [store::List<Self>] = &[];
}
