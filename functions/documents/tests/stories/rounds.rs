//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::{
    stage::{Stage, id, pdf},
    templates,
};
use serde_json::{Value, json};
use store::facts;

async fn member(s: &Stage) -> Value {
    templates::published(s).await;
    let ask = json!({"template": "offer", "data": templates::values(), "subject": s.carer.user()});
    let document = s.hr.post("/v1/documents/generate", ask).await.created();
    let fact = json!({"active": true});
    s.grace.store().await.commit().fact(facts::ACTIVE_USER, s.carer.user(), &fact).run().await.unwrap();
    let signers = json!({"signers": [{"name": "The carer", "user": s.carer.user(), "role": "employee"}]});
    let made = s.does(&s.hr, &document, "signatures", signers).await.created();
    s.hr.post(&format!("/v1/documents/signatures/{}/send", id(&made)), json!({})).await.ok();
    s.world.deliver().await;
    made
}

#[tokio::test]
async fn a_document_makes_its_round() {
    let s = Stage::set().await;
    let mine = s.carer.user();
    let paper = s.uploads(&s.carer, &pdf("dbs"), json!({"subject": mine})).await;
    let round = s.admin.round("/v1/documents", &id(&paper)).listed_by(format!("?uploaded_by={mine}"));
    round.because("filed anew").patch(json!({"title": "Another paper"})).await;
}

#[tokio::test]
async fn categories_and_retention_classes_of_ones_own_make_their_rounds() {
    let s = Stage::set().await;
    let category = json!({
        "code": "boiler_check", "name": "Boiler check", "group": "general", "types": ["pdf"],
        "needs_verification": false, "needs_expiry": false, "retention": "general", "confidentiality": "internal",
    });
    let class = json!({"code": "boilers", "name": "Boilers", "period_months": 60, "trigger": "created", "basis": "house rule, 2026"});
    for (path, body, change) in [
        ("/v1/documents/categories", category, json!({"name": "Check of a boiler"})),
        ("/v1/documents/retention_classes", class, json!({"period_months": 72})),
    ] {
        s.carer.post(path, body.clone()).await.refused(403, "forbidden");
        let made = s.admin.post(path, body.clone()).await.created();
        s.admin.post(path, body).await.refused(409, "code-taken");
        s.admin.round(path, &id(&made)).patch(change).await;
    }
}

#[tokio::test]
async fn a_template_makes_its_round() {
    let s = Stage::set().await;
    let path = "/v1/documents/templates";
    let draft = s.hr.post(path, templates::offer()).await.created();
    s.admin.round(path, &id(&draft)).patch(json!({"name": "Offer of work"})).await;
}

#[tokio::test]
async fn a_share_makes_its_round() {
    let s = Stage::set().await;
    let paper = s.verified("2027-05-01").await;
    let body = json!({"purpose": "the council asks", "recipient": "council@example.org"});
    let share = s.does(&s.admin, &paper, "shares", body).await.created();
    s.admin.round("/v1/documents/shares", &id(&share)).await;
}

#[tokio::test]
async fn a_member_declines_to_sign_and_the_request_makes_its_round() {
    let s = Stage::set().await;
    let request = member(&s).await;
    let listed = format!("?document={}", request["document"].as_str().unwrap());
    s.hr.round("/v1/documents/signatures", &id(&request)).listed_by(listed).await;
    let decline = format!("/v1/documents/signatures/{}/decline", id(&request));
    s.carer
        .post(&decline, json!({"reason": "the salary is wrong", "ticket": "0".repeat(50)}))
        .await
        .refused(403, "open-first");
    let open = s.carer.post(&decline.replace("/decline", "/open"), json!({})).await.ok();
    let why = json!({"reason": "the salary is wrong", "ticket": open["ticket"]});
    s.doctor.post(&decline, why.clone()).await.missing();
    let declined = s.carer.post(&decline, why.clone()).await.ok();
    assert_eq!(declined["status"], "declined", "one decline ends the request");
    assert_eq!(s.carer.post(&decline, why).await.ok()["status"], "declined", "a second click hears the same");
    assert_eq!(s.heard("signature.declined").await.len(), 1);
    s.carer.post(&decline.replace("/decline", "/open"), json!({})).await.refused(410, "request-closed");
}

#[tokio::test]
async fn a_run_of_disposals_makes_its_round_and_its_approval_is_rejected_for_a_reason() {
    let s = Stage::set().await;
    let paper = s.verified("2027-05-01").await;
    s.at("2027-06-01T03:00:01Z");
    s.world.ring().await;
    let path = "/v1/documents/disposals";
    let run = id(&s.admin.get(&format!("{path}?state=proposed")).await.ok()["data"][0]);
    s.admin.round(path, &run).await;

    s.grace.present(&s.admin).await;
    let approve = format!("{path}/{run}/approve");
    let asked = s.admin.post(&approve, json!({"reason": "as due"})).await.refused(428, "approval-required");
    let approval = asked["approval"].as_str().unwrap();
    let other = s.grace.staff("tenant_admin");
    let approvals = "/v1/documents/approvals";
    let round = other.round(approvals, approval).derives("request").derives("preview").derives("approve_url");
    round.await;
    let reject = format!("{approvals}/{approval}/reject");
    s.admin.post(&reject, json!({"reason": "no"})).await.refused(403, "own-request");
    other.post(&reject, json!({})).await.refused(422, "reason-required");
    assert_eq!(
        other.post(&reject, json!({"reason": "not before the audit"})).await.ok()["status"],
        "rejected"
    );
    s.world.ring().await;
    assert_ne!(s.shows(&paper).await["status"], "disposed");
}

#[tokio::test]
async fn a_hold_makes_its_round() {
    let s = Stage::set().await;
    let paper = s.verified("2027-05-01").await;
    let body = json!({"matter": "Obi v Grace", "reason": "claim form received", "covers": {"documents": [paper["id"]]}});
    let hold = s.admin.post("/v1/documents/holds", body).await.created();
    s.world.deliver().await;
    s.admin.round("/v1/documents/holds", &id(&hold)).await;
}
