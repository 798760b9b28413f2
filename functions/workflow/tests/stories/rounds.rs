//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::{
    rules::Desk,
    stage::{Stage, id, made},
};
use serde_json::{Value, json};
use testkit::Actor;

fn step(key: &str) -> Value {
    json!({"key": key, "title": key, "category": "quality", "assignee": {"kind": "role", "value": "nurse"}})
}

fn template() -> Value {
    json!({"code": "audit_round", "name": "Audit", "kind": "audit", "anchor": "first_day", "steps": [step("one")]})
}

#[tokio::test]
async fn an_approval_policy_makes_its_round() {
    let s = Stage::set().await;
    let policy = json!({"command": "payment.refund", "needed": 1, "expires_hours": 24});
    let policy = s.admin.post("/v1/workflow/approval_policies", policy).await.created();
    let round = s.admin.round("/v1/workflow/approval_policies", &id(&policy));
    round.patch(json!({"needed": 2, "reason_required": true})).await;
}

#[tokio::test]
async fn a_rule_makes_its_round_and_is_retired_for_a_reason() {
    let d = Desk::open().await;
    let rule = d.rule(Desk::falls(json!({}))).await;
    let round = d.s.admin.round("/v1/workflow/rules", &id(&rule));
    round.patch(json!({"name": "Falls, looked into"})).await;

    let other = d.active(Desk::falls(json!({"code": "other"}))).await;
    d.does(&other, "retire", json!({"reason": "over"})).await.refused(422, "state");
    d.does(&other, "pause", json!({"reason": "too loud"})).await.ok();
    d.does(&other, "retire", json!({})).await.refused(422, "reason-required");
    assert_eq!(d.does(&other, "retire", json!({"reason": "over"})).await.ok()["status"], "retired");
    d.does(&other, "activate", json!({"reason": "again"})).await.refused(422, "state");
}

#[tokio::test]
async fn a_sequence_and_its_run_make_their_rounds_and_what_is_retired_begins_no_more() {
    let s = Stage::set().await;
    let path = "/v1/workflow/sequences";
    let draft = s.admin.post(path, template()).await.created();
    s.admin.round(path, &id(&draft)).patch(json!({"name": "Audit of wards"})).await;

    let mut other = template();
    other["code"] = json!("other_round");
    let other = id(&s.admin.post(path, other).await.created());
    let gives =
        async |command: &str, body: Value| s.admin.post(&format!("{path}/{other}/{command}"), body).await;
    gives("publish", json!({})).await.ok();
    let new = json!({"template": other, "subject": s.nurse.user(), "anchor_on": "2026-12-01"});
    let run = s.admin.post(&format!("{path}/runs"), new.clone()).await.created();
    let listed = format!("?subject={}", s.nurse.user());
    s.admin.round(&format!("{path}/runs"), &id(&run)).listed_by(listed).await;

    gives("retire", json!({})).await.refused(422, "reason-required");
    assert_eq!(gives("retire", json!({"reason": "a better one"})).await.ok()["status"], "retired");
    s.admin.post(&format!("{path}/runs"), new).await.refused(409, "not-published");
}

#[tokio::test]
async fn a_task_makes_its_round() {
    let s = Stage::set().await;
    let task = s.task(&s.admin, json!({})).await;
    let round = s.admin.round("/v1/workflow/tasks", &id(&task)).listed_by("?role=nurse");
    round.patch(json!({"title": "Count the drugs twice", "priority": "high"})).await;
}

#[tokio::test]
async fn what_is_started_can_be_put_down_and_what_is_ticked_can_be_taken_back() {
    let s = Stage::set().await;
    let hers =
        json!({"assignee": {"kind": "user", "value": s.nurse.user()}, "checklist": [{"text": "count"}]});
    let task = s.task(&s.admin, hers).await;
    s.gives(&s.nurse, &task, "release", json!({})).await.refused(422, "state");
    s.gives(&s.other, &task, "start", json!({})).await.missing();
    s.gives(&s.admin, &task, "start", json!({})).await.refused(403, "not-yours");
    assert_eq!(s.gives(&s.nurse, &task, "start", json!({})).await.ok()["status"], "in_progress");

    let ticked = s.gives(&s.nurse, &task, "check", json!({"n": 0})).await.ok();
    assert_eq!(ticked["checklist"][0]["done_by"], s.nurse.user());
    s.gives(&s.nurse, &task, "uncheck", json!({"n": 7})).await.refused(422, "no-such-check");
    let open = s.gives(&s.nurse, &task, "uncheck", json!({"n": 0})).await.ok();
    assert_eq!(open["checklist"][0].get("done_by"), None, "{open:#}");

    assert_eq!(s.gives(&s.nurse, &task, "release", json!({})).await.ok()["status"], "open");
    let last = s.events_of(&task).await;
    assert_eq!(last.last().unwrap(), "task.released");
}

/// Nobody is bound by what a model proposes before somebody of those it is addressed to has taken it on.
#[tokio::test]
async fn what_a_model_proposes_is_a_task_once_somebody_accepts_it() {
    let s = Stage::set().await;
    let wish =
        json!({"title_code": "document_verify", "category": "quality", "assignee": "role~nurse", "key": "x"});
    s.hears("ai.task_proposed", &made("aid", 1), wish).await;
    let task = s.admin.get("/v1/workflow/tasks?role=nurse").await.ok()["data"][0].clone();
    assert_eq!((&task["status"], &task["source"]["proposed"]), (&json!("proposed"), &json!(true)));
    s.gives(&s.nurse, &task, "claim", json!({})).await.refused(422, "state");
    s.gives(&s.doctor, &task, "accept", json!({})).await.refused(403, "not-yours");
    assert_eq!(s.gives(&s.nurse, &task, "accept", json!({})).await.ok()["status"], "open");
    s.gives(&s.nurse, &task, "accept", json!({})).await.refused(422, "state");
    assert_eq!(s.gives(&s.nurse, &task, "claim", json!({})).await.ok()["claimed_by"], s.nurse.user());
}

/// A rule that sends something out waits for a second administrator, who may say no.
#[tokio::test]
async fn an_approval_makes_its_round_and_is_rejected_for_a_reason_by_somebody_else() {
    let d = Desk::open().await;
    let adopt = json!({"command": "rule.activate"});
    d.s.admin.post("/v1/workflow/approval_policies/adopt", adopt).await.created();
    let hook = json!([{"kind": "webhook", "endpoint": made("whe", 1), "fields": {"of": "=event.record"}}]);
    let loud = d.rule(Desk::falls(json!({"code": "loud", "then": hook}))).await;
    let asked = d.does(&loud, "activate", json!({})).await.refused(428, "approval-required");
    let approval = asked["approval"].as_str().unwrap();
    let second: Actor = d.s.grace.staff("tenant_admin");
    let path = "/v1/workflow/approvals";
    second
        .round(path, approval)
        .listed_by("?role=tenant_admin")
        .derives("request")
        .derives("preview")
        .derives("approve_url")
        .await;

    let reject = format!("{path}/{approval}/reject");
    d.s.admin.post(&reject, json!({"reason": "no"})).await.refused(403, "own-request");
    second.post(&reject, json!({})).await.refused(422, "reason-required");
    let rejected = second.post(&reject, json!({"reason": "ask legal first"})).await.ok();
    assert_eq!(rejected["status"], "rejected");
    assert_eq!(d.shows(&loud).await["status"], "draft", "nothing was activated");
    second.post(&format!("{path}/{approval}/approve"), json!({})).await.refused(409, "already-decided");
}
