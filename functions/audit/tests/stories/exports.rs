//! AUD-5: what leaves as a file (stories 13 to 15).

use crate::stage::Stage;
use serde_json::{Value, json};
use store::chain::{Evidence, verify};
use web::{Queue, files::Bucket};

async fn exported(s: &Stage, mut body: Value) -> (Value, String) {
    for (name, value) in
        [("from", "2026-05-01T00:00:00Z"), ("to", "2026-05-31T00:00:00Z"), ("reason", "inspection")]
    {
        body.as_object_mut().unwrap().entry(name).or_insert(json!(value));
    }
    let made = s.auditor.post("/v1/audit/exports", body).await.accepted();
    s.world.deliver().await;
    let path = format!("/v1/audit/exports/{}", made["id"].as_str().unwrap());
    let shown = s.auditor.get(&path).await.ok();
    assert_eq!(shown["status"], "ready", "{shown:#}");
    let link = s.auditor.post(&format!("{path}/download"), json!({})).await.ok();
    let bytes = s.world.files.get(link["url"].as_str().unwrap()).unwrap();
    assert_eq!(shown["sha256"], store::chain::hex_digest(&bytes));
    (shown, String::from_utf8(bytes).unwrap())
}

/// Story 14.
#[tokio::test]
async fn an_auditor_exports_a_users_changes_and_no_cell_is_a_formula() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    let odd = s
        .desk
        .call("PATCH", &format!("/v1/patients/{ada}"))
        .because("=cmd|calc")
        .body(json!({"occupation": "x"}));
    odd.send().await.ok();
    s.world.letters.take(Queue::Access);
    let (shown, csv) =
        exported(&s, json!({"source": "changes", "format": "csv", "user": s.desk.user()})).await;
    assert_eq!(shown["rows"], 4);
    assert!(csv.starts_with("\u{feff}at,record,version,by,"));
    assert!(csv.contains(",'=cmd|calc,") && !csv.contains(",=cmd"), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), 5);
    let (_, lines) =
        exported(&s, json!({"source": "changes", "format": "json", "action": "pat.create"})).await;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["record"], &first["action"]), (&json!(ada), &json!("create")));
    s.entries().await;
    let mine = s.admin.get(&format!("/v1/audit/access?user={}", s.auditor.user())).await.ok();
    let actions: Vec<&str> =
        mine["data"].as_array().unwrap().iter().filter_map(|e| e["action"].as_str()).collect();
    assert!(
        actions.contains(&"audit_export.create") && actions.contains(&"audit_export.download"),
        "{actions:?}"
    );
}

/// Story 15, second half.
#[tokio::test]
async fn a_records_appearances_in_lists_come_as_a_file() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    s.patient("Bo", "0803 123 4568").await;
    s.entries().await;
    s.desk.get("/v1/patients?q=okonkwo").await.ok();
    s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
    s.entries().await;
    let (shown, csv) = exported(&s, json!({"source": "appearances", "format": "csv", "record": ada})).await;
    assert_eq!(shown["rows"], 1, "the list, not the visit to the record: {csv}");
    assert!(csv.contains(&s.desk.user()), "{csv}");
}

/// Story 13.
#[tokio::test]
async fn the_offline_verifier_says_of_an_export_what_the_verifier_says_of_the_table() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 4).await;
    s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
    s.night("2026-05-05").await;
    s.night("2026-05-06").await;
    s.patient("Bo", "0803 123 4568").await;
    s.anchors().await;
    let judged = async || {
        let (_, lines) = exported(&s, json!({"source": "proof", "format": "json"})).await;
        assert!(!lines.contains("Okonkwo") && !lines.contains("trade"), "nothing is opened");
        let mut evidence = Evidence::default();
        for line in lines.lines() {
            assert!(evidence.take(&serde_json::from_str(line).unwrap()), "{line}");
        }
        verify(&evidence)
    };
    let verdict = judged().await;
    assert!(verdict.is_intact(), "{:#?}", verdict.findings);
    assert!(verdict.checked.changes >= 6 && verdict.checked.access >= 1 && verdict.checked.digests == 2);
    s.remove(&format!("chg#pat#{ada}"), "v#0000000003").await;
    let first = judged().await.first_broken().cloned().unwrap();
    assert_eq!((first.finding.as_str(), first.version, first.record), ("deleted", Some(3), ada));
    let key = format!("audit/{}/2026-05-04/digest.json", s.grace.id.prefix());
    let bytes = s.world.files.get(&format!("memory:digests/{key}")).unwrap();
    let mut digest: Value = serde_json::from_slice(&bytes).unwrap();
    digest["digest"]["made_at"] = json!("2026-05-05T00:00:00.000Z");
    s.world.files.tamper(Bucket::Digests, &key, Some(serde_json::to_vec(&digest).unwrap()));
    let found: Vec<String> = judged().await.findings.iter().map(|f| f.finding.to_string()).collect();
    assert!(found.contains(&"signature_invalid".into()), "{found:?}");
}

#[tokio::test]
async fn an_export_is_made_once_and_gone_after_a_week() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    let (shown, _) = exported(&s, json!({"source": "changes", "format": "csv"})).await;
    let path = format!("/v1/audit/exports/{}", shown["id"].as_str().unwrap());
    let message = json!({"type": "due.axp.run", "tenant": s.grace.id.prefix(), "id": shown["id"], "at": ""});
    s.world.hand_over_other(&message).await;
    assert_eq!(
        s.auditor.get(&path).await.ok()["version"],
        shown["version"],
        "run again, it finds nothing to do"
    );
    s.later(7 * 24 * 3600 + 1);
    s.world.ring().await;
    assert_eq!(s.auditor.get(&path).await.ok()["status"], "expired");
    assert!(s.world.files.keys(Bucket::Documents).is_empty());
    s.auditor.post(&format!("{path}/download"), json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn an_export_whose_storage_is_away_is_tried_again_by_the_clock() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    let body = json!({
        "source": "changes", "format": "csv", "from": "2026-05-01T00:00:00Z", "to": "2026-05-31T00:00:00Z",
        "reason": "inspection",
    });
    let made = s.auditor.post("/v1/audit/exports", body).await.accepted();
    s.world.files.down(true);
    s.world.deliver().await;
    s.world.files.down(false);
    let path = format!("/v1/audit/exports/{}", made["id"].as_str().unwrap());
    assert_eq!(s.auditor.get(&path).await.ok()["status"], "running");
    s.later(121);
    s.world.ring().await;
    assert_eq!(s.auditor.get(&path).await.ok()["status"], "ready");
}

#[tokio::test]
async fn an_export_without_a_reason_too_long_or_of_what_does_not_combine_is_refused() {
    let s = Stage::set().await;
    let post = async |more: Value| {
        let mut body = json!({
            "source": "changes", "format": "csv", "from": "2026-05-01T00:00:00Z", "to": "2026-05-31T00:00:00Z",
            "reason": "inspection",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        s.auditor.post("/v1/audit/exports", body).await
    };
    post(json!({"reason": null})).await.refused(422, "reason-required");
    post(json!({"from": "2024-05-01T00:00:00Z"})).await.refused(422, "bad-range");
    post(json!({"to": "2026-04-01T00:00:00Z"})).await.refused(422, "bad-range");
    let ada = "pat_01J00000000000000000000000";
    for more in [
        json!({"user": "usr_1", "record": ada}),
        json!({"source": "access"}),
        json!({"source": "access", "user": "usr_1", "action": "pat.update"}),
        json!({"source": "appearances"}),
        json!({"source": "proof", "format": "json", "record": ada}),
        json!({"source": "proof"}),
    ] {
        post(more).await.refused(422, "unsupported-filter");
    }
    let quality = s.grace.staff("quality");
    quality.get("/v1/audit/exports").await.refused(403, "forbidden");
}
