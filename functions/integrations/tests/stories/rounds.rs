//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say.

use crate::stage::Stage;
use serde_json::{Value, json};

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

#[tokio::test]
async fn keys_and_endpoints_make_their_rounds() {
    let s = Stage::set().await;
    let key = s.makes(s.key("Insurer", &["patient.view"])).await;
    s.admin.round("/v1/integrations/keys", id(&key)).await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    let round = s.admin.round("/v1/integrations/webhooks", id(&hook));
    round.patch(json!({"description": "the insurer's"})).await;
}

#[tokio::test]
async fn a_delivery_makes_its_round() {
    let s = Stage::set().await;
    let hook = s.hooks(&["patient.registered"], json!({})).await;
    s.registers("Okonkwo").await;
    s.spreads().await;
    let delivered = s.deliveries(&hook, "delivered").await;
    let round = s.admin.round("/v1/integrations/deliveries", id(&delivered[0]));
    round.listed_by(format!("?webhook={}&status=delivered", id(&hook))).await;
}
