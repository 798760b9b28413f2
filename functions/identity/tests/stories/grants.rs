//! Who becomes an administrator, or joins finance, does so by two people (`role.grant`, TSK-3), as the shipped policy says.

use crate::support::{Scene, person, scene};
use serde_json::{Value, json};
use testkit::Actor;

/// A house with the shipped policy and two administrators, both there.
async fn house() -> (Scene, Actor, Actor) {
    let s = scene().await;
    let store = s.grace.store().await;
    store.commit().drop_fact(store::facts::APPROVAL_POLICY, "role.grant").run().await.unwrap();
    s.world.app.policies().forget(s.grace.scope());
    let (ada, bola) = (s.grace.staff("tenant_admin"), s.grace.staff("tenant_admin"));
    s.grace.present(&ada).await;
    s.grace.present(&bola).await;
    (s, ada, bola)
}

fn place(waits: &Value) -> String {
    format!("/v1/identity/approvals/{}", waits["approval"].as_str().unwrap())
}

const USERS: &str = "/v1/identity/users";

#[tokio::test]
async fn an_invitation_to_finance_waits_and_is_sent_when_a_second_administrator_agrees() {
    let (s, ada, bola) = house().await;
    let waits = ada.post(USERS, person("chi", "finance")).await.refused(428, "approval-required");
    s.world.deliver().await;
    assert!(s.world.letters.letters("chi@grace.example").is_empty());
    let approve = format!("{}/approve", place(&waits));
    ada.post(&approve, json!({})).await.refused(403, "own-request");
    s.grace.staff("hr").post(&approve, json!({})).await.refused(403, "not-an-approver");
    // What the invitation itself would have answered.
    let invited = bola.call("POST", &approve).body(json!({})).send().await.created();
    assert_eq!((&invited["roles"], &invited["status"]), (&json!(["finance"]), &json!("invited")));
    s.world.deliver().await;
    assert_eq!(s.world.letters.letters("chi@grace.example").len(), 1);
    bola.post(&approve, json!({})).await.refused(409, "already-decided");
}

#[tokio::test]
async fn who_becomes_an_administrator_waits_and_other_changes_do_not() {
    let (s, ada, bola) = house().await;
    let chi = ada.post(USERS, person("chi", "receptionist")).await.created();
    let path = format!("{USERS}/{}", chi["id"].as_str().unwrap());
    let amend =
        |roles: Value| ada.call("PATCH", &path).because("more to do").body(json!({"roles": roles})).send();
    amend(json!(["receptionist", "cashier"])).await.ok();
    let waits = amend(json!(["receptionist", "tenant_admin"])).await.refused(428, "approval-required");
    assert_eq!(bola.get(&path).await.ok()["roles"], json!(["receptionist", "cashier"]));
    let approve = format!("{}/approve", place(&waits));
    let raised = bola.post(&approve, json!({})).await.ok();
    assert_eq!(raised["roles"], json!(["receptionist", "tenant_admin"]));
    // Whoever is one already is not made one.
    ada.call("PATCH", &path).because("less to do").body(json!({"roles": ["tenant_admin"]})).send().await.ok();
    assert!(s.world.events().await.iter().any(|e| e.kind == "approval.executed" && e.by == bola.user()));
}

#[tokio::test]
async fn a_change_between_the_wish_and_the_approval_is_not_written_over() {
    let (_s, ada, bola) = house().await;
    let chi = ada.post(USERS, person("chi", "receptionist")).await.created();
    let path = format!("{USERS}/{}", chi["id"].as_str().unwrap());
    let wish = json!({"roles": ["finance"]});
    let waits = ada.call("PATCH", &path).because("a new job").body(wish).send().await;
    let waits = waits.refused(428, "approval-required");
    ada.patch(&path, json!({"given_name": "Chioma"})).await.ok();
    bola.post(&format!("{}/approve", place(&waits)), json!({})).await.refused(409, "superseded");
    assert_eq!(bola.get(&path).await.ok()["roles"], json!(["receptionist"]));
}

#[tokio::test]
async fn the_only_administrator_appoints_a_second_alone() {
    let (s, ada, bola) = house().await;
    s.grace.gone(&bola).await;
    ada.post(USERS, person("chi", "tenant_admin")).await.created();
    // From now on there is somebody to ask.
    s.grace.present(&bola).await;
    ada.post(USERS, person("eze", "tenant_admin")).await.refused(428, "approval-required");
}
