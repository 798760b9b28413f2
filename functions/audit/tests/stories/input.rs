//! What is asked wrongly is refused with its place and the way out (§8).

use crate::stage::Stage;
use serde_json::json;

#[tokio::test]
async fn filters_that_do_not_combine_ranges_that_make_no_sense_and_cursors_of_others_are_refused() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    let user = s.desk.user();
    for query in [format!("record={ada}&user={user}"), format!("record={ada}&user={user}&action=pat.update")]
    {
        let refused = s.auditor.get(&format!("/v1/audit/changes?{query}")).await;
        let problem = refused.clone().refused(400, "validation");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("record + action"), "{problem:#}");
    }
    for query in [
        "from=2026-05-04T00:00:00Z&to=2026-05-03T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-05-03T00:00:00Z",
    ] {
        s.auditor.get(&format!("/v1/audit/changes?{query}")).await.refused(422, "bad-range");
    }
    for query in
        ["record=ada", "action=update", "limit=0", "limit=101", "nurse=x", "cursor=abc", "from=yesterday"]
    {
        s.auditor.get(&format!("/v1/audit/changes?{query}")).await.refused(400, "validation");
    }
    let page = s.auditor.get(&format!("/v1/audit/changes?record={ada}&limit=1")).await.ok();
    let cursor = page["next"].as_str().unwrap();
    s.auditor.get(&format!("/v1/audit/changes?record={ada}&limit=1&cursor={cursor}")).await.ok();
    s.auditor.get(&format!("/v1/audit/changes?limit=1&cursor={cursor}")).await.refused(400, "validation");
    s.later(3601);
    s.auditor
        .get(&format!("/v1/audit/changes?record={ada}&limit=1&cursor={cursor}"))
        .await
        .refused(400, "validation");
    s.auditor.get("/v1/audit/access").await.refused(400, "validation");
}

#[tokio::test]
async fn the_trail_has_no_route_that_changes_it() {
    let s = Stage::set().await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in
            ["/v1/audit/changes", "/v1/audit/access", "/v1/audit/digests", "/v1/audit/digests/2026-05-04"]
        {
            let reply = s.admin.call(method, path).body(json!({})).send().await;
            reply.refused(405, "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn a_verification_needs_a_reason_a_record_of_ours_and_days_in_order() {
    let s = Stage::set().await;
    let post = async |body| s.auditor.post("/v1/audit/verifications", body).await;
    post(json!({})).await.refused(422, "reason-required");
    post(json!({"reason": "x", "record": "ada"})).await.refused(422, "unknown-record");
    post(json!({"reason": "x", "from": "2026-05-04", "to": "2026-05-03"})).await.refused(422, "bad-range");
    s.desk.post("/v1/audit/verifications", json!({"reason": "x"})).await.refused(403, "forbidden");
    s.auditor.get("/v1/audit/records/pat_01J00000000000000000000000/verify").await.missing();
    s.auditor.get("/v1/audit/records/nothing/verify").await.missing();
}
