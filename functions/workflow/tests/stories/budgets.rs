//! What a route states as its budget is what it costs.

use crate::stage::{Stage, id};
use serde_json::json;
use testkit::Reply;

fn budget(operation: &str) -> u64 {
    let module = workflow::module();
    let route = module.routes.iter().find(|r| r.operation == operation).expect("a route");
    u64::from(route.trips)
}

#[tokio::test]
async fn routes_keep_their_budgets() {
    let s = Stage::set().await;
    let task = s.task(&s.admin, json!({})).await;
    let one = format!("/v1/workflow/tasks/{}", id(&task));
    let within = |operation: &str, reply: Reply| {
        assert!(reply.status < 400, "{}: {:#}", reply.asked, reply.body);
        s.world.spends_at_most(budget(operation), operation);
    };
    let by_role = json!({"title": "x", "category": "hr", "assignee": {"kind": "role", "value": "nurse"}});
    s.world.rounds();
    within("task.create", s.admin.post("/v1/workflow/tasks", by_role).await);
    within("task.show", s.nurse.get(&one).await);
    within("task.list", s.nurse.get("/v1/workflow/tasks?role=nurse").await);
    within("task.claim", s.gives(&s.nurse, &task, "claim", json!({})).await);
    within("task.note", s.nurse.post(&format!("{one}/notes"), json!({"text": "x"})).await);
    within("task.notes", s.nurse.get(&format!("{one}/notes")).await);
    within("task.complete", s.gives(&s.nurse, &task, "complete", json!({})).await);
    let policy = json!({"command": "payment.refund", "needed": 1, "expires_hours": 1});
    within("approval_policy.create", s.admin.post("/v1/workflow/approval_policies", policy).await);
    within("approval.list", s.admin.get("/v1/workflow/approvals").await);
    let rule = json!({
        "code": "one", "name": "One", "on": ["user.activated"], "when": "true",
        "then": [{"kind": "task", "title": "x", "category": "hr", "assignee": {"kind": "role", "value": "nurse"}}],
    });
    let made = s.admin.post("/v1/workflow/rules", rule).await;
    let path = format!("/v1/workflow/rules/{}", id(&made.body));
    within("rule.create", made);
    within("rule.check", s.admin.post(&format!("{path}/check"), json!({})).await);
    s.admin.post(&format!("{path}/activate"), json!({})).await.ok();
    s.world.rounds();
    within(
        "firing.list",
        s.admin.get(&format!("/v1/workflow/firings?rule={}", path.rsplit('/').next().unwrap())).await,
    );
    let adopted =
        s.admin.post("/v1/workflow/sequences/adopt", json!({"code": "onboarding", "publish": true})).await;
    let template = id(&adopted.body);
    within("sequence_template.adopt", adopted);
    let new = json!({"template": template, "subject": s.other.user(), "anchor_on": "2027-01-04"});
    let started = s.admin.post("/v1/workflow/sequences/runs", new).await;
    let run = format!("/v1/workflow/sequences/runs/{}", id(&started.body));
    within("sequence_run.start", started);
    s.world.deliver().await;
    s.world.rounds();
    within(
        "sequence_run.shift",
        s.admin.post(&format!("{run}/shift"), json!({"anchor_on": "2027-01-11", "reason": "x"})).await,
    );
    within("sequence_run.suspend", s.admin.post(&format!("{run}/suspend"), json!({"reason": "x"})).await);
    within("sequence_run.resume", s.admin.post(&format!("{run}/resume"), json!({})).await);
    within("sequence_run.cancel", s.admin.post(&format!("{run}/cancel"), json!({"reason": "x"})).await);
}
