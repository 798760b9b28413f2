//! TSK-2: what keeps rules in their bounds, and what leaves for other modules.

use crate::{
    rules::{Desk, fall},
    stage::{id, made},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

#[tokio::test]
async fn a_shadow_rule_logs_what_it_would_do_and_does_nothing() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({"mode": "shadow"}))).await;
    d.s.hears("incident.reported", &made("inc", 1), fall()).await;
    let firing = &d.firings(&rule).await[0];
    assert_eq!(
        (&firing["acted"][0]["status"], &firing["acted"][1]["rendered"]["text"]),
        (&json!("skipped"), &json!("A fall of severity high"))
    );
    assert!(d.asked("rule.notify_requested").await.is_empty() && d.asked("task.assigned").await.is_empty());
}

#[tokio::test]
async fn a_rule_about_one_record_again_and_again_is_suppressed_and_then_tripped() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({}))).await;
    for n in 0..4 {
        d.s.world.clock.advance(SignedDuration::from_millis(200));
        d.s.hears("incident.reported", &made("inc", 1), fall()).await;
        assert_eq!(d.firings(&rule).await[0]["result"], if n == 0 { "matched" } else { "suppressed" });
    }
    let halted = d.shows(&rule).await;
    assert_eq!((&halted["status"], &halted["halted"]), (&json!("tripped"), &json!("guard-record")));
    d.does(&rule, "activate", json!({"reason": "it was a test"})).await.ok();
    assert_eq!(d.asked("rule.tripped").await.len(), 1);
}

#[tokio::test]
async fn an_import_fires_up_to_the_hours_limit_and_the_rest_is_counted() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({"max_per_hour": 3}))).await;
    for n in 0..8 {
        d.s.hears("incident.reported", &made("inc", n), fall()).await;
    }
    let results: Vec<Value> = d.firings(&rule).await.iter().map(|f| f["result"].clone()).collect();
    let count = |what: &str| results.iter().filter(|r| **r == what).count();
    assert_eq!((count("matched"), count("suppressed")), (3, 1));
    assert_eq!(d.shows(&rule).await["status"], "active", "a limit, not a fault");
}

#[tokio::test]
async fn a_rule_whose_owner_lost_the_right_is_paused() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({}))).await;
    d.s.grace.gone(&d.s.admin).await;
    d.s.hears("incident.reported", &made("inc", 1), fall()).await;
    let halted = d.shows(&rule).await;
    assert_eq!((&halted["status"], &halted["halted"]), (&json!("paused"), &json!("owner_lost_right")));
    assert!(d.firings(&rule).await.is_empty());
}

#[tokio::test]
async fn an_active_rule_is_paused_before_it_is_changed() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({}))).await;
    let one = format!("/v1/workflow/rules/{}", id(&rule));
    d.s.admin.patch(&one, json!({"name": "x"})).await.refused(422, "state");
    d.does(&rule, "pause", json!({})).await.refused(422, "reason-required");
    d.does(&rule, "pause", json!({"reason": "a change"})).await.ok();
    d.s.hears("incident.reported", &made("inc", 1), fall()).await;
    assert!(d.firings(&rule).await.is_empty());
    d.s.admin.patch(&one, json!({"name": "x"})).await.ok();
    d.s.admin.post("/v1/workflow/rules", Desk::falls(json!({}))).await.refused(409, "duplicate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_handed_to_ten_workers_at_once_fires_once() {
    let d = Desk::contended().await;
    let rule = d.active(Desk::falls(json!({"max_per_record": {"count": 20, "seconds": 60}}))).await;
    let incident = d.s.event("incident.reported", &made("inc", 1), fall());
    let one = || {
        let (world, incident) = (d.s.world.clone(), incident.clone());
        tokio::spawn(async move { world.hand_over(&incident).await })
    };
    for done in futures::future::join_all((0..10).map(|_| one())).await {
        done.unwrap();
    }
    assert_eq!(d.firings(&rule).await.len(), 1);
    assert_eq!(d.s.hr.get("/v1/workflow/tasks?role=hr").await.ok()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sending_something_out_may_need_a_second_administrator() {
    let d = Desk::open().await;
    let adopt = json!({"command": "rule.activate"});
    d.s.admin.post("/v1/workflow/approval_policies/adopt", adopt).await.created();
    let quiet = d.active(Desk::falls(json!({"code": "quiet"}))).await;
    assert_eq!(quiet["status"], "active");
    let hook = json!([{"kind": "webhook", "endpoint": made("whe", 1), "fields": {"of": "=event.record"}}]);
    let loud = d.rule(Desk::falls(json!({"code": "loud", "then": hook}))).await;
    let asked = d.does(&loud, "activate", json!({})).await.refused(428, "approval-required");
    let second = d.s.grace.staff("tenant_admin");
    let path = format!("/v1/workflow/approvals/{}/approve", asked["approval"].as_str().unwrap());
    assert_eq!(second.post(&path, json!({})).await.ok()["status"], "active");
}

/// Story 12: what leaves here; signing, sending and trying again are integrations'.
#[tokio::test]
async fn a_webhook_leaves_with_its_endpoint_and_is_pending_until_it_arrived() {
    let d = Desk::open().await;
    let endpoint = made("whe", 1);
    let hook = json!([{
        "kind": "webhook", "endpoint": endpoint,
        "fields": {"of": "=event.record", "severity": "{{ event.data.severity }}", "fixed": 7},
    }]);
    let rule = d.active(Desk::falls(json!({"then": hook}))).await;
    d.s.hears("incident.reported", &made("inc", 1), fall()).await;
    let asked = d.asked("rule.webhook_requested").await;
    assert_eq!((asked.len(), &asked[0].data["endpoint"]), (1, &json!(endpoint)));
    assert_eq!(asked[0].data["fields"], json!({"of": made("inc", 1), "severity": "high", "fixed": 7}));
    let firing = d.firings(&rule).await.remove(0);
    assert_eq!(d.firing(&firing).await["acted"][0]["status"], "pending");
    let action = asked[0].data["action"].clone();
    d.s.hears("rule.action_failed", &id(&action), json!({"action": action, "problem": "endpoint-down"}))
        .await;
    assert_eq!(d.firing(&firing).await["acted"][0]["error"], "endpoint-down");
    d.s.later(1);
    d.s.hears("rule.action_done", &id(&action), json!({"action": action, "done": "msg_1"})).await;
    let done = d.firing(&firing).await;
    assert_eq!((&done["acted"][0]["status"], &done["acted"][0]["error"]), (&json!("done"), &json!(null)));
}
