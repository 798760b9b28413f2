//! Every noun is shown, listed and told of, as far as its routes say.

use crate::stage::Stage;
use serde_json::{Value, json};

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

#[tokio::test]
async fn an_export_and_a_verification_make_their_rounds() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    let body = json!({
        "source": "changes", "format": "csv", "from": "2026-05-01T00:00:00Z", "to": "2026-05-31T00:00:00Z",
        "reason": "inspection",
    });
    let export = s.auditor.post("/v1/audit/exports", body).await.accepted();
    let verified = s.verified().await;
    s.auditor.round("/v1/audit/exports", id(&export)).await;
    s.auditor.round("/v1/audit/verifications", id(&verified)).await;
}

/// Somebody looks at more people than they could see in a day.
#[tokio::test]
async fn a_surge_makes_its_round() {
    let s = Stage::set().await;
    let nurse = s.grace.store().await.acting(store::Caller {
        by: s.nurse.user(),
        roles: vec!["nurse".into()],
        request: "req-1".into(),
        ..Default::default()
    });
    let look = |n: u64| {
        let ids = vec![format!("pat_{}", kernel::Ulid::from_parts(1, u128::from(n)))];
        let sight =
            web::access::Sight { action: "patient.show".into(), of: "pat".into(), ids, ..Default::default() };
        serde_json::to_value(web::access::Looked::by(&nurse, sight)).unwrap()
    };
    let looks: Vec<Value> = (0..=200).map(look).collect();
    s.world.batch("audit", &looks).await;
    let surge = s.admin.get("/v1/audit/surges").await.ok()["data"][0].clone();
    s.admin.round("/v1/audit/surges", id(&surge)).await;
}
