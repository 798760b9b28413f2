//! Round trips: what the routes state is what happens. Requests side by side are one round.

use crate::stage::Stage;
use serde_json::json;

fn stated(operation: &str) -> u64 {
    let module = audit::module();
    let route =
        module.routes.iter().find(|r| r.operation == operation).unwrap_or_else(|| panic!("{operation}"));
    u64::from(route.trips)
}

#[tokio::test]
async fn every_operation_keeps_to_the_rounds_it_states() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
    s.night("2026-05-05").await;
    s.auditor.get("/v1/audit/digests").await.ok();
    let user = s.desk.user();
    for (operation, path) in [
        ("change.list", format!("/v1/audit/changes?record={ada}")),
        ("change.list", format!("/v1/audit/changes?user={user}")),
        ("change.list", "/v1/audit/changes?action=pat.update".into()),
        ("change.list", "/v1/audit/changes".into()),
        ("access.list", format!("/v1/audit/access?record={ada}")),
        ("access.list", format!("/v1/audit/access?subject={ada}")),
        ("digest.list", "/v1/audit/digests".into()),
        ("digest.show", "/v1/audit/digests/2026-05-04".into()),
        ("digest.keys", "/v1/audit/keys".into()),
        ("digest.proof", format!("/v1/audit/changes/{ada}/2/proof")),
        ("verification.record", format!("/v1/audit/records/{ada}/verify")),
        ("verification.list", "/v1/audit/verifications".into()),
        ("surge.list", "/v1/audit/surges".into()),
    ] {
        s.world.rounds();
        s.auditor.get(&path).await.ok();
        s.world.spends_at_most(stated(operation), &path);
    }
    s.world.rounds();
    s.auditor.post("/v1/audit/verifications", json!({"reason": "x"})).await.accepted();
    s.world.spends_at_most(stated("verification.create"), "verification.create");
    let body = json!({
        "source": "changes", "format": "csv", "from": "2026-05-01T00:00:00Z", "to": "2026-05-31T00:00:00Z", "reason": "x",
    });
    s.auditor.post("/v1/audit/exports", body).await.accepted();
    s.world.spends_at_most(stated("audit_export.create"), "audit_export.create");
}
