//! What routes and messages cost: rounds to the table, as `spec/notifications.md` §9 counts them.

use crate::stage::Stage;
use serde_json::json;

fn budget(operation: &str) -> u64 {
    let module = notifications::module(notifications::Channels::nowhere());
    u64::from(module.routes.iter().find(|r| r.operation == operation).expect("a route").trips)
}

#[tokio::test]
async fn the_inbox_costs_what_its_routes_say() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    for _ in 0..3 {
        let data = json!({"task": "tsk_1", "assignee": ada.user(), "priority": "normal"});
        stage.happens(&stage.event("task.assigned", data)).await;
    }
    // The gate is read first and kept.
    ada.get("/v1/notifications/count").await.ok();
    let id = stage.inbox(&ada).await.remove(0)["id"].as_str().unwrap().to_string();
    for (operation, method, path) in [
        ("notification.list", "GET", "/v1/notifications".to_string()),
        ("notification.count", "GET", "/v1/notifications/count".into()),
        ("notification.show", "GET", format!("/v1/notifications/{id}")),
        ("notification.read", "POST", format!("/v1/notifications/{id}/read")),
        ("preferences.show", "GET", "/v1/notifications/preferences".into()),
        ("notification.read_all", "POST", "/v1/notifications/read_all".into()),
    ] {
        stage.world.rounds();
        assert_eq!(ada.call(method, &path).body(json!({})).send().await.status, 200, "{operation}");
        stage.world.spends_at_most(budget(operation), operation);
    }
}

#[tokio::test]
async fn an_event_that_nobody_is_told_of_costs_nothing() {
    let stage = Stage::set().await;
    stage.world.hand_over(&stage.event("vitals.recorded", json!({}))).await;
    stage.world.rounds();
    stage.world.hand_over(&stage.event("vitals.recorded", json!({}))).await;
    stage.world.spends(0, "nobody is told");
}
