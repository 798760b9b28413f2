//! What each route costs: rounds to the table, as its declaration states them.

use crate::{doubles::Doors, stage::Stage};
use integrations::{Https, Permit};
use serde_json::json;
use std::sync::Arc;

fn budget(operation: &str) -> u64 {
    let module = integrations::module(Arc::new(Doors::default()), Arc::new(Https::new(Permit::Public)));
    let route = module.routes.iter().find(|r| r.operation == operation).expect("a route");
    u64::from(route.trips)
}

#[tokio::test]
async fn every_route_keeps_to_its_budget() {
    let s = Stage::set().await;
    s.admin.get("/v1/integrations/keys").await.ok();
    let within = |operation: &str| s.world.spends_at_most(budget(operation), operation);
    s.world.rounds();
    let key = s.admin.post("/v1/integrations/keys", s.key("Insurer", &["patient.view"])).await.created();
    within("partner_key.create");
    s.admin.get("/v1/integrations/keys").await.ok();
    within("partner_key.list");
    s.admin.get(&s.path("keys", &key, "")).await.ok();
    within("partner_key.show");
    s.admin.get(&s.path("keys", &key, "usage")).await.ok();
    within("partner_key.usage");
    s.admin.post(&s.path("keys", &key, "rotate"), json!({})).await.ok();
    within("partner_key.rotate");
    s.admin.post(&s.path("keys", &key, "revoke"), json!({"reason": "over"})).await.ok();
    within("partner_key.revoke");
    let hook = s.hooks(&["patient.*"], json!({})).await;
    within("webhook.create");
    s.admin.patch(&s.path("webhooks", &hook, ""), json!({"description": "ours"})).await.ok();
    within("webhook.update");
    s.admin.post(&s.path("webhooks", &hook, "test"), json!({})).await.ok();
    within("webhook.test");
    s.admin.post(&s.path("webhooks", &hook, "rotate_secret"), json!({})).await.ok();
    within("webhook.rotate_secret");
    s.admin.post(&s.path("webhooks", &hook, "disable"), json!({})).await.ok();
    within("webhook.disable");
    s.admin.post(&s.path("webhooks", &hook, "enable"), json!({})).await.ok();
    within("webhook.enable");
    s.admin
        .post(&s.path("webhooks", &hook, "replay"), json!({"since": "2026-11-23T00:00:00Z"}))
        .await
        .accepted();
    within("webhook.replay");
    s.admin.get("/v1/integrations/deliveries").await.ok();
    within("webhook_delivery.list");
    s.admin.post("/v1/integrations/warehouse/enable", json!({})).await.ok();
    within("warehouse.enable");
    s.admin.get("/v1/integrations/warehouse").await.ok();
    within("warehouse.show");
    s.admin.get("/v1/integrations/warehouse/days/2026-11-23").await.ok();
    within("warehouse.day");
}
